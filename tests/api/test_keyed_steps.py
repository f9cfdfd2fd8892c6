"""The keyed steps of dataflows against plain-Python models, with random data and restarts.

The system's time is what the events say. `restart` goes on with a new step that knows nothing but
the snapshots, and must not be visible.
"""

from datetime import datetime, timedelta, timezone

import _machida
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from window_model import Config, Model

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
KEYS = st.sampled_from(["a", "b", "B", "é", "\N{GRINNING FACE}", ""])


class Metadata:
    """A window's metadata as a tuple of microseconds."""

    def __init__(self, open_time, close_time):
        assert open_time.tzinfo is close_time.tzinfo is timezone.utc
        self.times = tuple(
            (t - EPOCH) // timedelta(microseconds=1) for t in (open_time, close_time)
        )


@st.composite
def histories(draw, items, idle=("restart", "epoch", "due")):
    """Events with a system time that does not go back, and the end."""
    now, events = draw(st.integers(-40, 40)), []
    for _ in range(draw(st.integers(1, 25))):
        now += draw(st.sampled_from([0, 0, 0, 1, 2, 5, 13]))
        kind = draw(st.sampled_from(["items"] * 4 + list(idle)))
        if kind == "items":
            batch = draw(st.lists(st.tuples(KEYS, items), max_size=6))
            events.append(("items", now, batch))
        elif kind == "due":
            events.append(("due", now))
        else:
            events.append((kind,))
    return [*events, ("eof",), ("restart",)]


def in_order(keys):
    """Returns keys as they come at the end of input."""
    return sorted(keys, key=lambda key: key.encode())


def run(config, events):
    """Returns the outputs of each event, and the number of late items."""
    results, late = _machida.step_trace(config, events)
    return [outputs for outputs, _, _ in results], late, results


# --- stateful_map, reduce, batch


@settings(max_examples=200, deadline=None)
@given(histories(st.integers(0, 5)))
def test_stateful_map_is_a_dict_of_states(events):
    def mapper(state, value):
        state = [*state, value]
        return (None if sum(state) > 7 else state), tuple(state)

    config = {
        "step": "stateful_map",
        "builder": lambda key: [len(key)],
        "builder_takes": "key",
        "mapper": mapper,
    }
    states: dict[str, list[int]] = {}
    expected = []
    for event in events:
        outputs = []
        for key, value in event[2] if event[0] == "items" else []:
            state, output = mapper(states.pop(key, [len(key)]), value)
            if state is not None:
                states[key] = state
            outputs.append((key, output))
        expected.append(outputs)
    outputs, _, results = run(config, events)
    assert outputs == expected
    assert results[-1][2] == len(states)  # what was forgotten takes no room


@settings(max_examples=200, deadline=None)
@given(histories(st.integers(0, 5)))
def test_reduce_gives_what_is_complete(events):
    config = {
        "step": "reduce",
        "reducer": lambda a, v: a + v,
        "is_complete": lambda a: a > 4,
    }
    sums: dict[str, int] = {}
    expected = []
    for event in events:
        outputs = []
        for key, value in event[2] if event[0] == "items" else []:
            sums[key] = sums[key] + value if key in sums else value
            if sums[key] > 4:
                outputs.append((key, sums.pop(key)))
        expected.append(outputs)
    assert run(config, events)[0] == expected


@settings(max_examples=300, deadline=None)
@given(histories(st.integers()), st.integers(0, 4), st.integers(0, 12))
def test_batch_gives_what_is_full_or_has_waited(events, max_size, timeout_us):
    config = {"step": "batch", "max_size": max_size, "timeout_us": timeout_us}
    held: dict[str, tuple[int, list[int]]] = {}  # key: (since when, values)
    expected = []
    for event in events:
        outputs = []
        if event[0] == "items":
            for key, value in event[2]:
                since, values = held.setdefault(key, (event[1], []))
                values.append(value)
                if len(values) >= max_size or event[1] >= since + timeout_us:
                    outputs.append((key, held.pop(key)[1]))
        elif event[0] in ("due", "eof"):
            for key in in_order(held):
                if event[0] == "eof" or held[key][0] + timeout_us <= event[1]:
                    outputs.append((key, held.pop(key)[1]))
        expected.append(outputs)
    outputs, _, results = run(config, events)
    assert outputs == expected
    assert results[-1][1:] == (None, 0)


# --- windows

SMALL = st.integers(1, 12)


