"""In which order things happen in a dataflow, what epochs are, and who is closed when."""

from datetime import UTC, datetime, timedelta

import pytest
from bytewax.connectors.files import DirSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import (
    DynamicSource,
    FixedPartitionedSource,
    StatefulSourcePartition,
    StatelessSourcePartition,
)
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main
from bytewax.window import EventClockConfig, SystemClockConfig, TumblingWindow

START = datetime(2022, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WEEK = timedelta(weeks=1)


def outputs(items, *add_steps, batch_size=1, **settings):
    """Runs steps on items; returns what comes out."""
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource(items, batch_size))
    for add_step in add_steps:
        add_step(flow)
    flow.output("out", TestingSink(out))
    run_main(flow, **settings)
    return out


def test_a_stateful_step_keeps_the_order_of_its_input():
    items = [("b", 1), ("a", 2), ("b", 3), ("c", 4), ("a", 5)]
    for batch_size in (1, 2, 100):
        out = outputs(
            items,
            lambda flow: flow.stateful_map("s", list, lambda state, value: (state, value)),
            batch_size=batch_size,
        )
        assert out == items


def test_keys_end_in_the_order_of_their_bytes():
    keys = ["z", "ä", "a", "Z", "aa", "𝄞", ""]
    out = outputs([(key, 1) for key in keys], lambda flow: flow.batch("b", 10, WEEK))
    assert [key for key, _ in out] == sorted(keys, key=str.encode)


def test_the_end_reaches_one_step_after_the_other():
    out = outputs(
        [("b", 1), ("a", 2), ("b", 3)],
        lambda flow: flow.batch("first", 10, WEEK),
        lambda flow: flow.map("sum", lambda item: ("all", (item[0], sum(item[1])))),
        lambda flow: flow.batch("second", 10, WEEK),
    )
    assert out == [("all", [("a", 2), ("b", 4)])]


def test_a_batch_begins_its_time_with_its_first_value():
    class Slow(StatefulSourcePartition):
        """Gives an item at 0 s, and ends when its batch has come out."""

        def __init__(self, out):
            self.out, self.given = out, False

        def next_batch(self, sched):
            if not self.given:
                self.given = True
                return [("a", 1)]
            if self.out:
                raise StopIteration
            return []

        def snapshot(self):
            return None

    class Source(FixedPartitionedSource):
        def list_parts(self):
            return ["p"]

        def build_part(self, now, for_part, resume_state):
            return Slow(out)

    out = []
    flow = Dataflow()
    flow.input("in", Source())
    flow.batch("b", 10, timedelta(milliseconds=50))
    flow.output("out", TestingSink(out))
    run_main(flow)  # would not end if the batch had to wait for the next item
    assert out == [("a", [1])]


def test_windows_that_no_item_closes_are_closed_by_time():
    class Waiting(StatelessSourcePartition):
        def __init__(self):
            self.given = False

        def next_batch(self, sched):
            if self.given and out:
                raise StopIteration
            batch, self.given = [] if self.given else [("a", datetime.now(UTC))], True
            return batch

    class Source(DynamicSource):
        def build(self, now, worker_index, worker_count):
            return Waiting()

    out = []
    flow = Dataflow()
    flow.input("in", Source())
    clock = EventClockConfig(lambda at: at, wait_for_system_duration=timedelta(0))
    flow.collect_window("w", clock, TumblingWindow(timedelta(milliseconds=20), START))
    flow.output("out", TestingSink(out))
    run_main(flow)
    assert len(out) == 1


def test_a_system_clock_ends_its_windows_with_the_input():
    out = outputs(
        [("a", 1), ("a", 2)],
        lambda flow: flow.collect_window("w", SystemClockConfig(), TumblingWindow(WEEK, START)),
    )
    assert [(key, values) for key, (_, values) in out] == [("a", [1, 2])]


@pytest.mark.parametrize(
    ("batch_size", "epochs"), [(1, [1, 2, 3, 4, 5]), (2, [1, 1, 2, 2, 3]), (10, [1] * 5)]
)
def test_with_an_interval_of_zero_each_batch_is_an_epoch(batch_size, epochs):
    seen = []
    outputs(
        range(5),
        lambda flow: flow.inspect_epoch(lambda epoch, item: seen.append(epoch)),
        batch_size=batch_size,
        epoch_interval=timedelta(0),
    )
    assert seen == epochs


