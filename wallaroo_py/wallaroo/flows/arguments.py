"""Checks of the arguments of operators and configs, with the messages that users know."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..places import describe, shorten

_VARIADIC = inspect.Parameter.VAR_POSITIONAL
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Missing:
    """The type of the value of an argument that was not given."""


MISSING: Final[Any] = Missing()


def one_of(function: str, name: str, given: Any, old: Any) -> Any:
    """Return the argument that was given under its name or under its old one.

    Raises TypeError, naming the function, when there is none or both are given.
    """
    if (given is MISSING) == (old is MISSING):
        problem = "missing" if given is MISSING else "got two values for"
        raise TypeError(f"{function}() {problem} 1 required positional argument: {name!r}")
    return old if given is MISSING else given


def wrong_type(name: str, value: Any, wanted: str) -> TypeError:
    """Return the error for an argument of a wrong type. wanted: the type that it should have."""
    return TypeError(
        f"argument {name!r}: {type(value).__name__!r} object cannot be converted to {wanted!r}, "
        f"got {shorten(value)}"
    )


def object_of(base: type, value: Any) -> str:
    """Return how an error message names `value`, which is no object of `base`."""
    if isinstance(value, type) and issubclass(value, base):
        return f"the class {value.__name__} and not an object of it: write {value.__name__}(...)"
    return shorten(value)


def check_str(name: str, value: Any) -> str:
    """Return `value`, which must be a str that is not empty.

    Raises TypeError or ValueError, naming the argument.
    """
    if not isinstance(value, str):
        raise wrong_type(name, value, "str")
    if not value:
        raise ValueError(f"argument {name!r}: must not be empty")
    return value


def check_callable(name: str, value: Any) -> Callable[..., Any]:
    """Return `value`, which must be callable. Raises TypeError, naming the argument."""
    if not callable(value):
        raise TypeError(
            f"argument {name!r}: {type(value).__name__!r} object is not callable, "
            f"got {shorten(value)}"
        )
    function: Callable[..., Any] = value
    return function


def check_function(name: str, value: Any) -> Callable[..., Any]:
    """Return `value`, which must be callable and return its result at once.

    Raises TypeError, naming the argument, and a function's file and line.
    """
    function = check_callable(name, value)
    if inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value):
        raise TypeError(
            f"argument {name!r}: {describe(value)} is async: it would return a coroutine, not data"
        )
    return function


def check_duration(name: str, value: Any) -> timedelta:
    """Return `value`, which must be a timedelta. Raises TypeError, naming the argument."""
    if not isinstance(value, timedelta):
        raise wrong_type(name, value, "timedelta")
    return value


def check_size(name: str, value: Any) -> int:
    """Return `value`, which must be an int of 0 or more.

    Raises TypeError or OverflowError, naming the argument.
    """
    try:
        size = value.__index__()
    except (AttributeError, TypeError):
        raise TypeError(
            f"argument {name!r}: {type(value).__name__!r} object cannot be interpreted as an "
            f"integer, got {shorten(value)}"
        ) from None
    if size < 0:
        raise OverflowError(f"argument {name!r}: can't convert negative int to unsigned: {size}")
    return int(size)


def check_utc(name: str, value: Any) -> datetime:
    """Return `value`, which must be a datetime whose tzinfo is `timezone.utc`.

    Raises TypeError, naming the argument.
    """
    if not isinstance(value, datetime):
        raise wrong_type(name, value, "datetime")
    if value.tzinfo is not UTC:
        raise TypeError(
            f"argument {name!r}: Not datetime.timezone.utc: {value!r}; use "
            "datetime(..., tzinfo=timezone.utc), or .astimezone(timezone.utc)"
        )
    return value


def positional_parameters(function: Callable[..., Any]) -> tuple[list[inspect.Parameter], bool]:
    """Return a function's positional parameters (self left out), and whether it has `*args`.

    Raises ValueError where Python knows no signature, as for some built-in types.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except TypeError as error:
        raise ValueError(str(error)) from None
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    return positional, any(parameter.kind is _VARIADIC for parameter in parameters)


def required_count(parameters: list[inspect.Parameter]) -> int:
    """Return how many of the parameters have no default."""
    return sum(parameter.default is inspect.Parameter.empty for parameter in parameters)


def takes_leading(function: Callable[..., Any], leading: str, others: int) -> bool:
    """Tell whether a function takes an argument in front that older versions did not pass.

    leading: how that parameter is called ("now", "sched"). others: how many arguments follow it.
    Where the number of arguments leaves it open, the first parameter's name decides. A function
    whose signature is unknown is taken for a new one.
    """
    try:
        parameters, variadic = positional_parameters(function)
    except ValueError:
        return True
    if required_count(parameters) > others:
        return True
    if len(parameters) <= others:
        return variadic
    return leading in parameters[0].name


def now_may_be_left_out(build_part: Callable[..., Any]) -> Callable[..., Any]:
    """Let a source's `build_part` be called as in release 0.17, too: partition and resume state.

    Subclasses and wrappers written for it call it so.
    """

    @functools.wraps(build_part)
    def build(self: Any, *arguments: Any, **named: Any) -> Any:
        if len(arguments) + len(named) != 2:
            return build_part(self, *arguments, **named)
        in_order = sorted(named, key=lambda name: name.endswith("resume_state"))
        old = (*arguments, *(named[name] for name in in_order))
        return build_part(self, datetime.now(UTC), *old)

    return build


def builder_takes_key(name: str, builder: Callable[..., Any]) -> bool:
    """Tell whether a builder of states wants the key: it does when it needs one argument.

    Raises TypeError, naming the argument, file and line, when it needs more than one.
    """
    try:
        parameters, _ = positional_parameters(builder)
    except ValueError:
        return False
    needed = required_count(parameters)
    if needed > 1:
        raise TypeError(
            f"argument {name!r}: {describe(builder)} needs {needed} arguments, but a builder is "
            "called with none, or with the key"
        )
    return needed == 1


def takes_item_first(inspector: Callable[..., Any]) -> bool:
    """Tell whether an inspector's first parameter is called `item`."""
    try:
        parameters, _ = positional_parameters(inspector)
    except ValueError:
        return False
    return bool(parameters) and parameters[0].name == "item"
