"""Dataflows that go on where they were: times, and a flow of one input."""

from datetime import UTC, datetime, timedelta

from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource

EACH_BATCH = timedelta(0)
WEEK = timedelta(weeks=1)
START = datetime(2022, 1, 1, tzinfo=UTC)
EOF, ABORT = TestingSource.EOF, TestingSource.ABORT


def total(state, value):
    return state + value, state + value


def summed(flow):
    flow.stateful_map("sum", int, total)


def flow_of(items, *add_steps, batch_size=1):
    """Makes a flow, and the list of what comes out of it; without steps, of sums by key."""
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource(items, batch_size))
    for add_step in add_steps or [summed]:
        add_step(flow)
    flow.output("out", TestingSink(out))
    return flow, out
