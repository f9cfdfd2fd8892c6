"""Where in the user's source something stands: the `file:line` of an error message."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PACKAGE = __name__.partition(".")[0]


def caller_place() -> str:
    """Return `file:line` of the nearest caller outside this package."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def describe(thing: Any) -> str:
    """Return how an error message names `thing`: a function with file and line, else its repr."""
    function = getattr(thing, "__wrapped__", thing)
    code = getattr(function, "__code__", None)
    if code is not None:
        return f"{function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
    if isinstance(thing, type):
        return f"class {thing.__qualname__}"
    return shorten(thing)


def shorten(thing: Any, chars_max: int = 200) -> str:
    """Return `repr(thing)`, cut after `chars_max` characters; a list also tells its length."""
    try:
        text = repr(thing)
    except Exception as error:  # a broken __repr__ must not hide the mistake being reported
        text = f"<{type(thing).__name__} whose repr raised {type(error).__name__}>"
    if len(text) <= chars_max:
        return text
    size = f" ({len(thing)} items)" if isinstance(thing, (list, tuple, set, dict)) else ""
    return f"{text[:chars_max]}...{size}"
