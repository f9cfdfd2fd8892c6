"""A slow interpreter of dataflows in plain Python: what the engine should do, with one worker.

It runs the steps of `Dataflow._steps` item by item, on the sources and sinks of the flow, without
system time: the clock stands still, so windows close by event times and at the end of the input,
and batches by size and at the end. Sources are read to their end, in the order of their partitions'
names, one batch each in turns. An epoch ends after `epoch_batches` batches of a partition.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from wallaroo.flows.sink_adapter import adapt_sink
from wallaroo.flows.source_adapter import adapt_source
from wallaroo.flows.window import EventClockConfig, SessionWindow, SlidingWindow, WindowMetadata
from window_model import Config, Model

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def run(flow: Any, *, epoch_batches: int = 1_000_000) -> None:
    """Runs a dataflow to the end of its input."""
    for stream in _streams(flow._steps):
        _Stream(stream, flow._bare_window_output).run(epoch_batches)


def micros(instant: datetime) -> int:
    """Returns microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def _streams(steps: Iterable[tuple]) -> list[list[tuple]]:
    """Cuts the steps where an input begins a new stream."""
    streams: list[list[tuple]] = []
    for step in steps:
        if step[0] == "input":
            streams.append([])
        streams[-1].append(step)
    return streams


class _Stream:
    def __init__(self, steps: list[tuple], bare: bool):
        self.source = adapt_source(steps[0][2])
        self.steps = [STEPS[operator](*rest) for operator, _id, *rest in steps[1:]]
        for step in self.steps:
            step.bare = bare

    def run(self, epoch_batches: int) -> None:
        now = datetime.now(UTC)
        if self.source.kind == "fixed":
            names = sorted(self.source.list_parts())
            parts = [self.source.build_part(now, name, None) for name in names]
        else:
            parts = [self.source.build(now, 0, 1)]
        batches = 0
        live = list(parts)
        while live:
            epoch = 1 + batches // epoch_batches
            for part in list(live):
                try:
                    batch = part.next_batch(*((now,) if part.takes_sched else ()))
                except StopIteration:
                    live.remove(part)
                    continue
                self.push(0, list(batch), epoch)
            batches += 1
        for index, step in enumerate(self.steps):
            self.push(index + 1, step.end(), epoch)
        for closing in [*parts, *self.steps]:
            closing.close()

    def push(self, index: int, items: list, epoch: int) -> None:
        for step in self.steps[index:]:
            if not items:
                return
            step.epoch = epoch
            items = step.run(items)


class Step:
    """A running step. `run` turns items into items, `end` gives what comes at the input's end."""

    epoch = 0
    bare = False

    def run(self, items: list) -> list:
        return [out for item in items for out in self.item(item)]

    def item(self, item: Any) -> Iterable:
        raise NotImplementedError

    def end(self) -> list:
        return []

    def close(self) -> None:
        pass


class Each(Step):
    """Steps without a state."""

    def __init__(self, operator: str, function: Any, item_first: bool = False):
        self.operator, self.function, self.item_first = operator, function, item_first

    def item(self, item):
        function = self.function
        match self.operator:
            case "map":
                return [function(item)]
            case "flat_map":
                return list(function(item))
            case "filter":
                return [item] if function(item) is True else []
            case "filter_map":
                mapped = function(item)
                return [] if mapped is None else [mapped]
            case "inspect":
                function(item)
            case "inspect_epoch":
                function(self.epoch, item)
            case "inspect_worker":
                function(*((item, 0) if self.item_first else (0, item)))
        return [item]


def each(operator):
    return lambda *arguments: Each(operator, *arguments)


class Output(Step):
    def __init__(self, sink: Any):
        self.sink = adapt_sink(sink)
        self.fixed = self.sink.kind == "fixed"
        self.parts = {} if self.fixed else {"": self.sink.build(0, 1)}

    def run(self, items):
        routed: dict[str, list] = {}
        for item in items:
            if not self.fixed:
                routed.setdefault("", []).append(item)
                continue
            names = sorted(self.sink.list_parts())
            key, value = item
            routed.setdefault(names[self.sink.part_fn(key) % len(names)], []).append(value)
        for name in sorted(routed):
            if name not in self.parts:
                self.parts[name] = self.sink.build_part(name, None)
            self.parts[name].write_batch(routed[name])
        return items

    def close(self):
        for part in self.parts.values():
            part.close()


