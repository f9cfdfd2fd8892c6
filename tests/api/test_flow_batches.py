"""What next_batch of a dataflow's source may return, and what happens to it."""

import array
import collections

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


class Indexed:
    def __getitem__(self, index):
        return range(3)[index]


class Failing(Indexed):
    def __getitem__(self, index):
        raise KeyError("no such item")


@pytest.mark.parametrize(
    ("batch", "items"),
    [
        (range(3), [0, 1, 2]),
        (collections.deque([1, 2]), [1, 2]),
        (array.array("i", [1, 2]), [1, 2]),
        (b"ab", [97, 98]),
        (bytearray(b"ab"), [97, 98]),
        (collections.UserList([1, 2]), [1, 2]),
        (collections.namedtuple("Pair", "one other")(1, 2), [1, 2]),
        (Indexed(), [0, 1, 2]),
        (range(3000), list(range(3000))),
        (range(0), []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_batch_is_any_sequence(batch, items):
    assert run(batch) == items


@pytest.mark.parametrize(
    "batch", ["ab", {1: 2}, {1, 2}, iter([1]), None, 7], ids=lambda value: type(value).__name__
)
def test_what_is_no_sequence_is_no_batch(batch):
    with pytest.raises(TypeError, match="did not return a `list`; got .* from step 'in'"):
        run(batch)


def test_an_error_of_a_sequence_comes_out_as_it_is():
    with pytest.raises(KeyError, match="no such item") as raised:
        run(Failing())
    assert "StatefulSourcePartition.next_batch" in raised.value.__notes__[0]