def test_all_is_one_epoch_within_the_interval():
    seen = []
    outputs(range(5), lambda flow: flow.inspect_epoch(lambda epoch, item: seen.append(epoch)))
    assert seen == [1] * 5


def test_an_output_hands_its_items_on():
    first, second = [], []
    flow = Dataflow()
    flow.input("in", TestingSource([1, 2]))
    flow.output("first", TestingSink(first))
    flow.map("double", lambda number: 2 * number)
    flow.output("second", TestingSink(second))
    run_main(flow)
    assert (first, second) == ([1, 2], [2, 4])


def test_a_second_input_begins_another_stream():
    first, second = [], []
    flow = Dataflow()
    flow.input("a", TestingSource([1, 2]))
    flow.output("first", TestingSink(first))
    flow.input("b", TestingSource([3]))
    flow.output("second", TestingSink(second))
    run_main(flow)
    assert (first, second) == ([1, 2], [3])


def test_a_flow_runs_again_from_the_beginning():
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource([("a", 1), ("a", 2)]))
    flow.stateful_map("sum", int, lambda total, value: (total + value, total + value))
    flow.output("out", TestingSink(out))
    run_main(flow)
    run_main(flow)
    assert out == [("a", 1), ("a", 3)] * 2


def test_eof_and_abort_end_a_run():
    flow = Dataflow()
    out = []
    flow.input("in", TestingSource([1, TestingSource.EOF(), 2]))
    flow.output("out", TestingSink(out))
    run_main(flow)
    assert out == [1]
    del out[:]
    flow = Dataflow()
    flow.input("in", TestingSource([1, TestingSource.ABORT(), 2]))
    flow.output("out", TestingSink(out))
    assert run_main(flow) is None
    assert out == [1]
    del out[:]
    run_main(flow)
    assert out == [1, 2]


def test_an_abort_emits_nothing_of_what_waits():
    out = outputs([("a", 1), TestingSource.ABORT()], lambda flow: flow.batch("b", 10, WEEK))
    assert out == []


class Events:
    """Notes what is built, written and closed, in order."""

    def __init__(self):
        self.seen = []

    def source(self, items):
        events = self

        class Part(StatelessSourcePartition):
            def __init__(self):
                self.items = list(items)

            def next_batch(self, sched):
                if not self.items:
                    raise StopIteration
                return [self.items.pop(0)]

            def close(self):
                events.seen.append("source closed")

        class Source(DynamicSource):
            def build(self, now, worker_index, worker_count):
                assert now.tzinfo is not None
                events.seen.append(f"source {worker_index} of {worker_count}")
                return Part()

        return Source()

    def sink(self):
        events = self

        class Part(StatelessSinkPartition):
            def write_batch(self, items):
                events.seen.append(list(items))

            def close(self):
                events.seen.append("sink closed")

        class Sink(DynamicSink):
            def build(self, worker_index, worker_count):
                events.seen.append(f"sink {worker_index} of {worker_count}")
                return Part()

        return Sink()


def test_sources_and_sinks_close_when_all_is_written():
    events = Events()
    flow = Dataflow()
    flow.input("in", events.source([("a", 1)]))
    flow.batch("b", 10, WEEK)
    flow.output("out", events.sink())
    run_main(flow)
    assert sorted(events.seen[:2]) == ["sink 0 of 1", "source 0 of 1"]
    assert events.seen[2:] == [[("a", [1])], "source closed", "sink closed"]


def test_both_close_when_a_step_raises():
    events = Events()
    flow = Dataflow()
    flow.input("in", events.source([1]))
    flow.map("fail", lambda item: 1 / 0)
    flow.output("out", events.sink())
    with pytest.raises(ZeroDivisionError):
        run_main(flow)
    assert sorted(events.seen[2:]) == ["sink closed", "source closed"]


