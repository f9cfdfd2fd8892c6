"""Dataflows as processes: starting and watching them, one that counts, and what it must write."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

RUN_S_MAX = 100

# Counts numbers from several partitions by key, writes into several files.
COUNTING = """
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from bytewax.connectors.files import DirSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

PARTS, KEYS = 4, 10
LAST = int(os.environ.get("LAST", "0"))  # 0: there is none


class Part(StatefulSourcePartition):
    def __init__(self, name, number):
        self.name, self.number = name, number
        Path(f"built-{name}-{os.getpid()}").touch()

    def next_batch(self, sched):
        if self.number == LAST != 0:
            raise StopIteration
        self.number += 1
        return [(f"{self.name}{self.number % KEYS}", self.number)]

    def next_awake(self):
        return None if LAST else datetime.now(timezone.utc) + timedelta(milliseconds=1)

    def snapshot(self):
        return self.number

    def close(self):
        Path(f"closed-{self.name}").touch()


class Numbers(FixedPartitionedSource):
    def list_parts(self):
        return [f"p{index}" for index in range(PARTS)]

    def build_part(self, now, for_part, resume_state):
        return Part(for_part, resume_state or 0)


def count(state, number):
    return state + 1, f"{state + 1} {number}"


flow = Dataflow()
flow.input("numbers", Numbers())
flow.redistribute()
flow.map("same", lambda item: item)
flow.stateful_map("count", int, count)
flow.map("line", lambda item: (item[0], f"{item[0]} {item[1]}"))
flow.output("out", DirSink(Path("out"), 3))
"""


class Run:
    """A command that runs a dataflow, in a process group of its own, in a directory."""

    def __init__(self, directory: Path, *command: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def end(self) -> tuple[int, str, str]:
        """Waits for the end; returns status, output, errors. No process is left then."""
        output, errors = self.process.communicate(timeout=RUN_S_MAX)
        assert self.group() == []
        return self.process.returncode, output, errors

    def group(self) -> list[int]:
        """The processes that are running, the first one too."""
        return sorted(pid for pid, group in processes() if group == self.process.pid)

    def workers(self) -> list[int]:
        """The processes of the workers, by index."""
        return [pid for pid in self.group() if pid != self.process.pid]

    def kill(self) -> None:
        """Ends all at once; the first takes others with it, so some may be gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


def processes() -> Iterator[tuple[int, int]]:
    """Number and process group of all that have not ended."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if state not in "ZX":
            yield int(folder.name), int(group)


def counting(directory: Path) -> None:
    (directory / "app.py").write_text(COUNTING)
    (directory / "out").mkdir()


def lines(directory: Path) -> list[str]:
    return [line for file in (directory / "out").iterdir() for line in file.read_text().split("\n")]


def check_counts(directory: Path, last: int | None = None) -> int:
    """Checks that every number of every key was counted once, in order; returns how many."""
    per_key: dict[str, list[tuple[int, int]]] = {}
    for line in filter(None, lines(directory)):
        key, *numbers = line.split(" ")
        per_key.setdefault(key, []).append((int(numbers[0]), int(numbers[1])))
    for key, counts in per_key.items():
        assert [count for count, _ in counts] == list(range(1, len(counts) + 1)), key
        assert len({number for _, number in counts}) == len(counts), key
        assert all(number % 10 == int(key[-1]) for _, number in counts), key
        if last is not None:
            assert sorted(number for _, number in counts)[-1] > last - 10, key
    if last is not None:
        assert sum(map(len, per_key.values())) == 4 * last
    return sum(map(len, per_key.values()))


def addresses(tmp_path: Path, count: int) -> str:
    """Names that no other test has: the ports are never opened."""
    first = 1024 + hash(str(tmp_path)) % 60_000
    return ";".join(f"127.0.0.1:{first + index}" for index in range(count))
