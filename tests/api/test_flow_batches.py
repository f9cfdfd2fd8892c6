"""What next_batch of a dataflow's source may return, and what happens to it."""

import pytest
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.testing import TestingSink, run_main


class Once(FixedPartitionedSource):
    """Has one batch, the very object."""

    def __init__(self, batch):
        self.batches = [batch]

    def list_parts(self):
        return ["part"]

    def build_part(self, now, for_part, resume_state):
        return OncePart(self.batches)


class OncePart(StatefulSourcePartition):
    def __init__(self, batches):
        self.batches = batches

    def next_batch(self, sched):
        if not self.batches:
            raise StopIteration
        return self.batches.pop()

    def snapshot(self):
        return None


def run(batch, mapper=lambda item: item):
    out = []
    flow = Dataflow()
    flow.input("in", Once(batch))
    flow.map("map", mapper)
    flow.output("out", TestingSink(out))
    run_main(flow)
    return out


@pytest.mark.parametrize("change", [list.clear, lambda items: items.append(-1)])
@pytest.mark.parametrize("size", [3, 5000])
def test_a_step_that_changes_a_sources_list_changes_no_batch(change, size):
    items = list(range(size))

    def mapper(item):
        change(items)
        return item

    assert run(items, mapper) == list(range(size))
    assert items != list(range(size))
