"""Sources of both releases as the engine sees them, and the helpers for writing them."""

import queue
import time
from datetime import UTC, datetime, timedelta

import pytest
from bytewax.dataflow import Dataflow
from bytewax.inputs import (
    AbortExecution,
    DynamicSource,
    FixedPartitionedSource,
    SimplePollingSource,
    Source,
    StatefulSourcePartition,
    StatelessSourcePartition,
    batch,
    batch_async,
    batch_getter,
    batch_getter_ex,
)
from bytewax.testing import TestingSink, TestingSource, ffwd_iter, poll_next_batch, run_main
from wallaroo.flows.source_adapter import adapt_source

NOW = datetime(2022, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Part(StatefulSourcePartition):
    def next_batch(self, sched):
        return [sched]

    def snapshot(self):
        return 7


class OldPart(StatefulSourcePartition):
    def next_batch(self):
        return [1]

    def snapshot(self):
        return 7

    def next_awake(self):
        return NOW


def fixed(build, parts=("a", "b")):
    """Makes a FixedPartitionedSource with this build_part."""
    names = {"list_parts": lambda self: parts, "build_part": build}
    return type("Fixed", (FixedPartitionedSource,), names)()


def dynamic(build):
    return type("Dynamic", (DynamicSource,), {"build": build})()


def test_a_source_of_the_specification_gets_now_and_sched():
    adapted = adapt_source(fixed(lambda self, now, for_part, resume_state: Part()))
    assert adapted.kind == "fixed"
    assert adapted.list_parts() == ["a", "b"]
    built = adapted.build_part(NOW, "a", None)
    assert isinstance(built.part, Part)
    assert built.takes_sched
    assert built.next_batch(NOW) == [NOW]
    assert built.next_awake is None
    assert built.snapshot() == 7
    assert built.close() is None


def test_a_source_of_release_0_17_gets_neither():
    given = []

    def build_part(self, for_part, resume_state):
        given.append((for_part, resume_state))
        return OldPart()

    built = adapt_source(fixed(build_part)).build_part(NOW, "a", 3)
    assert given == [("a", 3)]
    assert not built.takes_sched
    assert built.next_batch() == [1]
    assert built.next_awake() == NOW


@pytest.mark.parametrize(
    ("build", "takes_now"),
    [
        (lambda self, now, part, state: OldPart(), True),
        (lambda self, _now, part, state=None: OldPart(), True),
        (lambda self, *args: OldPart(), True),
        (lambda self, part, state: OldPart(), False),
        (lambda self, part, state, extra=None: OldPart(), False),
        (lambda self, part, state, *, extra=None: OldPart(), False),
    ],
)
def test_the_parameters_say_whether_now_is_passed(build, takes_now):
    assert adapt_source(fixed(build))._takes_now is takes_now


def test_a_dynamic_source_is_built_for_each_worker():
    class Stateless(StatelessSourcePartition):
        def next_batch(self, sched=None):
            return []

    new = adapt_source(dynamic(lambda self, now, worker_index, worker_count: Stateless()))
    assert new.kind == "dynamic"
    built = new.build(NOW, 0, 2)
    assert built.takes_sched
    assert built.snapshot is None
    old = adapt_source(dynamic(lambda self, worker_index, worker_count: Stateless()))
    assert old.build(NOW, 0, 2).next_batch() == []


def test_what_is_no_partition_is_refused_with_its_place():
    text = "stateful source partition must subclass `bytewax.inputs.StatefulSourcePartition`; "
    with pytest.raises(TypeError, match=text + "got 3 from Fixed.build_part for partition 'a'"):
        adapt_source(fixed(lambda self, now, part, state: 3)).build_part(NOW, "a", None)
    with pytest.raises(TypeError, match="stateless source partition must subclass"):
        adapt_source(dynamic(lambda self, now, i, n: Part())).build(NOW, 0, 1)
    with pytest.raises(TypeError, match="must subclass"):
        adapt_source(type("Neither", (Source,), {})())


@pytest.mark.parametrize("parts", ["abc", [1], None, 3])
def test_names_of_partitions_must_be_strings(parts):
    with pytest.raises(TypeError, match=r"Fixed.list_parts must return a list of str"):
        adapt_source(fixed(lambda self, now, part, state: Part(), parts)).list_parts()


def test_a_partition_is_listed_once():
    assert adapt_source(fixed(lambda *args: Part(), ("b", "a", "b"))).list_parts() == ["b", "a"]


def test_abstract_methods_must_be_written():
    with pytest.raises(TypeError, match="abstract"):
        type("Unfinished", (FixedPartitionedSource,), {})()


class Ticks(SimplePollingSource):
    def __init__(self, answers, **kwargs):
        super().__init__(interval=10 * SECOND, **kwargs)
        self.answers = iter(answers)

    def next_item(self):
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_polling_source_asks_once_an_interval():
    retry = SimplePollingSource.Retry(3 * SECOND)
    source = adapt_source(Ticks(["a", None, retry, "b"]))
    assert source.list_parts() == ["singleton"]
    part = source.build_part(NOW, "singleton", None)
    assert part.next_awake() == NOW
    assert part.next_batch(NOW) == ["a"]
    assert part.next_awake() == NOW + 10 * SECOND
    assert part.next_batch(NOW + 10 * SECOND) == []
    assert part.next_awake() == NOW + 20 * SECOND
    assert part.next_batch(NOW + 20 * SECOND) == []
    assert part.next_awake() == NOW + 23 * SECOND
    assert part.next_batch(NOW + 23 * SECOND) == ["b"]
    assert part.next_awake() == NOW + 33 * SECOND
    assert part.snapshot() is None
    with pytest.raises(StopIteration):
        part.next_batch(NOW)


@pytest.mark.parametrize(
    ("align_to", "first"),
    [
        (NOW, NOW),
        (NOW - 13 * SECOND, NOW + 7 * SECOND),
        (NOW + 13 * SECOND, NOW + 3 * SECOND),
        (NOW + 100 * SECOND, NOW),
    ],
)
def test_a_polling_source_is_aligned(align_to, first):
    part = adapt_source(Ticks(["a"], align_to=align_to)).build_part(NOW, "singleton", None)
    assert part.next_awake() == first


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"interval": 3}, TypeError),
        ({"interval": timedelta(0)}, ValueError),
        ({"interval": SECOND, "align_to": 3}, TypeError),
        ({"interval": SECOND, "align_to": datetime(2022, 1, 1)}, ValueError),
    ],
)
def test_a_polling_source_refuses_wrong_times(arguments, error):
    cls = type("Poll", (SimplePollingSource,), {"next_item": lambda self: 1})
    with pytest.raises(error, match=r"argument 'interval'|argument 'align_to'"):
        cls(**arguments)


