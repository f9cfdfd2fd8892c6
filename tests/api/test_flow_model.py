"""The engine against the slow interpreter of flow_model.py, with random dataflows.

Items are `(key, int)` between all steps. The ints are hours of event time too; bounds of windows
and waiting times lie between whole hours, so that the time that a run takes changes nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import flow_model
import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main
from bytewax.window import EventClockConfig, SessionWindow, SlidingWindow, TumblingWindow
from hypothesis import given, settings
from hypothesis import strategies as st

HOUR = timedelta(hours=1)
HALF = timedelta(minutes=30)
QUARTER = timedelta(minutes=15)
START = datetime(2022, 1, 1, tzinfo=UTC)
LONG = timedelta(days=1000)

ITEMS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "ä"]), st.integers(-30, 30)), max_size=60
)


def time_of(value):
    return START + value * HOUR


def scramble(total, value):
    return (total * 3 + value) % 101


def digest(values):
    return sum(place * value for place, value in enumerate(values, 1)) % 1009


def keep_sum(state, value):
    state += value
    return (None if state % 7 == 0 else state), state


def to_number(item):
    """Turns what a window or a batch emitted back into an int."""
    key, held = item
    if isinstance(held, tuple):
        metadata, held = held
        held = [metadata.open_time.hour, metadata.close_time.hour] + (
            held if isinstance(held, list) else [held]
        )
    return key, digest(held) if isinstance(held, list) else held


STATELESS = {
    "map": lambda f, i: f.map(i, lambda kv: (kv[0], kv[1] + 1)),
    "filter": lambda f, i: f.filter(i, lambda kv: kv[1] % 3 != 0),
    "filter_map": lambda f, i: f.filter_map(i, lambda kv: kv if kv[1] % 4 else None),
    "flat_map": lambda f, i: f.flat_map(i, lambda kv: [kv] * (kv[1] % 3)),
    "generator": lambda f, i: f.flat_map(i, lambda kv: ((kv[0], n) for n in range(kv[1] % 3))),
    "inspect": lambda f, i: f.inspect(lambda kv: None),
    "redistribute": lambda f, i: f.redistribute(),
}


@st.composite
def windows(draw):
    """Returns the methods' arguments clock and window."""
    wait = draw(st.sampled_from([timedelta(0), QUARTER, 5 * HOUR + QUARTER]))
    length = draw(st.integers(1, 9)) * HOUR
    align_to = START + draw(st.integers(-50, 50)) * HOUR + HALF
    window = draw(
        st.sampled_from(
            [
                TumblingWindow(length, align_to),
                SlidingWindow(length, min(length, draw(st.integers(1, 9)) * HOUR), align_to),
                SessionWindow(length + HALF),
            ]
        )
    )
    return EventClockConfig(time_of, wait), window


@st.composite
def keyed_steps(draw):
    """Returns a function (flow, step id) that adds a keyed step and brings back `(key, int)`."""
    kind = draw(st.sampled_from(["stateful_map", "reduce", "batch", "fold", "reduced", "collect"]))
    size = draw(st.integers(0, 5))
    timeout = draw(st.sampled_from([LONG, LONG, timedelta(0)]))
    clock, window = draw(windows())
    # Two accumulators of sessions that become one are summed up by the model in the order of the
    # values, by the engine session by session: the result is the same for a sum.
    reducer = int.__add__ if isinstance(window, SessionWindow) else scramble

    def add(flow, step_id):
        match kind:
            case "stateful_map":
                flow.stateful_map(step_id, int, keep_sum)
            case "reduce":
                flow.reduce(step_id, scramble, lambda total: total % 5 == 0)
            case "batch":
                flow.batch(step_id, size, timeout)
            case "fold":
                flow.fold_window(step_id, clock, window, lambda key: ord(key), int.__add__)
            case "reduced":
                flow.reduce_window(step_id, clock, window, reducer)
            case "collect":
                flow.collect_window(step_id, clock, window)
        flow.map(f"{step_id} as int", to_number)

    return add


@dataclass
class Stream:
    """One input and what is behind it; a str is a stateless step."""

    items: list
    batch_size: int
    steps: list

    def add_to(self, flow, number):
        """Adds the stream to a flow, with an output behind each step; returns their lists."""
        flow.input(f"in {number}", TestingSource(self.items, self.batch_size))
        outs = []
        for place, step in enumerate(self.steps):
            step_id = f"step {number}.{place}"
            if isinstance(step, str):
                STATELESS[step](flow, step_id)
            else:
                step(flow, step_id)
            outs.append([])
            flow.output(f"out {number}.{place}", TestingSink(outs[-1]))
        return outs


def streams(*kinds):
    steps = st.lists(st.one_of(*kinds), min_size=1, max_size=5)
    return st.builds(Stream, ITEMS, st.sampled_from([1, 2, 7, 100]), steps)


ANY = streams(st.sampled_from(sorted(STATELESS)), keyed_steps())


def outputs(run, streams, **settings):
    """Runs the streams as one flow; returns what each output got."""
    flow = Dataflow()
    outs = [out for number, each in enumerate(streams) for out in each.add_to(flow, number)]
    flow.bare_window_output = settings.pop("bare", False)
    run(flow, **settings)
    return outs


@settings(max_examples=300, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=2), st.booleans())
def test_one_worker_does_what_the_model_does(streams, bare):
    expected = outputs(flow_model.run, streams, bare=bare)
    assert outputs(run_main, streams, bare=bare) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=2))
def test_epochs_change_nothing(streams):
    expected = outputs(flow_model.run, streams)
    assert outputs(run_main, streams, epoch_interval=timedelta(0)) == expected


@settings(max_examples=50, deadline=None)
@given(ITEMS, st.integers(1, 9))
def test_each_batch_is_an_epoch_if_the_interval_is_zero(items, batch_size):
    def seen(run, **settings):
        flow = Dataflow()
        found = []
        flow.input("in", TestingSource(items, batch_size))
        flow.inspect_epoch(lambda epoch, item: found.append((epoch, item)))
        flow.output("out", TestingSink([]))
        run(flow, **settings)
        return found

    assert seen(run_main, epoch_interval=timedelta(0)) == seen(flow_model.run, epoch_batches=1)


def by_key(out):
    """Returns the values of each key in their order; keys may change places between workers."""
    values = {}
    for key, value in out:
        values.setdefault(key, []).append(value)
    return values


ORDERED = streams(st.sampled_from(sorted(set(STATELESS) - {"redistribute"})), keyed_steps())


@pytest.mark.parametrize("workers", [2, 3])
@settings(max_examples=60, deadline=None)
@given(streams=st.lists(ORDERED, min_size=1, max_size=2))
def test_several_workers_do_the_same_for_each_key(workers, streams):
    expected = outputs(flow_model.run, streams)
    got = outputs(lambda flow: cluster_main(flow, [], 0, worker_count_per_proc=workers), streams)
    assert [by_key(out) for out in got] == [by_key(out) for out in expected]


SPREAD = streams(st.sampled_from(sorted(STATELESS)))


@settings(max_examples=40, deadline=None)
@given(streams=st.lists(SPREAD, min_size=1, max_size=2))
def test_redistributed_items_all_arrive_once(streams):
    expected = outputs(flow_model.run, streams)
    got = outputs(lambda flow: cluster_main(flow, [], 0, worker_count_per_proc=3), streams)
    assert [sorted(out) for out in got] == [sorted(out) for out in expected]
