"""When partitions are asked for their positions: user code may commit or acknowledge there."""

from datetime import UTC, datetime, timedelta

import pytest
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.testing import TestingSink, TestingSource, run_main
from flow_threads import run_processes

EACH_BATCH = timedelta(0)


class Committing(FixedPartitionedSink, StatefulSinkPartition):
    """Shows what it got when its snapshot is taken."""

    def __init__(self):
        self.waiting, self.committed = [], []

    def list_parts(self):
        return ["all"]

    def build_part(self, for_part, resume_state):
        return self

    def write_batch(self, values):
        self.waiting += values

    def snapshot(self):
        self.committed.append(self.waiting)
        self.waiting = []
        return lambda: "nothing that pickle knows"


class Acknowledging(FixedPartitionedSource, StatefulSourcePartition):
    """Reads numbers, and acknowledges them when its snapshot is taken."""

    def __init__(self, last):
        self.last, self.number, self.acknowledged = last, 0, []

    def list_parts(self):
        return ["all"]

    def build_part(self, now, for_part, resume_state):
        return self

    def next_batch(self, sched):
        if self.number == self.last:
            raise StopIteration
        self.number += 1
        return [("a", self.number)]

    def snapshot(self):
        self.acknowledged.append(self.number)
        return lambda: "nothing that pickle knows"


def flow_of(source, sink):
    flow = Dataflow()
    flow.input("in", source)
    flow.output("out", sink)
    return flow


def test_a_sink_that_commits_in_its_snapshot_has_all_at_the_end_also_without_recovery():
    sink = Committing()
    run_main(flow_of(TestingSource([("a", 1), ("b", 2), ("a", 3)]), sink))
    assert sink.committed == [[1, 2, 3]]


def test_a_sink_that_commits_in_its_snapshot_does_at_each_epoch_also_without_recovery():
    sink = Committing()
    source = TestingSource([("a", 1), ("b", 2), ("a", 3)], batch_size=2)
    run_main(flow_of(source, sink), epoch_interval=EACH_BATCH)
    assert sink.committed == [[1, 2], [3]]


def test_a_source_acknowledges_in_its_snapshot_also_without_recovery():
    source = Acknowledging(3)
    run_main(flow_of(source, TestingSink([])), epoch_interval=EACH_BATCH)
    assert list(dict.fromkeys(source.acknowledged)) == [1, 2, 3]
    source = Acknowledging(3)
    run_main(flow_of(source, TestingSink([])))
    assert source.acknowledged == [3]


def test_snapshots_are_taken_in_every_process_also_without_recovery():
    source, sink = Acknowledging(5), Committing()
    assert run_processes(flow_of(source, sink)) == [None, None]
    assert source.acknowledged == [5]
    assert sink.committed == [[1, 2, 3, 4, 5]]


def test_an_epoch_ends_while_nothing_comes_also_without_recovery():
    class CommittedError(Exception):
        pass

    class Waiting(Acknowledging):
        def next_batch(self, sched):
            assert self.number == 0, "nothing was committed before the source was asked again"
            return super().next_batch(sched)

        def next_awake(self):
            return datetime.now(UTC) + timedelta(seconds=30) if self.number else None

    class Ending(Committing):
        def snapshot(self):
            raise CommittedError

    with pytest.raises(CommittedError):
        run_main(flow_of(Waiting(9), Ending()), epoch_interval=timedelta(milliseconds=50))
