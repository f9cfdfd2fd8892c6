"""`ApplicationBuilder.to_window`: windows in a Wallaroo pipeline."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import wallaroo
from api_samples import SINK, SOURCE, builder
from hypothesis import given, settings
from hypothesis import strategies as st
from wallaroo import testing

START = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CLOCK = wallaroo.EventClockConfig(lambda item: START + MINUTE * item[1], 600 * MINUTE)
EXACT = wallaroo.EventClockConfig(lambda item: START + MINUTE * item[1], timedelta(0))
HOURS = wallaroo.TumblingWindow(length=60 * MINUTE, align_to=START)


@wallaroo.partition
def by_key(item):
    return item[0]


@wallaroo.partition
def by_minute(item):
    return item[1]


@wallaroo.partition
def by_text(text):
    return text.partition(" ")[0]


@wallaroo.computation(name="show")
def show(closed):
    key, (metadata, result) = closed
    return f"{key} {(metadata.open_time - START) // MINUTE} {result}"


def minutes(total, item):
    return total + item[1]


def app(*args, clock=CLOCK, windows=HOURS, partition=by_key, **kwargs):
    windowed = builder().to_window("hours", clock, windows, partition, *args, **kwargs)
    return windowed.to(show).to_sink(SINK)


def lines(application, items, **kwargs):
    result = testing.run(application, [("main", testing.items(items))], **kwargs)
    return [line.decode().rstrip("\n") for line in result.output()]


def test_a_fold_gives_its_result_with_key_and_times_when_the_window_closes():
    items = [("a", 1), ("b", 2), ("a", 59), ("a", 60)]
    assert sorted(lines(app(int, minutes), items)) == ["a 0 60", "a 60 60", "b 0 2"]


def test_a_builder_that_needs_an_argument_gets_the_key():
    items = [("a", 1), ("b", 2)]
    assert lines(app(lambda key: [key], lambda held, item: [*held, item[1]]), items) == [
        "a 0 ['a', 1]",
        "b 0 ['b', 2]",
    ]


def test_a_reducer_begins_with_the_first_record():
    items = [("a", 1), ("a", 5), ("a", 3)]
    assert lines(app(reducer=max), items) == ["a 0 ('a', 5)"]


def test_without_a_function_the_records_are_collected_in_the_order_of_their_times():
    assert lines(app(), [("a", 2), ("a", 1)]) == ["a 0 [('a', 1), ('a', 2)]"]


def test_sessions_and_the_system_clock_work_too():
    windows = wallaroo.SessionWindow(gap=10 * MINUTE)
    items = [("a", 1), ("a", 5), ("a", 30)]
    assert lines(app(int, minutes, windows=windows), items) == ["a 1 6", "a 30 30"]
    clock = wallaroo.SystemClockConfig()
    counts = lines(app(lambda: 0, lambda n, _: n + 1, clock=clock), [("a", 0)] * 3)
    assert sum(int(line.split()[2]) for line in counts) == 3


def test_a_window_closes_when_a_record_moves_the_watermark_past_it():
    application = app(int, minutes, clock=EXACT)
    items = [("a", 1), ("a", 61), ("a", 2), ("a", 62)]
    assert lines(application, items) == ["a 0 1", "a 60 123"], "the late one is left out"


def test_steps_behind_a_window_and_a_second_window_get_its_results():
    @wallaroo.partition
    def all_together(closed):
        return "all"

    twice = builder().to_window("hours", CLOCK, HOURS, by_key, int, minutes)
    clock = wallaroo.EventClockConfig(lambda closed: closed[1][0].open_time, 600 * MINUTE)
    twice.to_window("sum", clock, HOURS, all_together, int, lambda n, closed: n + closed[1][1])
    application = twice.to(show).to_sink(SINK)
    items = [(f"key{n}", n % 50) for n in range(200)]
    for workers in (1, 3):
        assert lines(application, items, workers=workers) == [
            f"all 0 {sum(n % 50 for n in range(200))}"
        ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 500)), max_size=20),
        max_size=5,
    ),
    st.integers(2, 4),
)
def test_several_workers_do_what_one_does(connections, workers):
    feeds = [("main", testing.items(connection)) for connection in connections]
    wanted: Counter[tuple[str, int]] = Counter()
    for connection in connections:
        for key, minute in connection:
            wanted[key, minute // 60 * 60] += 1
    application = app(lambda: 0, lambda n, _: n + 1)
    for count in (1, workers):
        got = testing.run(application, feeds, workers=count).output()
        assert sorted(got) == sorted(f"{k} {m} {n}\n".encode() for (k, m), n in wanted.items())


def test_what_user_code_fails_on_is_a_dead_letter_with_its_place():
    def folder(total, item):
        return total + Decimal(item[2])

    clock = wallaroo.EventClockConfig(lambda item: item[1], timedelta(0))
    items = [("a", START, "1"), ("a", START, "x"), ("a", "late", "1"), (7, START, "1"), 5]
    result = testing.run(
        app(Decimal, folder, clock=clock), [("main", testing.items(items))], on_error="keep"
    )
    letters = [(letter.pipeline, letter.step, letter.input) for letter in result.dead_letters]
    assert letters == [
        ("main", "hours", (7, START, "1")),
        ("main", "hours", 5),
        ("main", "hours", ("a", items[1])),
        ("main", "hours", ("a", items[2])),
    ]
    errors = [letter.error for letter in result.dead_letters]
    assert "the key of a window must be a str, got int: 7" in errors[0]
    assert "not subscriptable" in errors[1]
    assert "ConversionSyntax" in errors[2]
    assert "must be a datetime" in errors[3]


def wrong(application):
    with pytest.raises(wallaroo.WallarooParameterError) as caught:
        application.build()
    return caught.value.mistakes


def test_all_mistakes_are_told_at_once_with_their_place():
    application = wallaroo.ApplicationBuilder("app").new_pipeline("main", SOURCE)
    application.to_window("", "clock", HOURS, print, list)
    application.to_window("w", CLOCK, "windows", by_key, int, 5, reducer=max)
    application.to_window("w", CLOCK, HOURS, by_key, lambda a, b: 0, minutes)
    application.to_sink(SINK)
    mistakes = wrong(application)
    expected = [
        "missing partition method",
        "name must be a non-empty str, got ''",
        "cannot be converted to 'ClockConfig'",
        "there is no folder",
        "cannot be converted to 'WindowConfig'",
        "builder and folder, or reducer",
        "'w' is defined more than once",
        "needs 2 arguments",
    ]
    for part in expected:
        assert any(part in mistake for mistake in mistakes), (part, mistakes)
    assert len(mistakes) == len(expected)
    assert all("to_window(" in m and "test_to_window.py:" in m for m in mistakes)


def test_the_name_of_a_state_is_refused():
    application = builder().to_window("hours", CLOCK, HOURS, by_key)
    application.to_sink(SINK).new_pipeline("other", SOURCE)
    application.to_window("hours", CLOCK, HOURS, by_key).done()
    with pytest.raises(wallaroo.WallarooParameterError, match="'other', step 'hours': another"):
        testing.run(application, [])


def test_a_step_after_the_sink_is_refused():
    application = app().to_window("more", CLOCK, HOURS, by_key)
    assert "after a sink" in wrong(application)[0]
