"""The operators that look at one item at a time, and input and output."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, overload

from .arguments import MISSING, check_function, object_of, one_of, takes_item_first
from .config_ends import sink_of, source_of
from .outputs import Sink
from .sources import Source
from .step_list import StepList

if TYPE_CHECKING:
    Mapper = Callable[[Any], Any]
    FlatMapper = Callable[[Any], Iterable[Any]]
    Predicate = Callable[[Any], bool]


class StatelessOperators(StepList):
    """Methods of Dataflow; see there."""

    __slots__ = ()

    def input(self, step_id: str, source: Source = MISSING, *, input: Source = MISSING) -> None:
        """Read items from a source. A dataflow needs at least one.

        A second input begins a new stream: the steps after it see its items only.

        step_id: names the step, also for recovery. source: see `bytewax.inputs` for how to write
        one, `bytewax.connectors` for those there are; or a `wallaroo.TCPSourceConfig` or
        `KafkaSourceConfig`, whose decoder makes the items. `input=` is its keyword in release 0.17.
        Raises TypeError when it is no Source, ValueError when the id is taken.
        """
        source = one_of("Dataflow.input", "source", source, input)
        if not isinstance(source, Source):
            source = source_of(source, step_id) or source
        if not isinstance(source, Source):
            raise TypeError(
                "argument 'source': source must subclass `bytewax.inputs.Source`; got "
                + object_of(Source, source)
            )
        self._add("input", step_id, source)

    def output(self, step_id: str, sink: Sink = MISSING, *, output: Sink = MISSING) -> None:
        """Write items to a sink. A dataflow needs at least one.

        The items go on unchanged, so there may be steps and outputs after it.

        step_id: names the step, also for recovery. sink: see `bytewax.outputs` for how to write
        one, `bytewax.connectors` for those there are; or a `wallaroo.TCPSinkConfig` or
        `KafkaSinkConfig`, which get what their encoder makes of the items; or a storage sink,
        anything with the members of `wallaroo.IntoSink`, whose `write_batch` gets all items of an
        epoch. `output=` is its keyword in release 0.17.
        Raises TypeError when it is no Sink, ValueError when the id is taken.
        """
        sink = one_of("Dataflow.output", "sink", sink, output)
        if not isinstance(sink, Sink):
            sink = sink_of(sink, step_id) or sink
        if not isinstance(sink, Sink):
            sink = self._storage_output(step_id, sink)
        self._add("output", step_id, sink)

    def _storage_output(self, step_id: str, sink: Any) -> Sink:
        """Return a storage sink as a Sink. Raises TypeError that names what it lacks."""
        from ..storage.recognise import is_meant_as_sink, sink_mistakes  # not for other sinks

        if not is_meant_as_sink(sink):
            raise TypeError(
                "argument 'sink': sink must subclass `bytewax.outputs.Sink`; got "
                + object_of(Sink, sink)
            )
        mistakes = list(sink_mistakes(sink))
        if mistakes:
            raise TypeError(f"argument 'sink': {'; '.join(mistakes)}")
        from .storage import FlowStorages, StorageOutput

        if self._storages is None:
            self._storages = FlowStorages()
        return StorageOutput(sink, step_id, self._storages)

    @overload
    def map(self, step_id: str, mapper: Mapper) -> None: ...
    @overload
    def map(self, step_id: Mapper) -> None: ...
    @overload
    def map(self, *, mapper: Mapper) -> None: ...

    def map(self, step_id: Any = MISSING, mapper: Any = MISSING) -> None:
        """Turn each item into another.

        >>> from bytewax.connectors.stdio import StdOutSink
        >>> from bytewax.testing import run_main, TestingSource
        >>> from bytewax.dataflow import Dataflow
        >>> flow = Dataflow()
        >>> flow.input("inp", TestingSource(range(3)))
        >>> def add_one(item):
        ...     return item + 10
        >>> flow.map("add_one", add_one)
        >>> flow.output("out", StdOutSink())
        >>> run_main(flow)
        10
        11
        12

        step_id: names the step; may be left out. mapper: `mapper(item) -> updated item`.
        Raises TypeError when it is no function, ValueError when the id is taken.
        """
        self._add_function("map", "mapper", step_id, mapper)

    @overload
    def filter(self, step_id: str, predicate: Predicate) -> None: ...
    @overload
    def filter(self, step_id: Predicate) -> None: ...
    @overload
    def filter(self, *, predicate: Predicate) -> None: ...

    def filter(self, step_id: Any = MISSING, predicate: Any = MISSING) -> None:
        """Keep the items for which a predicate returns True.

        >>> from bytewax.testing import TestingSource
        >>> from bytewax.connectors.stdio import StdOutSink
        >>> from bytewax.testing import run_main
        >>> from bytewax.dataflow import Dataflow
        >>>
        >>> flow = Dataflow()
        >>> flow.input("inp", TestingSource(range(4)))
        >>> def is_odd(item):
        ...     return item % 2 != 0
        >>> flow.filter("filter_odd", is_odd)
        >>> flow.output("out", StdOutSink())
        >>> run_main(flow)
        1
        3

        step_id: names the step; may be left out. predicate: `predicate(item) -> bool`; anything
        else that it returns ends the run with a TypeError.
        Raises TypeError when it is no function, ValueError when the id is taken.
        """
        self._add_function("filter", "predicate", step_id, predicate)

    @overload
    def filter_map(self, step_id: str, mapper: Mapper) -> None: ...
    @overload
    def filter_map(self, step_id: Mapper) -> None: ...
    @overload
    def filter_map(self, *, mapper: Mapper) -> None: ...

    def filter_map(self, step_id: Any = MISSING, mapper: Any = MISSING) -> None:
        """Turn each item into another, or drop it.

        >>> from bytewax.dataflow import Dataflow
        >>> flow = Dataflow()
        >>> def validate(data):
        ...     if type(data) != dict or "key" not in data:
        ...         return None
        ...     else:
        ...         return data["key"], data
        ...
        >>> flow.filter_map("validate", validate)

        step_id: names the step; may be left out. mapper: `mapper(item) -> updated item`, or None
        for an item to drop.
        Raises TypeError when it is no function, ValueError when the id is taken.
        """
        self._add_function("filter_map", "mapper", step_id, mapper)

    @overload
    def flat_map(self, step_id: str, mapper: FlatMapper) -> None: ...
    @overload
    def flat_map(self, step_id: FlatMapper) -> None: ...
    @overload
    def flat_map(self, *, mapper: FlatMapper) -> None: ...

    def flat_map(self, step_id: Any = MISSING, mapper: Any = MISSING) -> None:
        """Turn each item into any number of items.

        >>> from bytewax.testing import TestingSource
        >>> from bytewax.connectors.stdio import StdOutSink
        >>> from bytewax.testing import run_main
        >>> from bytewax.dataflow import Dataflow
        >>> flow = Dataflow()
        >>> inp = ["hello world"]
        >>> flow.input("inp", TestingSource(inp))
        >>> def split_into_words(sentence):
        ...     return sentence.split()
        >>> flow.flat_map("split_words", split_into_words)
        >>> flow.output("out", StdOutSink())
        >>> run_main(flow)
        hello
        world

        step_id: names the step; may be left out. mapper: `mapper(item) -> iterable of items`, which
        may be a generator.
        Raises TypeError when it is no function, ValueError when the id is taken.
        """
        self._add_function("flat_map", "mapper", step_id, mapper)

    def inspect(self, inspector: Callable[[Any], object]) -> None:
        """Show each item to a function, and let it pass unchanged.

        >>> from bytewax.testing import TestingSource, TestingSink
        >>> from bytewax.testing import run_main
        >>> from bytewax.dataflow import Dataflow
        >>> flow = Dataflow()
        >>> flow.input("inp", TestingSource(range(3)))
        >>> def log(item):
        ...     print("Saw", item)
        >>> flow.inspect(log)
        >>> out = []
        >>> flow.output("out", TestingSink(out))  # Notice we don't print out.
        >>> run_main(flow)
        Saw 0
        Saw 1
        Saw 2

        inspector: `inspector(item)`; what it returns is not used.
        Raises TypeError when it is no function.
        """
        self._add_without_id("inspect", check_function("inspector", inspector))

    def inspect_epoch(self, inspector: Callable[[int, Any], object]) -> None:
        """Show each item, with its epoch, to a function, and let it pass unchanged.

        >>> from datetime import timedelta
        >>> from bytewax.testing import TestingSource, TestingSink, run_main
        >>> from bytewax.dataflow import Dataflow
        >>> flow = Dataflow()
        >>> flow.input("inp", TestingSource(range(3)))
        >>> def log(epoch, item):
        ...    print(f"Saw {item} @ {epoch}")
        >>> flow.inspect_epoch(log)
        >>> out = []
        >>> flow.output("out", TestingSink(out))  # Notice we don't print out.
        >>> run_main(flow, epoch_interval=timedelta(seconds=0))
        Saw 0 @ 1
        Saw 1 @ 2
        Saw 2 @ 3

        inspector: `inspector(epoch, item)`, the epoch an int from 1 on; what it returns is not
        used. Raises TypeError when it is no function.
        """
        self._add_without_id("inspect_epoch", check_function("inspector", inspector))

    def inspect_worker(self, inspector: Callable[[int, Any], object]) -> None:
        """Show each item, with the index of its worker, to a function, and let it pass unchanged.

        inspector: `inspector(worker, item)`, the worker an int from 0 on; if its first parameter is
        called `item`, `inspector(item, worker)`. What it returns is not used.
        Raises TypeError when it is no function.
        """
        function = check_function("inspector", inspector)
        self._add_without_id("inspect_worker", function, takes_item_first(function))

    def redistribute(self) -> None:
        """Spread the items over all workers, evenly at random.

        Items change workers only where they must: before a stateful step and a partitioned sink,
        by key. When a source or a few keys put most items onto few workers, and what comes next is
        expensive (much computing, waiting for a network), this lets all workers share it. Handing
        an item over costs too, so it makes cheap steps slower: measure. Items stay where they are
        put until a step moves them by key.
        """
        self._add_without_id("redistribute")
