"""Storage sinks are recognised by their members; what a near miss lacks is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, get_type_hints

import loom.core.async_bridge
import loom.streaming.core._message
import loom.streaming.nodes
import loom.streaming.nodes._sink
import pytest
import wallaroo
from api_samples import SINK, builder, split
from wallaroo import testing
from wallaroo.storage import recognise

EventT = TypeVar("EventT")


class MongoPartition:
    def __init__(self, url: str, collection: str) -> None:
        self.place = (url, collection)

    def write_batch(self, items: Sequence[Any]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class IntoMongo(Generic[EventT]):
    payload: type[EventT]
    collection: str
    name: str = ""
    router_branch_safe: ClassVar[bool] = True

    def build_partition(
        self,
        config,
        worker_index,
        worker_count,
        bridge=None,
        session_manager=None,
    ):
        return MongoPartition(url=config["url"], collection=self.collection)


class IntoNamedTuple(NamedTuple):
    payload: type
    name: str = ""
    router_branch_safe: bool = True

    def build_partition(
        self, config, worker_index, worker_count, bridge=None, session_manager=None
    ):
        return MongoPartition(url=config["url"], collection="c")


class IntoWithToTuple(IntoMongo[EventT]):
    def to_tuple(self):
        return (self.payload, self.collection)


def test_names_of_the_specification_are_those_of_wallaroo() -> None:
    assert loom.streaming.nodes.IntoSink is wallaroo.IntoSink
    assert loom.streaming.nodes._sink.SinkPartition is wallaroo.SinkPartition
    assert loom.core.async_bridge.AsyncBridge is wallaroo.AsyncBridge
    assert loom.streaming.nodes.IntoTable is wallaroo.IntoTable
    assert loom.streaming.core._message.StreamPayload is object


def test_protocols_are_generic_and_checked_by_structure() -> None:
    assert isinstance(IntoMongo(str, "c"), wallaroo.IntoSink)
    assert not isinstance(object(), wallaroo.IntoSink)
    assert wallaroo.IntoSink[str].__args__ == (str,)
    assert wallaroo.SinkPartition[str].__args__ == (str,)
    with pytest.raises(TypeError):
        isinstance(MongoPartition("u", "c"), wallaroo.SinkPartition)  # as in the specification
    assert "payload" in get_type_hints(IntoMongo)


@pytest.mark.parametrize(
    "sink",
    [
        IntoMongo(str, "c"),
        IntoMongo[str](str, "c"),
        IntoMongo(list[int], "c", name="x"),
        IntoMongo(int | str, "c"),
        IntoMongo(Any, "c"),
        IntoNamedTuple(str),
        IntoWithToTuple(str, "c"),
    ],
)
def test_examples_are_recognised(sink: Any) -> None:
    assert recognise.is_meant_as_sink(sink)
    assert list(recognise.sink_mistakes(sink)) == []
    assert builder().to_sink(sink).build()[-1] == ("to_sink", ("storage", sink))


def sink_with(**members: Any) -> Any:
    """Returns an object with the members of a sink, changed; None leaves one out."""

    def build_partition(config, worker_index, worker_count, bridge=None, session_manager=None): ...

    whole = {"payload": str, "name": "", "router_branch_safe": True}
    whole |= {"build_partition": build_partition, **members}
    return type(
        "Made",
        (),
        {
            x: staticmethod(y) if callable(y) and x == "build_partition" else y
            for x, y in whole.items()
            if y is not MISSING
        },
    )()


MISSING = object()


async def async_build(config, worker_index, worker_count, bridge=None, session_manager=None): ...


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"payload": MISSING}, "has name, router_branch_safe, build_partition but lacks payload"),
        ({"name": MISSING}, "lacks name"),
        ({"router_branch_safe": MISSING}, "lacks router_branch_safe"),
        ({"build_partition": MISSING}, "lacks build_partition"),
        ({"name": MISSING, "payload": MISSING}, "lacks payload, name"),
        ({"payload": "Order"}, "payload must be a type, got 'Order'"),
        ({"name": None}, "name must be a str, got None"),
        ({"router_branch_safe": 1}, "router_branch_safe must be a bool, got 1"),
        ({"build_partition": lambda config: 0}, "can't be called: too many positional arguments"),
        (
            {"build_partition": lambda config, index, count, bridge=None: 0},
            "can't be called: got an unexpected keyword argument 'session_manager'",
        ),
        (
            {"build_partition": lambda config, i, n, bridge, session_manager, more: 0},
            "missing a required argument: 'more'",
        ),
        ({"build_partition": async_build}, "it is async; use the bridge"),
        ({"build_partition": 3}, "can't be called: it is 3"),
    ],
)
def test_what_a_near_miss_lacks_is_named_with_its_place(members: Any, text: str) -> None:
    with pytest.raises(wallaroo.WallarooParameterError) as caught:
        builder().to_sink(sink_with(**members)).build()
    (mistake,) = caught.value.mistakes
    assert text in mistake
    assert "pipeline 'main', to_sink(), " in mistake
    assert "test_storage.py:" in mistake


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("async def write_batch(self, items): ...", "it is async; use the bridge"),
        ("def write_batch(self, items): yield", "it is a generator, which a call does not run"),
        ("async def write_batch(self, items): yield", "it is a generator"),
    ],
)
def test_write_batch_that_a_call_would_not_run_is_refused(body: str, text: str) -> None:
    names: dict[str, Any] = {}
    exec(f"class Lazy:\n    {body}\n    def close(self): ...", names)
    (mistake,) = recognise.partition_mistakes(names["Lazy"]())
    assert f"its write_batch(items) can't be called: {text}" in mistake


def test_class_in_place_of_an_object_is_told() -> None:
    with pytest.raises(wallaroo.WallarooParameterError, match="is a class: give an object of it"):
        builder().to_sink(IntoMongo).build()


def test_what_is_nothing_like_a_sink_hears_of_all_kinds() -> None:
    with pytest.raises(wallaroo.WallarooParameterError, match="nor a storage sink with payload"):
        builder().to_sink(object()).build()


def test_testing_gives_the_records_of_a_storage_sink() -> None:
    ab = builder().to(split).to_sinks([IntoMongo(str, "c"), SINK])
    result = testing.run(ab, {"main": [b"a b"]})
    assert result.output(sink=0) == ["a", "b"]
    assert result.output(sink=1) == [b"a\n", b"b\n"]


@pytest.mark.parametrize("sink", [IntoNamedTuple(str), IntoWithToTuple(str, "c")])
def test_sink_that_is_a_tuple_or_has_a_method_to_tuple_is_a_storage_sink(sink: Any) -> None:
    result = testing.run(builder().to(split).to_sink(sink), {"main": [b"a b"]})
    assert result.output() == ["a", "b"]


def test_testing_runs_routers() -> None:
    ab = builder().to_router(
        {"a": (lambda x: x == "a", IntoMongo(str, "a")), "any": (lambda x: x != "c", SINK)}
    )
    result = testing.run(ab, {"main": [b"a", b"b", b"c"]}, on_error="keep")
    assert result.output(sink=0) == ["a"]
    assert result.output(sink=1) == [b"b\n"]
    ((letter),) = result.dead_letters
    assert (letter.step, letter.input) == ("router", "c")


@pytest.mark.parametrize(
    ("branches", "text"),
    [
        ({}, r"to_router\(\) takes a dict"),
        ([("a", SINK)], r"to_router\(\) takes a dict"),
        ({"a": SINK}, r"The branch 'a' must be a pair \(predicate, sink\)"),
        ({1: (bool, SINK)}, "name must be a non-empty str, got 1"),
        ({"a": (3, SINK)}, "its predicate must be callable, got 3"),
        ({"a": (lambda: 0, SINK)}, "must take one argument"),
        ({"a": (bool, 3)}, "3 is not a TCPSinkConfig"),
        ({"a": (bool, sink_with(router_branch_safe=False))}, "router_branch_safe = False"),
    ],
)
def test_mistakes_of_a_router_are_told(branches: Any, text: str) -> None:
    with pytest.raises(wallaroo.WallarooParameterError, match=text):
        builder().to_router(branches).build()
