"""The server as a child process."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from harness.deadline import DEADLINE_S, wait_until

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("MACHIDA_BINARY", str(ROOT / "build/machida"))
READY = "Application has successfully initialized."
COUNTS = re.compile(r"([a-z][a-z ]+): (\d+)")
LISTENING = re.compile(r'^listening on (\S+):(\d+) \(pipeline "(.*)"\)$', re.MULTILINE)


class Server:
    """One run of the binary with everything that it prints.

    args: the command line after the program name. cwd: where it runs, so where applications lie.
    env: variables set (or, when None, removed) on top of the tests' own environment, from which
    PYTHONPATH and VIRTUAL_ENV are always removed first.
    """

    def __init__(
        self, args: Sequence[str], cwd: Path, env: Mapping[str, str | None] | None = None
    ) -> None:
        merged: dict[str, str | None] = {**os.environ, "PYTHONPATH": None, "VIRTUAL_ENV": None}
        merged |= {"PYTHONDONTWRITEBYTECODE": "1"}
        merged |= env or {}
        self.process = subprocess.Popen(
            [BINARY, *args],
            cwd=cwd,
            env={name: value for name, value in merged.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._out = bytearray()
        self._err = bytearray()
        assert self.process.stdout and self.process.stderr
        self._readers = [
            threading.Thread(target=_collect, args=pair, daemon=True)
            for pair in ((self.process.stdout, self._out), (self.process.stderr, self._err))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def stdout(self) -> str:
        """Everything printed so far."""
        return self._out.decode(errors="replace")

    @property
    def stderr(self) -> str:
        """Everything logged so far."""
        return self._err.decode(errors="replace")

    def log_lines(self, *needles: str) -> list[str]:
        """Returns the lines on stderr that contain every needle."""
        return [x for x in self.stderr.splitlines() if all(needle in x for needle in needles)]

    def describe(self) -> str:
        """Returns what there is to know when a test fails."""
        return f"\nstatus {self.process.poll()}\n-- stdout\n{self.stdout}\n-- stderr\n{self.stderr}"

    def wait_for(self, condition: object, what: str) -> None:
        """Waits until condition() is true; fails at once when the server ends first."""
        assert callable(condition)

        def met() -> bool:
            return bool(condition()) or self.process.poll() is not None

        wait_until(met, lambda: what + self.describe())
        if self.process.poll() is not None:
            self._join()
        assert condition(), f"the server ended before {what}{self.describe()}"

    def ready(self) -> "Server":
        """Waits until the application runs; returns self."""
        self.wait_for(lambda: READY in self.stdout, "the ready line")
        return self

    def wait_stdout(self, text: str) -> None:
        """Waits until the text has been printed."""
        self.wait_for(lambda: text in self.stdout, f"{text!r} on stdout")

    def wait_stderr(self, text: str) -> None:
        """Waits until the text has been logged."""
        self.wait_for(lambda: text in self.stderr, f"{text!r} on stderr")

    @property
    def addresses(self) -> dict[str, tuple[str, int]]:
        """Pipeline name -> (host, port) that its source listens on."""
        found = LISTENING.findall(self.stdout)
        return {name: (host.strip("[]"), int(port)) for host, port, name in found}

    def address(self, pipeline: str = "main") -> tuple[str, int]:
        """Returns the (host, port) of one pipeline's source."""
        return self.addresses[pipeline]

    def send_signal(self, number: int) -> None:
        """Sends a signal to the server."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Waits for the end and for all output; returns the exit status."""
        try:
            status = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server did not end{self.describe()}") from None
        self._join()
        return status

    def terminate(self) -> int:
        """Asks the server to drain; returns the exit status."""
        self.send_signal(signal.SIGTERM)
        return self.wait()

    def summary(self) -> dict[str, int]:
        """Returns the counts that a server which has ended logged last, of all its workers."""
        return self._counts("records in:")

    def epochs_summary(self) -> dict[str, int]:
        """Returns the same of what its epochs have cost, with --resilience-dir."""
        return self._counts("epochs:")

    def _counts(self, first: str) -> dict[str, int]:
        lines = self.log_lines(first)
        assert lines, self.describe()
        assert len(lines) == 1 or all("[worker" in line for line in lines), self.describe()
        totals: dict[str, int] = {}
        for line in lines:
            for name, count in COUNTS.findall(line[line.index(first) :]):
                totals[name.strip()] = totals.get(name.strip(), 0) + int(count)
        return totals

    def rss_bytes(self) -> int:
        """Returns the resident memory of the server."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def peak_rss_bytes(self) -> int:
        """Returns the largest resident memory that the server had so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def kill(self) -> None:
        """Ends the server without warning."""
        self.send_signal(signal.SIGKILL)
        self.wait()

    def close(self) -> None:
        """Kills the server if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._join()

    def _join(self) -> None:
        for reader in self._readers:
            reader.join(DEADLINE_S)


def _collect(stream: IO[bytes], into: bytearray) -> None:
    while chunk := os.read(stream.fileno(), 65536):
        into += chunk
    stream.close()