class Keyed(Step):
    """Steps with something for each key; `end` asks the keys in sorted order."""

    def __init__(self):
        self.keys: dict[str, Any] = {}

    def item(self, item):
        key, value = item
        assert isinstance(key, str)
        return [(key, out) for out in self.value(key, value)]

    def end(self):
        return [(key, out) for key in sorted(self.keys) for out in self.end_of(key)]

    def end_of(self, key: str) -> Iterable:
        return []


class StatefulMap(Keyed):
    def __init__(self, builder, mapper, takes_key):
        super().__init__()
        self.builder, self.mapper, self.takes_key = builder, mapper, takes_key

    def value(self, key, value):
        if key not in self.keys:
            self.keys[key] = self.builder(key) if self.takes_key else self.builder()
        state, out = self.mapper(self.keys.pop(key), value)
        if state is not None:
            self.keys[key] = state
        return [out]


class Reduce(Keyed):
    def __init__(self, reducer, is_complete):
        super().__init__()
        self.reducer, self.is_complete = reducer, is_complete

    def value(self, key, value):
        if key in self.keys:
            value = self.reducer(self.keys[key], value)
        self.keys[key] = value
        return [self.keys.pop(key)] if self.is_complete(value) is True else []


class BatchKeys(Keyed):
    def __init__(self, max_size, timeout):
        super().__init__()
        self.max_size = 1 if timeout == timedelta(0) else max(1, max_size)

    def value(self, key, value):
        self.keys.setdefault(key, []).append(value)
        return [self.keys.pop(key)] if len(self.keys[key]) >= self.max_size else []

    def end_of(self, key):
        return [self.keys[key]]


class Windows(Keyed):
    """Keeps all values of a key; what a window holds is computed when it closes."""

    def __init__(self, operator, clock, window, *functions):
        super().__init__()
        self.operator, self.clock, self.functions = operator, clock, functions
        kind = "event" if isinstance(clock, EventClockConfig) else "system"
        wait = clock.wait_for_system_duration if kind == "event" else timedelta(0)
        if isinstance(window, SessionWindow):
            self.config = Config(
                kind, "session", wait // MICROSECOND, gap_us=window.gap // MICROSECOND
            )
        else:
            length = window.length // MICROSECOND
            sliding = isinstance(window, SlidingWindow)
            offset = window.offset // MICROSECOND if sliding else length
            self.config = Config(
                kind, "sliding", wait // MICROSECOND, length, offset, micros(window.align_to)
            )

    def value(self, key, value):
        if key not in self.keys:
            self.keys[key] = (Model(self.config), [])
        model, values = self.keys[key]
        time = micros(self.clock.dt_getter(value)) if self.config.clock == "event" else 0
        values.append((time, value))
        closed = model.item(len(values) - 1, time, 0).closed
        return [self.emit(key, *window, values) for window in closed]

    def end_of(self, key):
        model, values = self.keys[key]
        return [self.emit(key, *window, values) for window in model.eof().closed]

    def emit(self, key, opened, closed, numbers, values):
        if self.operator == "collect_window":
            accumulated = [values[n][1] for n in sorted(numbers, key=lambda n: values[n][0])]
        else:
            inside = [values[n][1] for n in numbers]
            if self.operator == "reduce_window":
                function, accumulated, rest = self.functions[0], inside[0], inside[1:]
            else:
                builder, function, takes_key = self.functions
                accumulated, rest = builder(key) if takes_key else builder(), inside
            for value in rest:
                accumulated = function(accumulated, value)
        if self.bare:
            return accumulated
        times = (EPOCH + opened * MICROSECOND, EPOCH + closed * MICROSECOND)
        return (WindowMetadata(*times), accumulated)


def windows(operator):
    return lambda *arguments: Windows(operator, *arguments)


STEPS = {
    **{
        operator: each(operator)
        for operator in (
            *("map", "filter", "filter_map", "flat_map"),
            *("inspect", "inspect_epoch", "inspect_worker"),
        )
    },
    "redistribute": lambda: Each("redistribute", None),
    "output": Output,
    "batch": BatchKeys,
    "stateful_map": StatefulMap,
    "reduce": Reduce,
    **{op: windows(op) for op in ("reduce_window", "fold_window", "collect_window")},
}
