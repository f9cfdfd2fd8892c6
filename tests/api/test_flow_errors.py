"""What a user sees when a function, source or sink of a dataflow fails.

It is their own exception with its traceback, and a note that names step, function and item.
"""

import sys
import traceback
from datetime import UTC, datetime, timedelta

import pytest
from bytewax.dataflow import Dataflow
from bytewax.inputs import (
    DynamicSource,
    FixedPartitionedSource,
    StatefulSourcePartition,
    StatelessSourcePartition,
)
from bytewax.outputs import (
    DynamicSink,
    FixedPartitionedSink,
    StatefulSinkPartition,
    StatelessSinkPartition,
)
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main
from bytewax.window import EventClockConfig, SessionWindow, SystemClockConfig, TumblingWindow

WEEK = timedelta(weeks=1)
CLOCK, SESSION = SystemClockConfig(), SessionWindow(WEEK)
WINDOW = TumblingWindow(WEEK, datetime(2022, 1, 1, tzinfo=UTC))


class OwnError(Exception):
    def __init__(self, code, text):
        super().__init__(code, text)
        self.code = code


def boom(*arguments):
    raise OwnError(7, "no such luck")


def same(*arguments):
    return arguments[-1]


def failure(add_step, items=(("a", 1),), run=run_main):
    """Runs a flow with a step that fails; returns the exception."""
    flow = Dataflow()
    flow.input("in", TestingSource(items))
    add_step(flow)
    flow.output("out", TestingSink([]))
    with pytest.raises(Exception) as raised:
        run(flow)
    return raised.value


def notes(error):
    return "\n".join(getattr(error, "__notes__", []))


RAISING = {
    "`map` mapper": lambda f: f.map("it", boom),
    "`filter` predicate": lambda f: f.filter("it", boom),
    "`filter_map` mapper": lambda f: f.filter_map("it", boom),
    "`flat_map` mapper": lambda f: f.flat_map("it", boom),
    "`stateful_map` builder": lambda f: f.stateful_map("it", lambda: boom(), same),
    "`stateful_map` mapper": lambda f: f.stateful_map("it", list, boom),
    "`reduce` is_complete": lambda f: f.reduce("it", same, boom),
    "`fold_window` builder": lambda f: f.fold_window("it", CLOCK, WINDOW, lambda: boom(), same),
    "`fold_window` folder": lambda f: f.fold_window("it", CLOCK, WINDOW, list, boom),
    "`reduce_window` reducer": lambda f: f.reduce_window("it", CLOCK, WINDOW, boom),
    "`reduce` reducer": lambda f: f.reduce("it", boom, lambda total: False),
    "dt_getter": lambda f: f.collect_window("it", EventClockConfig(boom, WEEK), SESSION),
}


@pytest.mark.parametrize("what", RAISING)
def test_an_exception_comes_out_as_it_was_raised(what):
    error = failure(RAISING[what], [("a", 41), ("a", 42)])
    assert type(error) is OwnError
    assert error.code == 7
    assert error.args == (7, "no such luck")
    frames = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert frames[-1] == "boom"


@pytest.mark.parametrize("what", RAISING)
def test_a_note_names_step_function_and_item(what):
    note = notes(failure(RAISING[what], [("a", 41), ("a", 42)]))
    assert "'it'" in note
    assert what.split()[-1] in note
    assert "test_flow_errors.py:" in note
    assert "41" in note or "42" in note


def test_sessions_are_folded_when_they_close_so_a_note_names_the_key():
    error = failure(lambda flow: flow.fold_window("it", CLOCK, SESSION, list, boom), [("a", 41)])
    assert type(error) is OwnError
    assert "'it'" in notes(error)
    assert "'a'" in notes(error)


@pytest.mark.parametrize("operator", ["inspect", "inspect_epoch", "inspect_worker"])
def test_an_inspector_that_raises_is_named(operator):
    error = failure(lambda flow: getattr(flow, operator)(boom))
    assert type(error) is OwnError
    assert f"error calling `{operator}` inspector" in notes(error)


