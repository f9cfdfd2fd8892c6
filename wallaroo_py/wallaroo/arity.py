"""Checks that a function can be called the way the engine will call it."""

from __future__ import annotations

from .errors import WallarooParameterError
from .places import describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_VARIADIC, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x20, 0x80, 0x200  # code flags
_Function = type(lambda: None)


def check_function(function: Any, arity: int, decorator: str, *, returns_list: bool) -> None:
    """Check that `function` is callable with `arity` positional arguments, and returns at once.

    decorator: its name, for the message.
    returns_list: the function owes a list or a tuple, so it must not be a generator.
    Raises WallarooParameterError, naming the function, its file and line.
    """
    if not callable(function):
        raise WallarooParameterError(
            f"Expected a callable object but got a {function!r} (@wallaroo.{decorator})"
        )
    where = f"@wallaroo.{decorator} on {describe(function)}"
    if not accepts(function, arity):
        raise WallarooParameterError(
            f"Incompatible function arity, your function must allow {arity} arguments. ({where})"
        )
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if flags & (_COROUTINE | _ASYNC_GENERATOR):
        raise WallarooParameterError(
            f"An async function cannot be a step: it would return a coroutine, not data. ({where})"
        )
    if returns_list and flags & _GENERATOR:
        raise WallarooParameterError(
            "A generator cannot be used here: the function must return its outputs, so build a "
            f"list in place of yield. ({where})"
        )


def accepts(function: Any, arity: int) -> bool:
    """Tell whether a callable takes `arity` positional arguments."""
    if isinstance(function, _Function):
        return _function_accepts(function, arity)
    return _callable_accepts(function, arity)


def _function_accepts(function: Any, arity: int) -> bool:
    """Answer for a plain Python function, from its code object alone."""
    code = function.__code__
    upper = code.co_argcount
    lower = upper - len(function.__defaults__ or ())
    keyword_only = code.co_varnames[upper : upper + code.co_kwonlyargcount]
    if any(name not in (function.__kwdefaults__ or {}) for name in keyword_only):
        return False
    return bool(lower <= arity and (arity <= upper or code.co_flags & _VARIADIC))


def _callable_accepts(function: Any, arity: int) -> bool:
    """Answer for any other callable; one whose signature Python does not know is accepted."""
    import inspect  # takes milliseconds to import, and plain functions never need it

    try:
        inspect.signature(function).bind(*range(arity))
    except TypeError:
        return False
    except ValueError:
        return True
    return True
