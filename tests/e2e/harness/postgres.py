"""A real PostgreSQL that tests start, kill and ask."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import psycopg

from harness.deadline import DEADLINE_S, wait_until

ROOT = Path(__file__).resolve().parents[3]


class Postgres:
    """One database server with its data in a temporary directory.

    The directory lies in the system's one for such: the user that PostgreSQL runs as must reach it.
    """

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="machida-postgres-")) / "cluster"
        self.directory.parent.chmod(0o711)
        try:
            self._url = self.start()
        except AssertionError:
            shutil.rmtree(self.directory.parent)
            raise

    def start(self) -> str:
        """Starts it, also after it was killed; returns its URL when it answers."""
        return self._tool("start").splitlines()[-1]

    def url(self, driver: Literal["psycopg", "asyncpg"] = "psycopg") -> str:
        """Returns the URL for SQLAlchemy."""
        return self._url.replace("postgresql://", f"postgresql+{driver}://")

    @property
    def password(self) -> str:
        """What nobody may print."""
        return (self.directory / "password").read_text().strip()

    def kill(self) -> None:
        """Kills all its processes; what it had not written to its log file is gone."""
        pid = int((self.directory / "data/postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            # Without the first one the others end by themselves.
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        wait_until(lambda: not any(map(_runs, (pid, *children))), "the end of PostgreSQL")

    def ask(self, sql: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement, none for one that has none."""
        end = time.monotonic() + DEADLINE_S
        while True:
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    cursor = connection.execute(sql, parameters)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def close(self) -> None:
        """Stops it and removes its directory."""
        self._tool("stop", "--delete")
        self.directory.parent.rmdir()

    def _tool(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(ROOT / "scripts/postgres"), *arguments, "--dir", str(self.directory)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def _runs(pid: int | str) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"