@st.composite
def window_configs(draw):
    return Config(
        draw(st.sampled_from(["event", "event", "system"])),
        draw(st.sampled_from(["tumbling", "sliding", "session"])),
        wait_us=draw(st.integers(0, 20)),
        length_us=draw(SMALL),
        offset_us=draw(SMALL),
        align_us=draw(st.integers(-40, 40)),
        gap_us=draw(SMALL),
        idle_keys="forget",
    )


def step_config(config, step):
    """Items are (time in microseconds, number); the windows' outputs are lists of those."""
    return {
        **config.as_dict(),
        "step": step,
        "metadata": Metadata,
        "dt_getter": lambda item: EPOCH + timedelta(microseconds=item[0][0]),
        "reducer": lambda a, b: a + b,
        "builder": list,
        "folder": lambda a, item: a + item,
    }


def numbered(events):
    """Makes each item ((time, number),): what adds up to tuples that tell what is in them."""
    number = 0
    for event in events:
        if event[0] != "items":
            yield event
            continue
        batch = []
        for key, time_us in event[2]:
            batch.append((key, [(time_us, number)]))
            number += 1
        yield ("items", event[1], batch)


def expected_windows(config, events):
    """What the model says: of each event (key, open_us, close_us, numbers), and late items."""
    models: dict[str, Model] = {}
    expected, late = [], 0
    for event in events:
        outputs = []
        if event[0] == "items":
            for key, [(time_us, number)] in event[2]:
                result = models.setdefault(key, Model(config)).item(number, time_us, event[1])
                outputs += [(key, *window) for window in result.closed]
                late += result.late > 0
        elif event[0] in ("due", "eof"):
            for key in in_order(models):
                model = models[key]
                result = model.eof() if event[0] == "eof" else model.notify(event[1])
                outputs += [(key, *window) for window in result.closed]
        expected.append(outputs)
    return expected, late


@pytest.mark.parametrize("step", ["reduce_window", "fold_window", "collect_window"])
@settings(max_examples=400, deadline=None)
@given(config=window_configs(), events=histories(st.integers(-40, 40)))
def test_windows_hold_what_the_model_says(step, config, events):
    events = list(numbered(events))
    expected, expected_late = expected_windows(config, events)
    outputs, late, results = run(step_config(config, step), events)
    assert late == expected_late
    for got, wanted in zip(outputs, expected, strict=True):
        assert [(key, *metadata.times) for key, (metadata, _) in got] == [w[:3] for w in wanted]
        for (_, (_, held)), (*_, numbers) in zip(got, wanted, strict=True):
            if step == "collect_window":
                held = [item for items in held for item in items]
                if config.clock == "event":
                    assert held == sorted(held)  # by time, then as they came
            if config.windows != "session" and step != "collect_window":
                assert [number for _, number in held] == numbers  # as they came
            assert sorted(number for _, number in held) == numbers
    assert results[-1][1:] == (None, 0)


@pytest.mark.parametrize("step", ["reduce_window", "fold_window", "collect_window"])
@settings(max_examples=150, deadline=None)
@given(config=window_configs(), events=histories(st.integers(-40, 40), idle=("due",)))
def test_a_step_is_due_exactly_when_a_window_closes(step, config, events):
    config = step_config(config, step)
    events = list(numbered(events))[:-2]
    results, _ = _machida.step_trace(config, events)
    due_us = results[-1][1]
    if due_us is None:
        return
    now_us = max((event[1] for event in events), default=0)
    if due_us - 1 >= now_us:
        results, _ = _machida.step_trace(config, [*events, ("due", due_us - 1)])
        assert results[-1][0] == []
    results, _ = _machida.step_trace(config, [*events, ("due", max(due_us, now_us))])
    assert results[-1][0] != []


def test_keys_without_an_open_window_take_no_room():
    config = {
        "step": "fold_window",
        **Config("event", "tumbling", length_us=10, idle_keys="forget").as_dict(),
        "dt_getter": lambda item: EPOCH,
        "builder": int,
        "folder": lambda a, item: a + item,
    }
    events = []
    for first in range(0, 100_000, 10_000):
        batch = [(str(number), 1) for number in range(first, first + 10_000)]
        events += [("items", first, batch), ("due", first + 100), ("epoch",)]
    results, _ = _machida.step_trace(config, events)
    for number, (outputs, due_us, keys) in enumerate(results):
        assert keys <= 20_000
        if number % 3 == 1:
            assert len(outputs) == 10_000
            assert due_us is None
