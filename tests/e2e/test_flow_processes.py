"""Dataflows whose workers are processes: what they share, and how they end."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from harness import BINARY, wait_until
from harness.flow_processes import COUNTING, check_counts, counting


def test_processes_count_what_one_would(start_flow, tmp_path: Path) -> None:
    counting(tmp_path)
    status, _, errors = start_flow("bytewax.run", "-w", "3", "app", LAST="2000").end()
    assert (status, errors) == (0, "")
    check_counts(tmp_path, 2000)
    built = {path.name.split("-")[1]: path.name.split("-")[2] for path in tmp_path.glob("built-*")}
    assert sorted(built) == ["p0", "p1", "p2", "p3"]
    assert len(list(tmp_path.glob("built-*"))) == 4
    assert built["p0"] == built["p3"]
    assert len({built["p0"], built["p1"], built["p2"]}) == 3


WHO = """
import os
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

flow = Dataflow()
flow.input("in", TestingSource(range(200), batch_size=5))
flow.redistribute()
flow.inspect_worker(lambda n, item: os.write(1, b"worker %d in %d\\n" % (n, os.getpid())))
flow.output("out", StdOutSink())
"""


@pytest.mark.parametrize(
    ("program", "arguments", "workers"),
    [
        (None, ["bytewax.run", "app", "-w", "2"], 2),
        (None, ["bytewax.run", "app", "-p", "2", "-w", "2"], 4),
        (None, ["bytewax.testing", "app", "-p", "3"], 3),
        ([BINARY], ["run", "app", "-w", "2"], 2),
    ],
)
def test_each_worker_is_a_process(start_flow, tmp_path, program, arguments, workers) -> None:
    (tmp_path / "app.py").write_text(WHO)
    status, output, errors = start_flow(*arguments, program=program).end()
    assert status == 0, errors
    said = set(re.findall(r"worker (\d+) in (\d+)", output))
    assert sorted(worker for worker, _ in said) == [str(index) for index in range(workers)]
    assert len({pid for _, pid in said}) == workers
    items = sorted(int(line) for line in output.split("\n") if line.isdecimal())
    assert items == list(range(200))


LONG = """
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

flow = Dataflow()
flow.input("in", TestingSource(range(4000), batch_size=1000))
flow.redistribute()
flow.map("line", lambda number: str(number) * 30)
flow.output("out", StdOutSink())
"""


def test_the_lines_of_several_processes_stay_whole(start_flow, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(LONG)
    status, output, errors = start_flow("bytewax.run", "app", "-w", "4").end()
    assert (status, errors) == (0, "")
    assert sorted(output.splitlines()) == sorted(str(number) * 30 for number in range(4000))


ENDS = """
import time
from datetime import datetime, timedelta, timezone
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.window import EventClockConfig, TumblingWindow

START = datetime(2024, 1, 1, tzinfo=timezone.utc)

class Part(StatefulSourcePartition):
    def __init__(self, name):
        self.batches = [[(key, 1)] for key in "abcdefghij"] * (1 if name == "quick" else 20)

    def next_batch(self, sched):
        if not self.batches:
            raise StopIteration
        return self.batches.pop()

    def next_awake(self):
        return datetime.now(timezone.utc) + timedelta(milliseconds=2)

    def snapshot(self):
        return None

class Source(FixedPartitionedSource):
    def list_parts(self):
        return ["quick", "slow", "slow too"]

    def build_part(self, now, for_part, resume_state):
        return Part(for_part)

flow = Dataflow()
flow.input("in", Source())
clock = EventClockConfig(lambda value: START, wait_for_system_duration=timedelta(hours=1))
hour = TumblingWindow(length=timedelta(hours=1), align_to=START)
flow.reduce_window("of a key", clock, hour, lambda a, b: a + b)
flow.map("all", lambda item: ("all", item[1][1]))
flow.reduce_window("of all", clock, hour, lambda a, b: a + b)
flow.map("bare", lambda item: (item[0], item[1][1]))
flow.output("out", StdOutSink())
"""


def test_windows_wait_for_the_end_of_the_input_on_all_processes(start_flow, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ENDS)
    status, output, errors = start_flow("bytewax.run", "app", "-w", "3").end()
    assert (status, errors) == (0, "")
    assert output == "('all', 410)\n"


FAILING = """
import sys
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource

