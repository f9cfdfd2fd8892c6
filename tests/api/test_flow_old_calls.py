"""Calls of release 0.17 that an application makes into the package: it wraps, extends and tests."""

from datetime import timedelta

import pytest
from bytewax.connectors.files import CSVInput, DirInput, FileInput
from bytewax.connectors.periodic import SimplePollingInput
from bytewax.dataflow import Dataflow
from bytewax.inputs import PartitionedInput, StatefulSource
from bytewax.outputs import PartitionedOutput, StatefulSink
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingInput, TestingOutput, poll_next_batch, run_main


class Once(SimplePollingInput):
    def next_item(self):
        return "polled"


@pytest.fixture
def sources(tmp_path):
    """A source of each kind, and its first batch."""
    (tmp_path / "lines").write_text("n\n1\n")
    return [
        (TestingInput(["x"]), ["x"]),
        (FileInput(tmp_path / "lines"), ["n", "1"]),
        (DirInput(tmp_path), ["n", "1"]),
        (CSVInput(tmp_path / "lines"), [{"n": "1"}]),
        (Once(timedelta(hours=1)), ["polled"]),
    ]


def run(source):
    out = []
    flow = Dataflow()
    flow.input("in", source)
    flow.output("out", TestingOutput(out))
    run_main(flow)
    return out


def test_a_part_of_a_source_is_built_without_now(sources):
    for source, first in sources:
        (name,) = source.list_parts()
        assert source.build_part(name, None).next_batch() == first


def test_a_part_is_built_without_now_by_keywords():
    source = TestingInput([1, 2, 3])
    assert source.build_part(for_key="iterable", resume_state=1).next_batch() == [2]
    assert source.build_part(resume_state=2, for_key="iterable").next_batch() == [3]
    assert source.build_part("iterable", resume_state=2).next_batch() == [3]
    with pytest.raises(TypeError, match="resume_state"):
        source.build_part("iterable")


class Firsts(StatefulSource):
    """Each item of another part as `first`, and no more than one batch."""

    def __init__(self, part):
        self._part = part
        self._items = iter([[("first", item) for item in part.next_batch()]])

    def next_batch(self):
        return next(self._items)

    def snapshot(self):
        return self._part.snapshot()


class FirstsInput(PartitionedInput):
    def __init__(self, wrapped):
        self._wrapped = wrapped

    def list_parts(self):
        return self._wrapped.list_parts()

    def build_part(self, for_part, resume_state):
        return Firsts(self._wrapped.build_part(for_part, resume_state))


def test_a_source_wraps_another(sources):
    for source, first in sources:
        assert run(FirstsInput(source)) == [("first", item) for item in first]


def test_a_source_extends_another(sources):
    for source, first in sources:

        class Extended(type(source)):
            def build_part(self, for_part, resume_state):
                return Firsts(super().build_part(for_part, resume_state))

        source.__class__ = Extended
        assert run(source) == [("first", item) for item in first]


def test_a_stateful_sink_needs_no_snapshot(tmp_path):
    written, resumed = [], []

    class NoPosition(StatefulSink):
        def write_batch(self, values):
            written.extend(values)

    class Written(PartitionedOutput):
        def list_parts(self):
            return ["only"]

        def build_part(self, for_part, resume_state):
            resumed.append(resume_state)
            return NoPosition()

    items = [("key", 1)]
    flow = Dataflow()
    flow.input("in", TestingInput(items))
    flow.output("out", Written())
    init_db_dir(tmp_path, 1)
    for _ in range(2):
        run_main(flow, recovery_config=RecoveryConfig(tmp_path))
        items.append(("key", 2))
    assert written == [1, 2]
    assert resumed == [None, None]


def test_poll_next_batch_asks_at_once_whatever_next_awake_says():
    part = Once(timedelta(hours=1)).build_part("singleton", None)
    for _ in range(2):
        assert poll_next_batch(source=part, timeout=timedelta(seconds=9)) == ["polled"]


def test_poll_next_batch_needs_only_next_batch():
    class Fake:
        batches = iter([[], [], ["x"]])

        def next_batch(self):
            return next(self.batches)

    assert poll_next_batch(Fake()) == ["x"]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'part'"):
        poll_next_batch()


def test_a_polling_input_has_an_interval_of_10_ms_or_more():
    with pytest.raises(ValueError, match="must be >= 10ms"):
        Once(timedelta(milliseconds=9))