def test_dynamic_sources_and_sinks_are_built_on_each_worker():
    events = Events()
    flow = Dataflow()
    flow.input("in", events.source(["x"]))
    flow.output("out", events.sink())
    cluster_main(flow, [], 0, worker_count_per_proc=3)
    built = sorted(event for event in events.seen if " of 3" in event)
    assert built == [f"{kind} {index} of 3" for kind in ("sink", "source") for index in range(3)]
    assert events.seen.count(["x"]) == 3


class Named(FixedPartitionedSource):
    """Seven partitions that tell who reads them."""

    def list_parts(self):
        return [f"p{index}" for index in range(7)]

    def build_part(self, now, for_part, resume_state):
        class Part(StatefulSourcePartition):
            left = 1

            def next_batch(self, sched):
                if not self.left:
                    raise StopIteration
                self.left -= 1
                return [for_part]

            def snapshot(self):
                return None

        return Part()


def test_partitions_are_shared_out_evenly():
    seen = {}
    flow = Dataflow()
    flow.input("in", Named())
    flow.inspect_worker(lambda worker, part: seen.setdefault(worker, []).append(part))
    flow.output("out", TestingSink([]))
    cluster_main(flow, [], 0, worker_count_per_proc=3)
    assert {worker: sorted(parts) for worker, parts in seen.items()} == {
        0: ["p0", "p3", "p6"],
        1: ["p1", "p4"],
        2: ["p2", "p5"],
    }


def test_partitions_of_a_worker_are_read_in_turns_by_name():
    out = []
    flow = Dataflow()
    flow.input("in", Named())
    flow.output("out", TestingSink(out))
    run_main(flow)
    assert out == [f"p{index}" for index in range(7)]


def test_workers_of_one_process_pass_items_by_reference():
    items = [(f"key {n}", object()) for n in range(20)]
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource(items))
    flow.stateful_map("same", list, lambda state, value: (state, value))
    flow.output("out", TestingSink(out))
    cluster_main(flow, [], 0, worker_count_per_proc=3)
    assert {key: id(value) for key, value in out} == {key: id(value) for key, value in items}


def test_a_key_belongs_to_one_worker():
    seen = {}

    def note(worker, item):
        seen.setdefault(item[0], set()).add(worker)

    flow = Dataflow()
    flow.input("in", TestingSource([(f"key {n % 20}", n) for n in range(200)]))
    flow.redistribute()
    flow.stateful_map("s", list, lambda state, value: (state, value))
    flow.inspect_worker(note)
    flow.output("out", TestingSink([]))
    cluster_main(flow, [], 0, worker_count_per_proc=3)
    assert {len(workers) for workers in seen.values()} == {1}
    assert set().union(*seen.values()) == {0, 1, 2}


def test_redistribute_uses_all_workers():
    seen = set()
    flow = Dataflow()
    flow.input("in", TestingSource(range(300), batch_size=10))
    flow.redistribute()
    flow.inspect_worker(lambda worker, item: seen.add(worker))
    flow.output("out", TestingSink([]))
    cluster_main(flow, [], 0, worker_count_per_proc=3)
    assert seen == {0, 1, 2}


def test_what_a_key_is_written_to_is_an_index_into_the_sorted_names(tmp_path):
    flow = Dataflow()
    flow.input("in", TestingSource([("2", "two"), ("11", "eleven"), ("14", "again two")]))
    flow.output("out", DirSink(tmp_path, 12, assign_file=int))
    run_main(flow)
    assert (tmp_path / "part_10").read_text() == "two\nagain two\n"
    assert (tmp_path / "part_9").read_text() == "eleven\n"


def test_a_late_item_changes_no_window():
    out = outputs(
        [("a", 0), ("a", 50), ("b", 3), ("a", 4), ("a", 51)],
        lambda flow: flow.collect_window(
            "w",
            EventClockConfig(lambda n: START + n * SECOND, timedelta(0)),
            TumblingWindow(10 * SECOND, START),
        ),
        batch_size=10,
    )
    assert [(key, values) for key, (_, values) in out] == [
        *(("a", [0]), ("a", [50, 51]), ("b", [3])),
    ]
