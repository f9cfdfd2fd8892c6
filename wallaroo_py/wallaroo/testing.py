"""Runs an application inside a plain test, in this process, on the real engine, without sockets.

    from wallaroo import testing

    def test_reverse():
        result = testing.run(reverse_app, {"reverse": [b"hello", b"abc"]})
        assert result.output() == [b"olleh\\n", b"cba\\n"]

A Kafka source is fed with the values of its messages, and a Kafka sink gives messages:

    result = testing.run(kafka_app, {"count": [b'{"word": "a"}', None]})  # None: a tombstone
    assert result.output() == [(b'{"word": "a", "count": 1}', b"a", None)]

Needs the engine's extension module `_machida`, which `scripts/build` makes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .application import ApplicationBuilder
from .engine import load_engine
from .errors import WallarooParameterError

__all__ = [
    "ApplicationError",
    "DeadLetter",
    "Feed",
    "Result",
    "frames",
    "items",
    "run",
    "stream",
]

FRAME_BYTES_MAX = 16 * 1024 * 1024
_FAKE_ADDRESSES = 32


@dataclass(frozen=True)
class Feed:
    """What one source reads. Made by `frames`, `stream` and `items`."""

    kind: Literal["frames", "stream", "items"]
    values: list[Any]


Input = Feed | Iterable[bytes | None]


def frames(payloads: Iterable[bytes | None]) -> Feed:
    """Feed the payloads of frames, without headers: one decoder call for each.

    For a Kafka source they are the values of messages, where None is a tombstone. A decoder made by
    `@wallaroo.message_decoder` sees them in partition 0 of the topic, without key, timestamp and
    headers, and with offsets from 0 on; to test it with others, call it like a function.
    Raises TypeError for a payload that is not bytes.
    """
    return Feed("frames", _all_bytes("frames", payloads, none_allowed=True))


def stream(chunks: Iterable[bytes]) -> Feed:
    """Feed the bytes of one connection, headers included, in chunks as they would be read.

    The engine's framing cuts them; a chunk may hold part of a frame or many. Kafka sources take
    none, as their messages are not framed.
    Raises TypeError for a chunk that is not bytes.
    """
    return Feed("stream", _all_bytes("stream", chunks))


def items(data: Iterable[Any]) -> Feed:
    """Feed data as the decoder would have returned it; the decoder is not called."""
    return Feed("items", list(data))


@dataclass(frozen=True)
class DeadLetter:
    """A record that the application's code failed on.

    input: what the failing function was given. error: the exception's last line.
    """

    pipeline: str
    step: str
    error: str
    traceback: str
    input: Any


@dataclass(frozen=True)
class Result:
    """What a run did.

    outputs: pipeline name -> for each of its sinks, in order, what the sink would have written,
    one item per encoder call: bytes for a TCP sink; for a Kafka sink a tuple (value, key,
    partition) of bytes, bytes or None, and int or None (the key's hash would choose); for a storage
    sink, which is not built, the records themselves.
    dead_letters: the records that failed, in order.
    states: state name -> key -> state object; a `to_stateful` state has the one key None.
    unknown_keys: (pipeline, step) -> how many records had a key that is not in the step's list.
    """

    outputs: dict[str, list[list[Any]]]
    dead_letters: list[DeadLetter] = field(default_factory=list)
    states: dict[str, dict[Any, Any]] = field(default_factory=dict)
    unknown_keys: dict[tuple[str, str], int] = field(default_factory=dict)

    def output(self, pipeline: str | None = None, sink: int = 0) -> list[Any]:
        """Return what one sink would have written: bytes, tuples for Kafka, records for a storage.

        pipeline: may be left out when one pipeline has sinks. sink: its index in `to_sinks`.
        Raises LookupError when there is no such pipeline or sink, or the choice is not clear.
        """
        known = f"pipelines with sinks: {sorted(self.outputs)}"
        if pipeline is None:
            if len(self.outputs) != 1:
                raise LookupError(f"name the pipeline: output(pipeline=...); {known}")
            (pipeline,) = self.outputs
        if pipeline not in self.outputs:
            raise LookupError(f"no pipeline {pipeline!r} with a sink; {known}")
        sinks = self.outputs[pipeline]
        if not 0 <= sink < len(sinks):
            raise LookupError(f"pipeline {pipeline!r} has {len(sinks)} sink(s), no index {sink}")
        return sinks[sink]


class ApplicationError(Exception):
    """The application's code failed on a record. The text ends with the first traceback.

    dead_letters: all records that failed. result: everything else that the run did.
    """

    def __init__(self, result: Result) -> None:
        first = result.dead_letters[0]
        super().__init__(
            f"{len(result.dead_letters)} record(s) failed, first in pipeline {first.pipeline!r}, "
            f"step {first.step!r}, with input {first.input!r}: {first.error}\n{first.traceback}"
        )
        self.result = result
        self.dead_letters = result.dead_letters


def run(
    application: Any,
    inputs: Mapping[str, Input] | Iterable[tuple[str, Input]],
    *,
    args: Sequence[str] | None = None,
    on_error: Literal["raise", "keep"] = "raise",
    max_frame_bytes: int = FRAME_BYTES_MAX,
    unknown_keys: Literal["drop", "create"] = "drop",
    workers: int = 1,
) -> Result:
    """Run an application on its inputs, to the end, and return what it did.

    application: an ApplicationBuilder, a topology (list of tuples), `application_setup`, or a
    module that has it.
    inputs: for each pipeline, what its source reads: `frames(...)`, `stream(...)`, `items(...)`, or
    a list of bytes (and None, for Kafka), which means frames. In a list of pairs a pipeline may
    come several times; the order is kept.
    args: what `application_setup` gets, and sys.argv holds meanwhile; by default, addresses enough
    for `--in` and `--out`, and a topic and broker for `--kafka_source_*` and `--kafka_sink_*`.
    on_error: "raise" raises ApplicationError when a record failed, "keep" keeps it as dead letter.
    max_frame_bytes: the largest payload that a frame of a `stream` may have, in bytes.
    unknown_keys: "drop" drops (and counts) a record whose key is not in a step's list, "create"
    makes its state.
    workers: how many workers run it, in this process, an int of 1 or more. Each input of a list of
    pairs is a connection, which goes to one of them, in turn; records go to the worker of their
    key. What a sink got is in the order of each worker, one worker after the other.
    Each run starts with fresh state.

    Raises ApplicationError as said, WallarooParameterError for a mistake in the topology, KeyError
    for a pipeline that the application does not have, TypeError and ValueError for an argument of
    another kind, ValueError for a stream that is no row of frames (one too large, a negative
    length, an end inside a frame), ImportError when the engine is not built.
    """
    _check_choice("on_error", on_error, ("raise", "keep"))
    _check_choice("unknown_keys", unknown_keys, ("drop", "create"))
    if type(max_frame_bytes) is not int or max_frame_bytes < 1:
        raise ValueError(f"max_frame_bytes must be an int of 1 or more, got {max_frame_bytes!r}")
    if type(workers) is not int or workers < 1:
        raise ValueError(f"workers must be an int of 1 or more, got {workers!r}")
    feeds = _feeds(inputs)
    engine = load_engine("wallaroo.testing")
    topology = _topology(application, args)
    _check_feeds(topology, feeds)
    try:
        outcome = engine.run(
            topology,
            feeds,
            {
                "max_frame_bytes": max_frame_bytes,
                "unknown_keys": unknown_keys,
                "workers": workers,
            },
        )
    except engine.PlanError as error:
        raise WallarooParameterError(*error.args[0]) from None
    result = _result(outcome)
    if result.dead_letters and on_error == "raise":
        raise ApplicationError(result)
    return result


def _topology(application: Any, args: Sequence[str] | None) -> list[Any]:
    """Return the list of tuples of whatever stands for the application."""
    if not isinstance(application, (ApplicationBuilder, list)):
        setup = getattr(application, "application_setup", application)
        if not callable(setup):
            raise TypeError(
                "application must be an ApplicationBuilder, a list of tuples, application_setup or "
                f"a module that has it, got {application!r}"
            )
        application = _set_up(setup, _default_args() if args is None else list(args))
    if isinstance(application, ApplicationBuilder):
        application = application.build()
    if not isinstance(application, list):
        raise TypeError(
            f"application_setup must return a list of tuples, got {application!r}: does it end "
            "with `return ab.build()`?"
        )
    return application


def _set_up(setup: Callable[[list[str]], Any], args: list[str]) -> Any:
    """Call application_setup as the server does, with the arguments in sys.argv too."""
    before = sys.argv
    sys.argv = args
    try:
        return setup(args)
    finally:
        sys.argv = before


def _default_args() -> list[str]:
    """Return arguments that give every source and sink an address. Nothing is opened on them."""
    addresses = {"--in": "127.0.0.1:0", "--out": "127.0.0.1:9"}
    args = ["test"]
    for option, address in addresses.items():
        args += [option, ",".join([address] * _FAKE_ADDRESSES)]
    for name in ("kafka_source", "kafka_sink"):
        args += [f"--{name}_topic", "test", f"--{name}_brokers", "127.0.0.1:9"]
    return args


def _feeds(inputs: Any) -> list[tuple[str, str, list[Any]]]:
    pairs = inputs.items() if isinstance(inputs, Mapping) else inputs
    feeds: list[tuple[str, str, list[Any]]] = []
    for pipeline, given in pairs:
        feed = given if isinstance(given, Feed) else frames(given)
        feeds.append((pipeline, feed.kind, feed.values))
    return feeds


def _check_feeds(topology: list[Any], feeds: list[tuple[str, str, list[Any]]]) -> None:
    """Check that each feed has a pipeline whose source can read it."""
    sources = {
        action[1]: action[2] if len(action) > 2 else None
        for action in topology
        if isinstance(action, tuple) and len(action) > 1 and action[0] == "new_pipeline"
    }
    for pipeline, kind, values in feeds:
        if pipeline not in sources:
            known = list(sources)
            raise KeyError(f"the application has no pipeline {pipeline!r}, it has {known}")
        source = sources[pipeline]
        if isinstance(source, tuple) and source[:1] == ("kafka",):
            if kind == "stream":
                raise TypeError(
                    f"pipeline {pipeline!r} has a Kafka source, which reads messages: feed it with "
                    "frames(...) or items(...)"
                )
        elif kind == "frames" and None in values:
            raise TypeError(
                f"frames takes bytes, got None at index {values.index(None)}: pipeline "
                f"{pipeline!r} has no Kafka source, only those have tombstones"
            )


def _all_bytes(
    kind: str, values: Iterable[Any], *, none_allowed: bool = False
) -> list[bytes | None]:
    if isinstance(values, (bytes, bytearray, memoryview, str)):
        raise TypeError(f"{kind} takes a list of bytes, got {type(values).__name__}: put it in []")
    checked: list[bytes | None] = []
    for index, value in enumerate(values):
        if value is None and none_allowed:
            checked.append(None)
        elif not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"{kind} takes bytes, got {value!r} at index {index}")
        else:
            checked.append(bytes(value))
    return checked


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {choices}, got {value!r}")


def _result(outcome: dict[str, Any]) -> Result:
    outputs: dict[str, list[list[Any]]] = {}
    for pipeline, index, written in sorted(outcome["sinks"], key=_sink_index):
        sinks = outputs.setdefault(pipeline, [])
        sinks.extend([] for _ in range(index + 1 - len(sinks)))
        sinks[index] = list(written)
    return Result(
        outputs=outputs,
        dead_letters=[DeadLetter(*letter) for letter in outcome["dead_letters"]],
        states=dict(outcome["states"]),
        unknown_keys=dict(outcome["unknown_keys"]),
    )


def _sink_index(sink: tuple[str, int, list[Any]]) -> int:
    return sink[1]
