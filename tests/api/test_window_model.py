"""server/window against a slow model of the specification, with random data."""

from dataclasses import dataclass

import _machida
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from window_model import Config, Model

SMALL = st.integers(1, 12)
TIMES = st.integers(-40, 40)
KEYS = st.sampled_from("abc")


@dataclass
class Windows:
    """What a step would hold for one key of the trace: the items of each open window."""

    items: dict[int, list[int]]

    def apply(self, number, closed, merges, windows):
        """Does what an event's outcome says; returns what the closed windows held."""
        emitted = [(opened, end, sorted(self.items.pop(window))) for window, opened, end in closed]
        for source, target in merges:
            self.items[target] += self.items.pop(source)
        for window in windows:
            self.items.setdefault(window, []).append(number)
        return emitted


@st.composite
def configs(draw, align=TIMES, scale=1):
    windows = draw(st.sampled_from(["tumbling", "sliding", "session"]))
    clock = draw(st.sampled_from(["event", "event", "system"]))
    return Config(
        clock,
        windows,
        wait_us=draw(st.integers(0, 20)) * scale,
        length_us=draw(SMALL) * scale,
        offset_us=draw(SMALL) * scale,
        align_us=draw(align),
        gap_us=draw(SMALL) * scale,
        idle_keys=draw(st.sampled_from(["keep", "forget"])),
    )


@st.composite
def histories(draw, times=TIMES, scale=1):
    """Events with a system time that does not go back; numbers of items count on."""
    now, events = draw(times), []
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([0, 0, 0, 1, 2, 5, 13])) * scale
        key = draw(KEYS)
        kind = draw(st.sampled_from(["item"] * 6 + ["notify", "save", "eof"]))
        if kind == "item":
            events.append(("item", key, draw(times), now))
        elif kind == "notify":
            events.append(("notify", key, now))
        else:
            events.append((kind, key))
    return [*events, *(("eof", key) for key in "abc")]


def check(config, events):
    """Runs the events through both and compares what each of them did."""
    trace = _machida.window_trace(config.as_dict(), events)
    models = {key: Model(config) for key in "abc"}
    steps = {key: Windows({}) for key in "abc"}
    now = {}
    for number, (event, got) in enumerate(zip(events, trace, strict=True)):
        kind, key = event[:2]
        model, step = models[key], steps[key]
        if kind == "save":
            continue
        if kind == "item":
            now[key] = event[3]
            placed, closed, merges, windows, late, due = got
            expected = model.item(number, event[2], event[3])
            assert (placed, late) == (expected.placed, expected.late)
            assert windows == sorted(windows) or config.windows == "session"
            emitted = step.apply(number, closed, merges, windows)
        else:
            closed, due = got
            if kind == "notify":
                now[key] = event[2]
                expected = model.notify(event[2])
            else:
                expected = model.eof()
            emitted = step.apply(number, closed, [], [])
        assert emitted == expected.closed
        check_due(model, due, now.get(key))


def check_due(model, due, now):
    """At its due time a key closes something, and a moment before it does not."""
    if not model.windows and not model.sessions:
        assert due is None
        return
    assert due is not None
    assert due <= now or not closes(model, due - 1)
    assert closes(model, max(due, now))


def closes(model, now):
    mark = model.watermark(now)
    ends = [start + model.config.length_us + 1 for start in model.windows]
    ends += [max(session)[0] + model.config.gap_us for session in model.sessions]
    return any(end <= mark for end in ends)


@settings(max_examples=600, deadline=None)
@given(configs(), histories())
def test_windows_are_those_of_the_model(config, events):
    check(config, events)


SECOND = 1_000_000
YEARS = st.integers(-62_135_596_800 * SECOND, 253_402_300_799 * SECOND)  # 1 to 9999


@settings(max_examples=200, deadline=None)
@given(configs(align=YEARS, scale=3_600 * SECOND), histories(times=YEARS, scale=3_600 * SECOND))
def test_windows_are_those_of_the_model_in_all_years(config, events):
    check(config, events)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=40),
    st.integers(1, 12),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
def test_out_of_order_sessions_come_out_as_if_in_order(times, gap, spread, random):
    """With a wait that is long enough, the order of arrival changes no session."""
    config = Config("event", "session", wait_us=1_000, gap_us=gap)
    times = sorted(times * (spread + 1))

    def sessions(order):
        events = [*(("item", "a", t, 0) for t in order), ("eof", "a")]
        return [row[1:] for row in _machida.window_trace(config.as_dict(), events)[-1][0]]

    shuffled = random.sample(times, len(times))
    assert sessions(shuffled) == sessions(times)


@given(st.binary(max_size=60), configs())
def test_a_damaged_state_is_refused_or_works(data, config):
    kind = 1 if config.windows == "session" else 0
    for saved in (data, bytes([1, kind]) + data):
        events = [
            ("restore", "a", saved),
            ("save", "a"),
            ("item", "a", 5, 5),
            ("notify", "a", 2**62),
            ("item", "a", -(2**61), -(2**62)),
            ("save", "a"),
            ("eof", "a"),
        ]
        refused = ""
        try:
            _machida.window_trace(config.as_dict(), events)
        except ValueError as error:
            refused = str(error)
        assert not refused or "the saved state of a window step" in refused


def test_the_examples_of_the_specification():
    start = 1_640_995_200 * SECOND  # 2022-01-01
    config = Config("event", "tumbling", length_us=10 * SECOND, align_us=start)
    times = [start + seconds * SECOND for seconds in (0, 4, 8, 12, 16)]
    events = [*(("item", "ALL", t, 0) for t in times), ("eof", "ALL")]
    trace = _machida.window_trace(config.as_dict(), events)
    assert [row[3] for row in trace[:-1]] == [[0], [0], [0], [1], [1]]
    assert trace[3][1] == [(0, start, start + 10 * SECOND)]
    assert trace[-1] == ([(1, start + 10 * SECOND, start + 20 * SECOND)], None)


def test_a_late_item_is_reported():
    config = Config("event", "sliding", length_us=10, offset_us=5)
    events = [("item", "a", 0, 0), ("item", "a", 12, 0), ("item", "a", 7, 0), ("item", "a", 4, 0)]
    rows = _machida.window_trace(config.as_dict(), events)
    assert [(row[0], row[4]) for row in rows] == [("in", 0), ("in", 0), ("in", 1), ("late", 2)]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (Config("event", "tumbling", length_us=0), "length of a window"),
        (Config("event", "sliding", offset_us=-1), "offset between windows"),
        (Config("event", "sliding", length_us=2**40), "put each item into more than"),
        (Config("event", "session", gap_us=-1), "gap of a session cannot be negative"),
        (Config("event", "tumbling", align_us=2**62), "align_to"),
        (Config("wall", "tumbling"), "clock is"),
    ],
)
def test_wrong_windows_are_refused_with_a_reason(config, reason):
    with pytest.raises(ValueError, match=reason):
        _machida.window_trace(config.as_dict(), [])


def test_a_timestamp_out_of_range_is_reported():
    config = Config("event", "session", gap_us=5)
    rows = _machida.window_trace(config.as_dict(), [("item", "a", 2**62, 0), ("eof", "a")])
    assert rows == [("out of range", [], [], [], 0, None), ([], None)]
