"""What a key is behind the steps that have a state for each key."""

from datetime import timedelta
from enum import Enum

import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

WEEK = timedelta(weeks=1)


class Color(str, Enum):
    RED = "red"


def same(item):
    return item


def tuple_of_its_own(item):
    return (item[0], item[1])


KEYED = {
    "stateful_map": lambda f: f.stateful_map("keyed", int, lambda state, value: (state, value)),
    "reduce": lambda f: f.reduce("keyed", max, lambda _: True),
    "batch": lambda f: f.batch("keyed", 1, WEEK),
    "batch at the end": lambda f: f.batch("keyed", 10, WEEK),
}


@pytest.mark.parametrize("mapper", [same, tuple_of_its_own])
@pytest.mark.parametrize("add_step", KEYED.values(), ids=KEYED)
def test_behind_a_keyed_step_a_key_is_a_plain_str(add_step, mapper):
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource([(Color.RED, 1)]))
    flow.map("mapped", mapper)
    add_step(flow)
    flow.output("out", TestingSink(out))
    run_main(flow)
    assert [type(key) for key, _ in out] == [str]