def test_a_key_error_stays_one():
    error = failure(lambda flow: flow.map("it", lambda item: {}["missing"]))
    assert type(error) is KeyError
    assert error.args == ("missing",)


def test_an_error_inside_a_generator_is_reported_with_its_step():
    def numbers(item):
        yield 1
        boom()

    error = failure(lambda flow: flow.flat_map("it", numbers))
    assert type(error) is OwnError
    assert "'it'" in notes(error)


NO_PAIR = "requires a `(key, value)` 2-tuple as input to every stateful operator for routing; got `"
NO_KEY = "must return string or integer keys in `(key, value)`; got `"
WRONG = {
    "return value of `predicate` in filter operator must be a bool; got `3` instead": (
        lambda f: f.filter("it", lambda item: 3),
        [("a", 1)],
    ),
    "return value of `is_complete` in reduce operator must be a bool; got `None` instead": (
        lambda f: f.reduce("it", same, lambda total: None),
        [("a", 1)],
    ),
    "return value of `mapper` in stateful map operator must be a 2-tuple of "
    "`(updated_state, updated_value)`; got `[1, 2]` instead": (
        lambda f: f.stateful_map("it", list, lambda state, value: [1, 2]),
        [("a", 1)],
    ),
    NO_PAIR + "'text'` instead": (lambda f: f.stateful_map("it", list, same), ["text"]),
    NO_PAIR + "['a', 1]` instead": (lambda f: f.reduce("it", same, bool), [["a", 1]]),
    NO_PAIR + "('a', 1, 2)` instead": (lambda f: f.batch("it", 1, WEEK), [("a", 1, 2)]),
    NO_KEY + "1` instead": (lambda f: f.stateful_map("it", list, same), [(1, 1)]),
    NO_KEY + "None` instead": (lambda f: f.collect_window("it", CLOCK, SESSION), [(None, 1)]),
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_value_is_a_type_error_with_the_known_text(text):
    add_step, items = WRONG[text]
    error = failure(add_step, items)
    assert type(error) is TypeError
    assert text in str(error)
    assert "'it'" in notes(error) or "'it'" in str(error)


@pytest.mark.parametrize("workers", [2, 3])
def test_a_failure_of_one_worker_ends_them_all(workers):
    def run(flow):
        cluster_main(flow, [], 0, worker_count_per_proc=workers)

    error = failure(lambda flow: flow.map("it", boom), run=run)
    assert "no such luck" in str(error) + notes(error)


def test_a_flow_can_be_run_again_after_a_failure():
    failing = True

    def maybe(item):
        if failing:
            boom()
        return item

    out = []
    flow = Dataflow()
    flow.input("in", TestingSource([1, 2]))
    flow.map("maybe", maybe)
    flow.output("out", TestingSink(out))
    with pytest.raises(OwnError):
        run_main(flow)
    failing = False
    del out[:]
    run_main(flow)
    assert out == [1, 2]


class Part(StatefulSourcePartition):
    """A partition that does what it is told, and notes that it was closed."""

    def __init__(self, answer, closed):
        self.answer, self.closed = answer, closed

    def next_batch(self, sched):
        return self.answer()

    def snapshot(self):
        return None

    def close(self):
        self.closed.append(True)


class StatelessPart(StatelessSourcePartition):
    def __init__(self, answer):
        self.answer = answer

    def next_batch(self, sched):
        return self.answer()


class Fixed(FixedPartitionedSource):
    def __init__(self, answer, closed=None):
        self.answer, self.closed = answer, [] if closed is None else closed

    def list_parts(self):
        return ["p"]

    def build_part(self, now, for_part, resume_state):
        return Part(self.answer, self.closed)


class Dynamic(DynamicSource):
    def __init__(self, answer):
        self.answer = answer

    def build(self, now, worker_index, worker_count):
        return StatelessPart(self.answer)


def source_failure(source):
    flow = Dataflow()
    flow.input("in", source)
    flow.output("out", TestingSink([]))
    with pytest.raises(Exception) as raised:
        run_main(flow)
    return raised.value


def test_a_source_that_raises_is_named_with_its_partition_and_closed():
    closed = []
    error = source_failure(Fixed(boom, closed))
    assert type(error) is OwnError
    note = notes(error)
    assert "error calling `StatefulSourcePartition.next_batch`" in note
    assert "in" in note
    assert "p" in note
    assert closed == [True]
    error = source_failure(Dynamic(boom))
    assert "error calling `StatelessSourcePartition.next_batch`" in notes(error)


@pytest.mark.parametrize("answer", [None, 3, "text", {1}, iter([1])])
def test_a_source_must_return_a_list(answer):
    error = source_failure(Fixed(lambda: answer))
    assert type(error) is TypeError
    assert "`next_batch` method of StatefulSourcePartition did not return a `list`" in str(error)


class SinkPart(StatefulSinkPartition):
    write_batch = boom

    def snapshot(self):
        return None


class StatelessSinkPart(StatelessSinkPartition):
    write_batch = boom


class FixedSink(FixedPartitionedSink):
    def list_parts(self):
        return ["p"]

    def build_part(self, for_part, resume_state):
        return SinkPart()


class UnroutedSink(FixedSink):
    part_fn = boom


class EachSink(DynamicSink):
    def build(self, worker_index, worker_count):
        return StatelessSinkPart()


def sink_failure(sink, items=(("a", 1),)):
    flow = Dataflow()
    flow.input("in", TestingSource(items))
    flow.output("out", sink)
    with pytest.raises(Exception) as raised:
        run_main(flow)
    return raised.value


@pytest.mark.parametrize(
    ("sink", "text"),
    [
        (FixedSink(), "error writing output batch"),
        (EachSink(), "error writing output batch"),
        (UnroutedSink(), "error assigning output partition"),
    ],
)
def test_a_sink_that_raises_is_named(sink, text):
    error = sink_failure(sink)
    assert type(error) is OwnError
    assert text in notes(error)
    assert "'out'" in notes(error) or '"out"' in notes(error)


class ClosingSink(DynamicSink):
    """The sink of the worker that `builds` lacks can't be built."""

    def __init__(self, builds, closed):
        self.builds, self.closed = builds, closed

    def build(self, worker_index, worker_count):
        if worker_index not in self.builds:
            boom()
        part = StatelessSinkPart()
        part.close = lambda: self.closed.append(worker_index)
        return part


@pytest.mark.parametrize(("others_builds", "expected"), [([], [0]), ([0], [0, 0, 1])])
def test_a_sink_that_cannot_be_built_ends_the_run_and_others_are_closed(others_builds, expected):
    closed = []
    flow = Dataflow()
    flow.input("in", TestingSource([1]))
    flow.output("out", ClosingSink([0, 1], closed))
    flow.output("other", ClosingSink(others_builds, closed))
    with pytest.raises(OwnError):
        cluster_main(flow, [], 0, worker_count_per_proc=2)
    assert sorted(closed) == expected


@pytest.mark.parametrize("items", [["text"], [(1, "text")], [("a", "b", "c")]])
def test_a_partitioned_sink_takes_pairs_with_text_keys(items):
    assert type(sink_failure(FixedSink(), items)) is TypeError


@pytest.mark.parametrize("code", [7, "no licence"])
def test_sys_exit_in_a_step_keeps_its_status_or_text(code):
    flow = Dataflow()
    flow.input("in", TestingSource([1]))
    flow.map("leave", lambda _: sys.exit(code))
    flow.output("out", TestingSink([]))
    with pytest.raises(SystemExit) as ended:
        run_main(flow)
    assert ended.value.code == code
