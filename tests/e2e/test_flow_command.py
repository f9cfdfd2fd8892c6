"""`python -m bytewax.run`: how a process that runs a dataflow ends, and goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import wait_until

RUN_S_MAX = 60

COUNTING = """
from datetime import timedelta
from pathlib import Path

from bytewax.connectors.files import FileSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition


class Part(StatefulSourcePartition):
    def __init__(self, number):
        self.number = number

    def next_batch(self, sched):
        self.number += 1
        return [("key", self.number)]

    def next_awake(self):
        from datetime import datetime, timezone
        return datetime.now(timezone.utc) + timedelta(milliseconds=2)

    def snapshot(self):
        return self.number

    def close(self):
        Path("closed").touch()


class Numbers(FixedPartitionedSource):
    def list_parts(self):
        return ["numbers"]

    def build_part(self, now, for_part, resume_state):
        return Part(resume_state or 0)


flow = Dataflow()
flow.input("numbers", Numbers())
flow.stateful_map("count", int, lambda count, number: (count + 1, f"{count + 1} {number}"))
flow.output("out", FileSink("out.txt"))
"""

FAILING = """
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource

flow = Dataflow()
flow.input("in", TestingSource(range(100)))
flow.redistribute()
flow.map("divide", lambda number: 1 / (number - 50))
flow.output("out", TestingSink([]))
"""

STOP_SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    """A function (arguments...) -> Popen of `python -m ...` in tmp_path; all are ended."""
    started: list[subprocess.Popen] = []

    def begin(*arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def lines(tmp_path: Path) -> list[str]:
    path = tmp_path / "out.txt"
    return path.read_text().splitlines() if path.exists() else []


def wait_for_lines(tmp_path: Path, process: subprocess.Popen, count: int) -> None:
    def written() -> bool:
        assert process.poll() is None, process.communicate()
        return len(lines(tmp_path)) >= count

    wait_until(written, f"{count} lines")


@pytest.mark.parametrize("stop", STOP_SIGNALS)
def test_a_signal_stops_the_flow_properly(start, tmp_path: Path, stop: signal.Signals) -> None:
    (tmp_path / "app.py").write_text(COUNTING)
    process = start("bytewax.run", "app")
    wait_for_lines(tmp_path, process, 5)
    process.send_signal(stop)
    _, errors = process.communicate(timeout=RUN_S_MAX)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert (tmp_path / "closed").exists()


@pytest.mark.parametrize("stop", [*STOP_SIGNALS, signal.SIGKILL])
def test_a_flow_that_was_stopped_goes_on(start, tmp_path: Path, stop: signal.Signals) -> None:
    (tmp_path / "app.py").write_text(COUNTING)
    (tmp_path / "recovery").mkdir()
    made = start("bytewax.recovery", "recovery", "2")
    assert made.wait(RUN_S_MAX) == 0, made.communicate()
    for _ in range(3):
        before = len(lines(tmp_path))
        process = start("bytewax.run", "-r", "recovery", "-s", "0", "app")
        wait_for_lines(tmp_path, process, before + 5)
        process.send_signal(stop)
        process.wait(RUN_S_MAX)
    final = lines(tmp_path)
    assert final == [f"{number} {number}" for number in range(1, len(final) + 1)]


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("command", ["run", "testing"])
def test_a_flow_that_fails_ends_with_status_1(start, tmp_path: Path, command, workers) -> None:
    (tmp_path / "app.py").write_text(FAILING)
    process = start(f"bytewax.{command}", "-w", workers, "app")
    _, errors = process.communicate(timeout=RUN_S_MAX)
    assert process.returncode == 1
    assert "ZeroDivisionError" in errors
    assert "'divide'" in errors


def test_partitions_are_made_from_the_command_line(start, tmp_path: Path) -> None:
    (tmp_path / "recovery").mkdir()
    first = start("bytewax.recovery", "recovery", "3")
    assert first.wait(RUN_S_MAX) == 0
    assert len(list((tmp_path / "recovery").glob("part-*.sqlite3"))) == 3
    again = start("bytewax.recovery", "recovery", "3")
    _, errors = again.communicate(timeout=RUN_S_MAX)
    assert again.returncode == 1
    assert "part-0" in errors


COUNTED = """
from datetime import datetime, timedelta, timezone

from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource
from bytewax.window import EventClockConfig, TumblingWindow

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
CLOCK = EventClockConfig(lambda minute: START + timedelta(minutes=minute), timedelta(0))
HOURS = TumblingWindow(length=timedelta(hours=1), align_to=START)

flow = Dataflow()
flow.input("in", TestingSource([1, 2, 61, 3, 62, None]))
flow.filter("some", lambda minute: minute is not None)
flow.map("key", lambda minute: ("all", minute))
flow.collect_window("hours", CLOCK, HOURS)
flow.flat_map("twice", lambda closed: [closed, closed])
flow.map("check", lambda closed: closed if FINE else 1 / 0)
flow.output("out", TestingSink([]))
"""


WINDOWED = COUNTED.replace("TestingSink([])", "StdOutSink()").replace(
    "from bytewax.dataflow",
    "from bytewax.connectors.stdio import StdOutSink\nfrom bytewax.dataflow",
)


@pytest.mark.parametrize(
    ("flags", "environment", "text"),
    [
        ((), {}, "('all', (WindowMetadata("),
        (("--bare-window-output",), {}, "('all', [1, 2])"),
        ((), {"BYTEWAX_BARE_WINDOW_OUTPUT": "1"}, "('all', [1, 2])"),
    ],
)
def test_windows_emit_their_metadata_unless_told_otherwise(
    start, tmp_path: Path, monkeypatch, flags, environment: dict[str, str], text: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "app.py").write_text(f"FINE = True\n{WINDOWED}")
    output, errors = start("bytewax.run", "app", *flags).communicate(timeout=RUN_S_MAX)
    assert output.startswith(text), (output, errors)


@pytest.mark.parametrize("fine", [True, False])
def test_the_end_tells_what_was_counted(start, tmp_path: Path, fine: bool) -> None:
    (tmp_path / "app.py").write_text(f"FINE = {fine}\n{COUNTED}")
    process = start("bytewax.run", "app", "--summary")
    _, errors = process.communicate(timeout=RUN_S_MAX)
    assert process.returncode == (0 if fine else 1), errors
    counts = "in: 6, written: 4, late items: 1, failures: 0, epochs: 1"
    if not fine:  # the third one closes a window
        counts = "in: 3, written: 0, late items: 0, failures: 1, epochs: 0"
    assert f"items {counts}\n" in errors
    first = "'some' 6 5, 'key' 5 5, 'hours' 5 2, 'twice' 2 4, 'check' 4 4, 'out' 4 4\n"
    if fine:
        assert f"items in and out of each step: {first}" in errors