flow = Dataflow()
flow.input("in", TestingSource(range(100)))
flow.redistribute()
flow.map("same", lambda item: item)
flow.map("fails", lambda item: {} if item == 50 else item)
flow.output("out", TestingSink([]))
"""


@pytest.mark.parametrize("program", [None, [BINARY]])
def test_a_worker_that_raises_ends_all_and_is_reported_once(start_flow, tmp_path, program) -> None:
    (tmp_path / "app.py").write_text(FAILING.format("1 / (item - 50)"))
    module = "bytewax.run" if program is None else "run"
    status, _, errors = start_flow(module, "app", "-w", "3", program=program).end()
    assert status == 1
    assert errors.count("Traceback") == 1, errors
    assert "ZeroDivisionError" in errors
    assert "in step 'fails'" in errors


def test_a_worker_that_has_failed_does_nothing_more(start_flow, tmp_path: Path) -> None:
    text = FAILING.format("1 / 0").replace("item == 50", "item >= 0")
    (tmp_path / "app.py").write_text(text.replace("range(100)", "range(10_000), batch_size=100"))
    status, _, errors = start_flow("bytewax.run", "app", "-w", "3").end()
    assert status == 1
    assert errors.count("ZeroDivisionError") == 1, errors


def test_a_worker_that_exits_gives_its_status(start_flow, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FAILING.format("sys.exit(7)"))
    status, _, errors = start_flow("bytewax.run", "app", "-w", "3").end()
    assert (status, errors) == (7, "")


def test_a_mistake_that_all_workers_find_is_reported_once(start_flow, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import no_such_module_x\n")
    status, _, errors = start_flow("bytewax.run", "app", "-w", "3").end()
    assert status == 1
    assert errors.count("No module named 'no_such_module_x'") == 1, errors


def test_an_item_that_can_not_leave_its_process_is_an_error_with_the_step(
    start_flow, tmp_path
) -> None:
    text = FAILING.replace("lambda item: item)\n", "lambda item: (str(item), lambda: 1))\n", 1)
    text = text.replace(
        'flow.map("fails"', 'flow.stateful_map("held", int, lambda s, v: (s, v))\n#'
    )
    (tmp_path / "app.py").write_text(text)
    status, _, errors = start_flow("bytewax.run", "app", "-w", "2").end()
    assert status == 1
    assert errors.count("Traceback") == 1, errors
    assert "the record can't be pickled, to go to another worker: " in errors
    assert "'held'" in errors


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("whole_group", [False, True])
def test_a_signal_drains_all_workers(start_flow, tmp_path: Path, stop, whole_group) -> None:
    counting(tmp_path)
    run = start_flow("bytewax.run", "app", "-w", "3")
    wait_until(lambda: check_counts(tmp_path) > 50, "lines")
    if whole_group:  # as Ctrl-C in a terminal does
        os.killpg(run.process.pid, stop)
    else:
        run.process.send_signal(stop)
    status, _, errors = run.end()
    assert status == 0, errors
    assert "Traceback" not in errors
    assert errors.count("interrupted") == (1 if stop == signal.SIGINT else 0)
    assert len(list(tmp_path.glob("closed-*"))) == 4


def test_workers_end_with_the_process_that_was_started(start_flow, tmp_path: Path) -> None:
    counting(tmp_path)
    run = start_flow("bytewax.run", "app", "-w", "3")
    wait_until(lambda: check_counts(tmp_path) > 50, "lines")
    run.process.kill()
    wait_until(lambda: run.group() == [], "the end of all processes")


FLOOD = """
import time
from pathlib import Path
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.testing import TestingSink

class Part(StatefulSourcePartition):
    left = 3000

    def next_batch(self, sched):
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return [(key, bytes(50_000)) for key in "abcd"]

    def snapshot(self):
        return None

class Source(FixedPartitionedSource):
    def list_parts(self):
        return ["only"]

    def build_part(self, now, for_part, resume_state):
        return Part()

def slowly(state, value):
    time.sleep(0.0001)
    return state + len(value), state + len(value)

def note(item):
    if item[1] == 150_000_000:
        size = next(x for x in open("/proc/self/status") if x.startswith("VmHWM")).split()[1]
        Path(f"done-{item[0]}").write_text(size)
    return item

flow = Dataflow()
flow.input("in", Source())
flow.stateful_map("slow", int, slowly)
flow.map("note", note)
flow.redistribute()
flow.output("out", TestingSink([]))
"""


def test_what_waits_between_processes_has_a_limit(start_flow, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FLOOD)
    status, _, errors = start_flow("bytewax.run", "app", "-w", "2").end()
    assert (status, errors) == (0, "")
    sizes = {path.name: int(path.read_text()) for path in tmp_path.glob("done-*")}
    assert sorted(sizes) == ["done-a", "done-b", "done-c", "done-d"]
    assert max(sizes.values()) < 150_000, sizes  # KiB, of 600 MB that went through


IDLE = COUNTING.replace("timedelta(milliseconds=1)", "timedelta(hours=1)").replace(
    "None if LAST", "None if self.number == 0"
)


def cpu_ticks(pids: list[int]) -> int:
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats)


def test_processes_that_have_nothing_to_do_use_no_cpu(start_flow, tmp_path: Path) -> None:
    counting(tmp_path)
    (tmp_path / "app.py").write_text(IDLE)
    run = start_flow("bytewax.run", "app", "-w", "3")
    wait_until(lambda: check_counts(tmp_path) == 4, "the first lines")
    time.sleep(0.5)  # what is behind them
    before = cpu_ticks(run.group())
    time.sleep(2)
    assert cpu_ticks(run.group()) - before <= 3  # hundredths of a second, of four processes
    run.process.terminate()
    assert run.end()[0] == 0


ABORTS = """
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

flow = Dataflow()
flow.input("in", TestingSource([1, 2, TestingSource.ABORT(), 3]))
flow.redistribute()
flow.output("out", StdOutSink())
"""


def test_an_abort_stops_all_processes_without_an_error(start_flow, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(ABORTS)
    status, output, errors = start_flow("bytewax.run", "app", "-w", "2").end()
    assert (status, errors) == (0, "")
    assert "3" not in output


@pytest.mark.parametrize(("stop", "ends_with"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)])
def test_a_signal_before_the_run_ends_all_without_a_traceback(
    start_flow, tmp_path: Path, stop, ends_with
) -> None:
    waits = "import os, time\nopen(f'loads-{os.getpid()}', 'x').close()\ntime.sleep(1000)\n"
    (tmp_path / "app.py").write_text(waits)
    run = start_flow("bytewax.run", "app", "-w", "3")
    wait_until(lambda: len(list(tmp_path.glob("loads-*"))) == 3, "three workers")
    os.killpg(run.process.pid, stop)
    status, _, errors = run.end()
    assert status == ends_with, errors
    assert "Traceback" not in errors
