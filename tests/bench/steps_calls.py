"""The functions of the steps benchmark, which do nothing, and how a bare C loop is to call them."""

import pickle
import sys

KEYS = 64
RECORDS = list(range(128))


def same(record):
    return record


def keep(record, _state):
    """A state computation."""
    return record, True


def carry(state, value):
    """A mapper of stateful_map."""
    return state, value


def key_for(step):
    """Returns the partition function of the step with this number: each has other keys."""

    def key_of(record):
        return (record + step) % KEYS

    return key_of


def decode(payload):
    return int.from_bytes(payload, "big")


def encode(record):
    return record.to_bytes(4, "big")


def pickled(records):
    return pickle.loads(pickle.dumps(records, 5))  # noqa: S301 - own bytes


class Batches:
    """Gives made batches, again and again."""

    def __init__(self, batches, count):
        self.batches, self.left = batches, count

    def next_batch(self, _sched):
        self.left -= 1
        if self.left < 0:
            raise StopIteration
        return self.batches[self.left % len(self.batches)]


class Nowhere:
    """Drops the items."""

    def write_batch(self, _items):
        pass


BARE = {
    "same": (same, [(record,) for record in RECORDS]),
    "keep": (keep, [(record, None) for record in RECORDS]),
    "carry": (carry, [(None, record) for record in RECORDS]),
    "key": (key_for(1), [(record,) for record in RECORDS]),
    "decode": (decode, [(record.to_bytes(4, "big"),) for record in RECORDS]),
    "encode": (encode, [(record,) for record in RECORDS]),
    "pickled_128": (pickled, [(RECORDS,)]),
    "next_batch": (Batches([[record] for record in RECORDS], sys.maxsize).next_batch, [(None,)]),
    "write_batch": (Nowhere().write_batch, [(RECORDS,)]),
}
