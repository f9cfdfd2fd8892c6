"""The objects that the decorators make of the user's functions.

Each is what a topology tuple holds. The engine reads the methods named in each class; those that
run per record (`compute`, `compute_multi`, `partition`, `decode`, `decode_message`, `encode`) are
instance attributes that hold the user's own function, so that the engine calls it with nothing in
between.

A decorated object is called like the function it wraps, and pickles as a reference to its module
attribute: unpickling gives the same object, so the module must be importable on both sides.
"""

from __future__ import annotations

import struct
import sys

from .errors import WallarooParameterError
from .header import header_mistake
from .places import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .kafka_message import KafkaMessage


def copy_metadata(target: Any, function: Any) -> None:
    """Make `target` show the module, name and docstring of `function`.

    This is `functools.update_wrapper` without copying the function's own attributes (which could
    hide a method of `target`), and without importing functools, for the server's start-up time.
    """
    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        if hasattr(function, name):
            setattr(target, name, getattr(function, name))
    target.__wrapped__ = function


class Decorated:
    """A user's function in the form that the engine reads. Base of all that the decorators make."""

    __name__: str
    __qualname__: str
    __wrapped__: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        copy_metadata(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function and return its result, as in a plain test of the function."""
        return self.__wrapped__(*args, **kwargs)

    def __reduce__(self) -> str:
        """Pickle as the name of the module attribute that holds this object."""
        path = getattr(self, "__qualname__", type(self).__name__)
        module = sys.modules.get(self.__module__)
        found: Any = module
        for part in path.split("."):
            found = getattr(found, part, None)
        if found is not self and module is not None:
            for name, value in vars(module).items():
                if value is self:
                    return name
        return path

    def __repr__(self) -> str:
        function = getattr(self, "__qualname__", repr(self.__wrapped__))
        return f"<wallaroo {type(self).__name__} of {self.__module__}.{function}>"


class Named(Decorated):
    """A decorated function that is a step: the plan, the log and the dead letters show its name."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._name = name

    def name(self) -> str:
        """Return the name given to the decorator."""
        return self._name

    def __repr__(self) -> str:
        return f"<wallaroo {type(self).__name__} {self._name!r}>"


class Computation(Named):
    """A stateless step: `compute(data)` returns one output, or None to drop the record."""

    def __init__(self, name: str, function: Callable[[Any], Any]) -> None:
        super().__init__(name, function)
        self.compute = function


class ComputationMulti(Named):
    """A stateless step: `compute_multi(data)` returns a list of outputs, or None."""

    def __init__(self, name: str, function: Callable[[Any], list[Any] | None]) -> None:
        super().__init__(name, function)
        self.compute_multi = function


class StateComputation(Named):
    """A step with state: `compute(data, state)` returns `(output or None, save_state)`."""

    def __init__(self, name: str, function: Callable[[Any, Any], tuple[Any, Any]]) -> None:
        super().__init__(name, function)
        self.compute = function


class StateComputationMulti(Named):
    """A step with state: `compute_multi(data, state)` returns `(list or None, save_state)`."""

    def __init__(
        self, name: str, function: Callable[[Any, Any], tuple[list[Any] | None, Any]]
    ) -> None:
        super().__init__(name, function)
        self.compute_multi = function


class Partition(Decorated):
    """A partition function: `partition(data)` returns the record's key (hashable, comparable)."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__(function)
        self.partition = function


class Encoder(Decorated):
    """A sink encoder: `encode(data)` returns what the sink takes (bytes, for TCP)."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__(function)
        self.encode = function


class Decoder(Decorated):
    """A source decoder: the frame's header, and `decode(payload)` for the bytes after it.

    `length_fmt` is the header's `struct` format, whose first field is the payload's size.
    `header_mistake` says why no size can be read so, and is "" when it can: Kafka has no headers.
    """

    header_mistake = ""

    def __init__(
        self, header_length: int, length_fmt: str | bytes, function: Callable[[bytes], Any]
    ) -> None:
        super().__init__(function)
        self.header_mistake = header_mistake(header_length, length_fmt)
        header = struct.Struct("" if self.header_mistake else length_fmt)
        self.length_fmt = header.format
        self._header_bytes = header_length
        self._unpack = header.unpack
        self.decode = function

    def header_length(self) -> int:
        """Return the header's size in bytes, 1 to 8. Raises WallarooParameterError for another."""
        if self.header_mistake:
            raise WallarooParameterError(f"the decoder {describe(self)}: {self.header_mistake}")
        return self._header_bytes

    def payload_length(self, header: bytes) -> int:
        """Return the payload's size in bytes that `header` (`header_length()` bytes) announces."""
        return int(self._unpack(header)[0])

    def ____wallaroo_length_fmt____(self, payload_length: Any) -> str | None:
        """Return the format by which the engine may read headers in place of `payload_length`.

        payload_length: the attribute as the engine found it. None when it is not the method above,
        but what a subclass, an assignment or a wrapper put in its place.
        """
        own = getattr(payload_length, "__func__", None) is Decoder.payload_length
        return self.length_fmt if own and payload_length.__self__ is self else None


class MessageDecoder(Decorated):
    """A Kafka source's decoder: `decode_message(value, message)`, where message is a KafkaMessage.

    The engine makes the message by calling `message_class` with its fields in order.
    """

    def __init__(self, function: Callable[[bytes | None, KafkaMessage], Any]) -> None:
        from .kafka_message import KafkaMessage  # not loaded for TCP alone

        super().__init__(function)
        self.decode_message = function
        self.message_class = KafkaMessage
