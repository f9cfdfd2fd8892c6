"""The decorators that turn a user's function into a part of an application."""

from __future__ import annotations

from .arity import check_function
from .decorated import (
    Computation,
    ComputationMulti,
    Decoder,
    Encoder,
    MessageDecoder,
    Partition,
    StateComputation,
    StateComputationMulti,
)
from .errors import WallarooParameterError
from .places import caller_place, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from .kafka_message import KafkaMessage

    Made = TypeVar("Made")
else:

    def overload(stub: Any) -> Any:
        """Stand in for typing.overload: typing takes milliseconds to import."""
        return stub


DEFAULT_HEADER_LENGTH = 4


def computation(name: str = "") -> Callable[[Callable[[Any], Any]], Computation]:
    """Make a stateless step of a function `f(data)` that returns one output.

    name: the step's name, a non-empty str, unique within its pipeline.
    The function returns the next step's data, or None to drop the record.
    Raises WallarooParameterError for a missing name or a function that does not take one argument.
    """
    return _named("computation", name, 1, Computation, returns_list=False)


def computation_multi(
    name: str = "",
) -> Callable[[Callable[[Any], list[Any] | None]], ComputationMulti]:
    """Make a stateless step of a function `f(data)` that returns any number of outputs.

    name: the step's name, a non-empty str, unique within its pipeline.
    The function returns a list, whose items go on one by one (None items are dropped), or None.
    Raises WallarooParameterError for a missing name or a function that does not take one argument.
    """
    return _named("computation_multi", name, 1, ComputationMulti, returns_list=True)


def state_computation(
    name: str = "",
) -> Callable[[Callable[[Any, Any], tuple[Any, Any]]], StateComputation]:
    """Make a step with state of a function `f(data, state)` that returns one output.

    name: the step's name, a non-empty str, unique within its pipeline.
    The function may change `state` in place and returns `(output, save_state)`: the next step's
    data or None to drop the record, and whether the changed state needs to be persisted.
    Raises WallarooParameterError for a missing name or a function that does not take two arguments.
    """
    return _named("state_computation", name, 2, StateComputation, returns_list=True)


def state_computation_multi(
    name: str = "",
) -> Callable[[Callable[[Any, Any], tuple[list[Any] | None, Any]]], StateComputationMulti]:
    """Make a step with state of a function `f(data, state)` that returns any number of outputs.

    name: the step's name, a non-empty str, unique within its pipeline.
    The function returns `(outputs, save_state)`, where `outputs` is a list or None.
    Raises WallarooParameterError for a missing name or a function that does not take two arguments.
    """
    return _named("state_computation_multi", name, 2, StateComputationMulti, returns_list=True)


@overload
def partition(function: Callable[[Any], Any], /) -> Partition: ...
@overload
def partition() -> Callable[[Callable[[Any], Any]], Partition]: ...
def partition(*function: Any) -> Any:
    """Make a partition function of `f(data)`, which returns the record's key.

    The key must be hashable and comparable with `==`.
    Used as `@wallaroo.partition` or `@wallaroo.partition()`.
    Raises WallarooParameterError for a function that does not take one argument.
    """
    return _unnamed("partition", function, Partition)


@overload
def encoder(function: Callable[[Any], Any], /) -> Encoder: ...
@overload
def encoder() -> Callable[[Callable[[Any], Any]], Encoder]: ...
def encoder(*function: Any) -> Any:
    """Make a sink encoder of `f(data)`, which returns the bytes that the sink writes.

    The bytes are written as they are: a length prefix or a newline is the encoder's to add.
    None writes nothing; a str is written as UTF-8. For a Kafka sink it returns `(value, key)` and
    the like: see KafkaSinkConfig.
    Used as `@wallaroo.encoder` or `@wallaroo.encoder()`.
    Raises WallarooParameterError for a function that does not take one argument.
    """
    return _unnamed("encoder", function, Encoder)


@overload
def decoder(function: Callable[[bytes], Any], /) -> Decoder: ...
@overload
def decoder(
    header_length: int = 4, length_fmt: str | bytes = ">I"
) -> Callable[[Callable[[bytes], Any]], Decoder]: ...
def decoder(header_length: Any = DEFAULT_HEADER_LENGTH, length_fmt: str | bytes = ">I") -> Any:
    """Make a source decoder of `f(payload)`, which turns a frame's bytes into data.

    A frame is a header that holds the payload's size in bytes, then the payload.

    header_length: the header's size in bytes, an int from 1 to 8.
    length_fmt: the `struct` format of the header. Its first field is the size, an integer; what
    other fields hold is passed over.
    The function gets the payload as bytes (without the header; empty for an empty frame) and
    returns the first step's data, or None to drop the frame. A Kafka source gives it a message's
    whole value (None for a tombstone), whatever the header: one that cannot be read is refused by
    TCPSourceConfig.
    Used as `@wallaroo.decoder`, `@wallaroo.decoder()` or with arguments.
    Raises WallarooParameterError for a function that does not take one argument.
    """
    if callable(header_length):
        return _decoder(header_length, DEFAULT_HEADER_LENGTH, length_fmt)
    return lambda function: _decoder(function, header_length, length_fmt)


@overload
def message_decoder(function: Callable[[bytes | None, KafkaMessage], Any], /) -> MessageDecoder: ...
@overload
def message_decoder() -> Callable[
    [Callable[[bytes | None, KafkaMessage], Any]], MessageDecoder
]: ...
def message_decoder(*function: Any) -> Any:
    """Make a Kafka source's decoder of `f(value, message)`, which gets more than the value.

    value: the message's whole value, bytes; None for a tombstone.
    message: a `wallaroo.KafkaMessage`: topic, partition, offset, timestamp_ms, key, headers.
    The function returns the first step's data, or None to drop the message.
    Used as `@wallaroo.message_decoder` or `@wallaroo.message_decoder()`, in a KafkaSourceConfig
    only; where the value is enough, `@wallaroo.decoder` costs less.
    Raises WallarooParameterError for a function that does not take two arguments.
    """
    return _unnamed("message_decoder", function, MessageDecoder, arity=2)


def _decoder(
    function: Callable[[bytes], Any], header_length: int, length_fmt: str | bytes
) -> Decoder:
    check_function(function, 1, "decoder", returns_list=False)
    return Decoder(header_length, length_fmt, function)


def _unnamed(
    decorator: str, functions: tuple[Any, ...], make: Callable[[Any], Made], *, arity: int = 1
) -> Any:
    def decorate(function: Any) -> Made:
        check_function(function, arity, decorator, returns_list=False)
        return make(function)

    if len(functions) > 1:
        raise WallarooParameterError(
            f"@wallaroo.{decorator} takes the function alone, got {len(functions)} arguments "
            f"({caller_place()})"
        )
    return decorate(functions[0]) if functions else decorate


def _named(
    decorator: str,
    name: Any,
    arity: int,
    make: Callable[[str, Any], Made],
    *,
    returns_list: bool,
) -> Callable[[Any], Made]:
    usage = f'write @wallaroo.{decorator}(name="...")'
    if callable(name):
        raise WallarooParameterError(
            f"@wallaroo.{decorator} needs a name: {usage} above {describe(name)}"
        )
    if not isinstance(name, str) or not name:
        got = "none" if name == "" else f"{name!r}"
        raise WallarooParameterError(
            f"@wallaroo.{decorator} needs a name, a non-empty str, got {got}: {usage} "
            f"({caller_place()})"
        )

    def decorate(function: Any) -> Made:
        check_function(function, arity, decorator, returns_list=returns_list)
        return make(name, function)

    return decorate
