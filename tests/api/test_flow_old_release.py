"""Applications written for release 0.17 run unchanged: its names, calls and signatures."""

from datetime import datetime, timedelta, timezone

import pytest
from bytewax.connectors.files import CSVInput, DirInput, DirOutput, FileInput, FileOutput
from bytewax.connectors.periodic import SimplePollingInput
from bytewax.connectors.stdio import StdOutput
from bytewax.dataflow import Dataflow
from bytewax.inputs import (
    DynamicInput,
    PartitionedInput,
    StatefulSource,
    StatelessSource,
    batch,
)
from bytewax.outputs import DynamicOutput, PartitionedOutput, StatefulSink, StatelessSink
from bytewax.testing import TestingInput, TestingOutput, run_main
from bytewax.window import EventClockConfig, SessionWindow, SlidingWindow, TumblingWindow

START = datetime(2022, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - as applications have it
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def bare_windows(monkeypatch):
    """The switch that such applications need."""
    monkeypatch.setenv("BYTEWAX_BARE_WINDOW_OUTPUT", "1")


class CountSource(StatefulSource):
    def __init__(self, resume_state):
        self._numbers = batch(range(resume_state or 0, 5), 2)

    def next_batch(self):
        return next(self._numbers)

    def snapshot(self):
        return 0


class CountInput(PartitionedInput):
    def list_parts(self):
        return ["one"]

    def build_part(self, for_part, resume_state):
        assert for_part == "one"
        return CountSource(resume_state)


class WorkerSource(StatelessSource):
    def __init__(self, worker_index):
        self._items = [f"worker {worker_index}"]

    def next_batch(self):
        if not self._items:
            raise StopIteration
        return [self._items.pop()]

    def close(self):
        pass


class WorkerInput(DynamicInput):
    def build(self, worker_index, worker_count):
        return WorkerSource(worker_index)


class ListSink(StatefulSink):
    def __init__(self, written):
        self._written = written

    def write_batch(self, values):
        self._written += values

    def snapshot(self):
        return len(self._written)


class ListsOutput(PartitionedOutput):
    def __init__(self):
        self.lists = {"a": [], "b": []}

    def list_parts(self):
        return list(self.lists)

    def assign_part(self, item_key):
        return int(item_key)

    def part_fn(self, item_key):
        return int(item_key)

    def build_part(self, for_part, resume_state):
        return ListSink(self.lists[for_part])


class PrintSink(StatelessSink):
    def write_batch(self, items):
        for item in items:
            print("got", item)


class PrintOutput(DynamicOutput):
    def build(self, worker_index, worker_count):
        return PrintSink()


def test_steps_without_ids_do_what_they_did():
    out = []
    flow = Dataflow()
    flow.input("inp", TestingInput(["one two", "three", ""]))
    flow.flat_map(str.split)
    flow.map(str.upper)
    flow.filter(lambda word: word != "TWO")
    flow.filter_map(lambda word: word if len(word) < 5 else None)
    flow.inspect(lambda word: None)
    flow.output("out", TestingOutput(out))
    run_main(flow)
    assert out == ["ONE"]


def test_keywords_are_those_of_the_release():
    out = []
    flow = Dataflow()
    flow.input(step_id="inp", input=TestingInput(range(3)))
    flow.map(mapper=lambda number: ("key", number))
    flow.stateful_map(step_id="sum", builder=lambda: 0, mapper=lambda s, n: (s + n, s + n))
    flow.output(step_id="out", output=TestingOutput(out))
    run_main(flow)
    assert out == [("key", 0), ("key", 1), ("key", 3)]


def test_sources_and_sinks_need_neither_now_nor_sched(capsys):
    flow = Dataflow()
    lists = ListsOutput()
    flow.input("numbers", CountInput())
    flow.map(lambda number: (str(number), f"number {number}"))
    flow.output("lists", lists)
    flow.input("workers", WorkerInput())
    flow.output("print", PrintOutput())
    flow.output("lines", StdOutput())
    run_main(flow)
    assert lists.lists == {
        "a": ["number 0", "number 2", "number 4"],
        "b": ["number 1", "number 3"],
    }
    assert capsys.readouterr().out == "got worker 0\nworker 0\n"


EVENTS = [
    ("key", (START, 1)),
    ("key", (START + 4 * SECOND, 2)),
    ("key", (START + 65 * SECOND, 3)),
    ("key", (START + 200 * SECOND, 4)),
]
CLOCK = EventClockConfig(lambda event: event[0], wait_for_system_duration=SECOND)


@pytest.mark.parametrize(
    ("window", "sums"),
    [
        (TumblingWindow(length=MINUTE, align_to=START), [3, 3, 4]),
        (SessionWindow(gap=timedelta(seconds=70)), [6, 4]),
        (SlidingWindow(length=MINUTE, offset=MINUTE / 2, align_to=START), [3, 3, 3, 3, 4, 4]),
    ],
)
def test_windows_emit_the_accumulator_alone(window, sums):
    def run(add_step):
        out = []
        flow = Dataflow()
        flow.input("inp", TestingInput(EVENTS))
        add_step(flow)
        flow.output("out", TestingOutput(out))
        run_main(flow)
        return [(key, held) for key, held in out]

    numbers = run(lambda flow: flow.collect_window("w", CLOCK, window))
    assert sorted(sum(n for _, n in held) for _, held in numbers) == sorted(sums)
    folded = run(lambda flow: flow.fold_window("w", CLOCK, window, int, lambda s, e: s + e[1]))
    assert sorted(held for _, held in folded) == sorted(sums)
    reduced = run(
        lambda flow: flow.reduce_window("w", CLOCK, window, lambda a, b: (b[0], a[1] + b[1]))
    )
    assert sorted(held[1] for _, held in reduced) == sorted(sums)


def test_files_are_read_and_written(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a\nb\n")
    (tmp_path / "table.csv").write_text("name,n\nx,1\n")
    (tmp_path / "out").mkdir()
    rows = []
    flow = Dataflow()
    flow.input("dir", DirInput(tmp_path / "in"))
    flow.map(lambda line: (line, line))
    flow.output("dir out", DirOutput(tmp_path / "out", 2, assign_file=lambda key: ord(key)))
    flow.input("file", FileInput(tmp_path / "in" / "a.txt"))
    flow.map(lambda line: ("key", line * 2))
    flow.output("file out", FileOutput(tmp_path / "out.txt"))
    flow.input("csv", CSVInput(tmp_path / "table.csv"))
    flow.output("rows", TestingOutput(rows))
    run_main(flow)
    assert (tmp_path / "out" / "part_0").read_text() == "b\n"
    assert (tmp_path / "out" / "part_1").read_text() == "a\n"
    assert (tmp_path / "out.txt").read_text() == "aa\nbb\n"
    assert rows == [{"name": "x", "n": "1"}]


def test_a_polling_input_is_asked_at_its_interval():
    class Poll(SimplePollingInput):
        left = 3

        def next_item(self):
            if not self.left:
                raise StopIteration
            self.left -= 1
            return self.left

    out = []
    flow = Dataflow()
    flow.input("poll", Poll(interval=timedelta(milliseconds=10)))
    flow.output("out", TestingOutput(out))
    run_main(flow)
    assert out == [2, 1, 0]


def test_a_polling_input_emits_none():
    class Poll(SimplePollingInput):
        items = iter([1, None, 3])

        def next_item(self):
            return next(self.items)

    out = []
    flow = Dataflow()
    flow.input("poll", Poll(interval=timedelta(milliseconds=10)))
    flow.output("out", TestingOutput(out))
    run_main(flow)
    assert out == [1, None, 3]
