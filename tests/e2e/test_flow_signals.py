"""The application's own handlers of signals, in dataflows that wait."""

import os
import signal
from pathlib import Path

import pytest
from harness import BINARY, wait_until

HANDLES = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition

class Source(DynamicSource):
    def build(self, now, worker_index, worker_count):
        return Part()

class Part(StatelessSourcePartition):
    def next_batch(self, sched):
        Path(f"waits-{os.getpid()}").touch()
        return []

    def next_awake(self):
        if not Path(f"waits-{os.getpid()}").exists():
            return None
        return datetime.now(UTC) + timedelta(hours=1)

def dump(number, frame):
    Path(f"dump-{os.getpid()}").touch()

def leave(number, frame):
    sys.exit(3)

signal.signal(signal.SIGUSR1, dump)
signal.signal(signal.SIGTERM, leave)

flow = Dataflow()
flow.input("in", Source())
flow.output("out", StdOutSink())
"""


@pytest.mark.parametrize(
    ("program", "arguments", "workers"),
    [
        (None, ["bytewax.run", "app"], 1),
        (None, ["bytewax.run", "app", "-w", "2"], 2),
        ([BINARY], ["run", "app"], 1),
        ([BINARY], ["run", "app", "-w", "2"], 2),
    ],
)
def test_handlers_are_called_while_a_dataflow_waits(
    start_flow, tmp_path: Path, program, arguments, workers
) -> None:
    (tmp_path / "app.py").write_text(HANDLES)
    run = start_flow(*arguments, program=program)

    def those(what: str) -> list[int]:
        return sorted(int(path.name.split("-")[1]) for path in tmp_path.glob(f"{what}-*"))

    wait_until(lambda: len(those("waits")) == workers, "all to wait")
    for pid in those("waits"):
        os.kill(pid, signal.SIGUSR1)
    wait_until(lambda: those("dump") == those("waits"), "all to have handled it")
    run.process.send_signal(signal.SIGTERM)
    status, _, errors = run.end()
    assert (status, errors) == (3, "")
