"""What is wrong with one argument of a builder method, in sentences."""

from __future__ import annotations

from .arity import accepts
from .decorated import (
    Decorated,
    MessageDecoder,
    Named,
    StateComputation,
    StateComputationMulti,
)
from .places import describe, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_STATE_COMPUTATIONS = (StateComputation, StateComputationMulti)


def has_own_name(computation: Any) -> bool:
    """Tell whether a step names itself; a class does only once the engine has made its object."""
    return not isinstance(computation, type) and callable(getattr(computation, "name", None))


def step_name(computation: Any) -> str:
    """Return the name by which messages call a step: its own, else that of its class."""
    if has_own_name(computation):
        try:
            return str(computation.name())
        except Exception:  # the engine calls it again, and reports what it raises
            return type(computation).__name__
    return str(getattr(computation, "__name__", type(computation).__name__))


def computation_mistakes(computation: Any, *, stateful: bool) -> Iterator[str]:
    """Check the computation of a step. stateful: the step passes a state as well."""
    decorator = "state_computation" if stateful else "computation"
    if isinstance(computation, Named):
        if isinstance(computation, _STATE_COMPUTATIONS) != stateful:
            steps = "to_stateful() or to_state_partition()" if not stateful else "to()"
            yield (
                f"{describe(computation)} is a {type(computation).__name__}: use it with {steps}, "
                f"or decorate it with @wallaroo.{decorator}"
            )
        return
    if any(callable(getattr(computation, name, None)) for name in ("compute", "compute_multi")):
        return
    if isinstance(computation, Decorated):
        yield f"{describe(computation)} is a {type(computation).__name__}, not a computation"
    elif callable(computation) and not isinstance(computation, type):
        yield (
            f"{describe(computation)} is a plain function: decorate it with "
            f'@wallaroo.{decorator}(name="...")'
        )
    else:
        yield (
            f"{describe(computation)} is not a computation: it has no method compute or "
            "compute_multi"
        )


def state_mistakes(state: Any) -> Iterator[str]:
    """Check a state class, a callable without arguments, or a builder object."""
    methods = ("____wallaroo_build____", "build")
    if isinstance(state, Decorated):
        yield f"{describe(state)} is a {type(state).__name__}, not a state class"
    elif not callable(state) and not any(callable(getattr(state, m, None)) for m in methods):
        yield f"{shorten(state)} is not a state class (nor an object with a method build)"


def state_name_mistakes(name: Any) -> Iterator[str]:
    """Check the name of a state."""
    if not isinstance(name, str) or not name:
        yield f"The state name must be a non-empty str, got {shorten(name)}"


def partition_mistakes(partition_function: Any) -> Iterator[str]:
    """Check a partition function."""
    usable = callable(getattr(partition_function, "partition", None))
    # Strings have a method `partition` of their own, which is never meant here.
    if not usable or isinstance(partition_function, (str, bytes, bytearray)):
        yield (
            "Partition function is missing partition method. Did you forget to use the "
            "@wallaroo.partition_function decorator? (It is called @wallaroo.partition here; "
            f"got {describe(partition_function)})"
        )


def predicate_mistakes(predicate: Any) -> Iterator[str]:
    """Check the predicate of a router's branch."""
    if not callable(predicate):
        yield f"its predicate must be callable, got {shorten(predicate)}"
    elif not accepts(predicate, 1):
        yield f"its predicate {describe(predicate)} must take one argument"


def key_list_mistakes(keys: Any) -> Iterator[str]:
    """Check the partition keys of a step: a list of different, hashable objects."""
    if not isinstance(keys, list):
        yield (
            f"Partitions lists should be of type list. Got a {type(keys)} instead. "
            f"({shorten(keys)})"
        )
        return
    problem = _unusable_key(keys)
    if problem:
        yield (
            "Partition labels should be uniquely identified via equality and support hashing. "
            "You might have duplicates or objects which can't be used as keys in a dict. "
            f"({problem})"
        )


def u64_key_mistakes(keys: Any) -> Iterator[str]:
    """Check that every key of a list is an int of 0 or more; bool is none."""
    if not isinstance(keys, list):
        return
    for key in keys:
        if type(key) is not int or key < 0:
            yield (
                f"{shorten(key)} is an invalid partition label. to_state_partition_u64 requires "
                "non-negative integers for all labels."
            )
            return


def codec_mistake(config: str, role: str, methods: tuple[str, ...], codec: Any) -> str:
    """Check a decoder or encoder; return "" when it has all the methods.

    config: the name of the configuration it was given to. role: "decoder" or "encoder".
    """
    problem = _codec_problem(role, methods, codec)
    if not problem:
        return ""
    article = "an" if role[0] in "aeiou" else "a"
    return f"{config}: {describe(codec)} is not {article} {role}: {problem}"


def _codec_problem(role: str, methods: tuple[str, ...], codec: Any) -> str:
    # str and bytes have methods `encode` and `decode` of their own, which are never meant here.
    if isinstance(codec, (str, bytes, bytearray)):
        return f"it is a {type(codec).__name__}"
    missing = [name for name in methods if not callable(getattr(codec, name, None))]
    if not missing:
        return ""
    if role == "decoder" and isinstance(codec, MessageDecoder):
        return (
            "it is made by @wallaroo.message_decoder, which is for Kafka sources only: decorate "
            "it with @wallaroo.decoder"
        )
    if isinstance(codec, Decorated):
        return f"it is made by another decorator, a {type(codec).__name__}"
    if hasattr(codec, "__code__"):
        return f"decorate it with @wallaroo.{role}"
    return f"it has no method {', '.join(missing)}"


def _unusable_key(keys: list[Any]) -> str:
    seen: dict[Any, int] = {}
    for index, key in enumerate(keys):
        try:
            first = seen.setdefault(key, index)
        except Exception as error:  # __hash__ and __eq__ are the user's: they may raise anything
            return f"the key at index {index}, {shorten(key)}: {type(error).__name__}: {error}"
        if first != index:
            return f"the key {shorten(key)} is at index {first} and at index {index}"
    return ""