def test_batch_cuts_an_iterable():
    assert list(batch(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batch([], 2)) == []


def answers(*values):
    """Returns a function that returns the values in turn, or raises those that are errors."""
    left = iter(values)

    def getter():
        value = next(left)
        if isinstance(value, Exception):
            raise value
        return value

    return getter


def test_batch_getter_ends_a_list_at_the_sentinel():
    lists = batch_getter(answers(1, 2, 3, None, None, 4), 2)
    assert list(lists) == [[1, 2], [3], [], [4]]
    assert list(batch_getter(answers(1, "no", 2), 5, yield_on="no")) == [[1], [2]]


def test_batch_getter_ex_ends_a_list_at_the_exception():
    empty = queue.Empty()
    assert list(batch_getter_ex(answers(1, 2, 3, empty, empty, 4), 2)) == [[1, 2], [3], [], [4]]
    lists = batch_getter_ex(answers(1, KeyError("k"), 2), 5, yield_ex=KeyError)
    assert list(lists) == [[1], [2]]


@pytest.mark.parametrize("batches", [batch_getter, batch_getter_ex])
def test_an_error_of_a_getter_comes_after_the_items_before_it(batches):
    lists = batches(answers(1, ZeroDivisionError()), 5)
    assert next(lists) == [1]
    with pytest.raises(ZeroDivisionError):
        next(lists)


def test_batch_async_cuts_an_async_iterable():
    async def numbers():
        for number in range(5):
            yield number

    assert list(batch_async(numbers(), 60 * SECOND, 2)) == [[0, 1], [2, 3], [4]]


def test_batch_async_goes_on_with_an_item_that_was_too_slow():
    import asyncio

    async def slow():
        yield 1
        await asyncio.sleep(0.05)
        yield 2

    lists = list(batch_async(slow(), timedelta(milliseconds=5), 10))
    assert [item for chunk in lists for item in chunk] == [1, 2]
    assert [2] in lists


def test_batch_async_raises_after_the_items_before():
    async def failing():
        yield 1
        raise ZeroDivisionError

    lists = batch_async(failing(), 60 * SECOND, 10)
    assert next(lists) == [1]
    with pytest.raises(ZeroDivisionError):
        next(lists)


def read(source, resume_state=None):
    """Reads a TestingSource like one run; returns the batches, how it ended, and the position."""
    part = source.build_part(NOW, "iterable", resume_state)
    batches = []
    while True:
        try:
            batches.append(part.next_batch(NOW))
        except (StopIteration, AbortExecution) as ended:
            return batches, type(ended), part.snapshot()


def test_a_testing_source_ends_at_eof_and_goes_on_behind_it():
    source = TestingSource([1, 2, TestingSource.EOF(), 3, 4], batch_size=3)
    assert read(source) == ([[1, 2]], StopIteration, 3)
    assert read(source, 3) == ([[3, 4]], StopIteration, 5)


def test_a_testing_source_has_not_passed_eof_before_it_ended():
    part = TestingSource([1, TestingSource.EOF()], batch_size=5).build_part(NOW, "iterable", None)
    assert part.next_batch(NOW) == [1]
    assert part.snapshot() == 1


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_a_testing_source_aborts_once(batch_size):
    source = TestingSource([1, 2, TestingSource.ABORT(), 3], batch_size)
    batches, ended, _ = read(source)
    assert [item for chunk in batches for item in chunk] == [1, 2]
    assert ended is AbortExecution
    batches, ended, position = read(source, 1)
    assert [item for chunk in batches for item in chunk] == [2, 3]
    assert (ended, position) == (StopIteration, 4)


def test_a_testing_source_takes_the_classes_of_its_signals_for_items():
    assert read(TestingSource([TestingSource.EOF, 1], 5))[0] == [[TestingSource.EOF, 1]]


def test_ffwd_iter_takes_no_more_than_there_is():
    items = iter("abc")
    ffwd_iter(items, 2)
    assert list(items) == ["c"]
    ffwd_iter(items, 2)


def test_poll_next_batch_waits_for_items():
    class Slow(StatelessSourcePartition):
        calls = 0

        def next_batch(self, sched):
            self.calls += 1
            return ["x"] if self.calls == 3 else []

    assert poll_next_batch(Slow()) == ["x"]
    assert poll_next_batch(OldPart()) == [1]
    never = Slow()
    never.calls = 3
    with pytest.raises(TimeoutError, match=r"no items from Slow\.next_batch within"):
        poll_next_batch(never, timeout=timedelta(milliseconds=20))


def block(item):
    """Returns the item, later than a source may."""
    time.sleep(1.05)
    return item


def slow_sources(capfd):
    """What was said of sources that take long."""
    lines = capfd.readouterr().err.splitlines()
    return [line.partition("step ")[2] for line in lines if "next_batch took" in line]


def test_a_source_that_blocks_is_named_and_those_that_wait_for_others_are_not(capfd):
    class Blocks(StatelessSourcePartition):
        batches = iter([[0]])

        def next_batch(self, sched):
            return block(next(self.batches))

    flow = Dataflow()
    flow.input("before", TestingSource([1, 2]))
    flow.input("blocks", dynamic(lambda self, now, index, count: Blocks()))
    flow.input("slow step", TestingSource([1, 2]))
    flow.map("slow", lambda item: block(item) if item == 1 else item)
    flow.input("after", TestingSource([1, 2]))
    flow.output("out", TestingSink([]))
    run_main(flow)
    said = slow_sources(capfd)
    assert len(said) == 1
    assert said[0].startswith("'blocks': next_batch took 10")
