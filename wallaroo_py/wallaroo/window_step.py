"""The tuple of a `to_window` step, and what is wrong with its arguments."""

from __future__ import annotations

from . import checks
from .flows.arguments import builder_takes_key, check_function
from .flows.window import WindowMetadata
from .flows.windowed import check_windows
from .places import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def window_action(
    name: Any,
    clock: Any,
    windows: Any,
    partition_function: Any,
    logic: tuple[Any, Any, Any],
) -> tuple[tuple[Any, ...], list[str]]:
    """Return the tuple of a step, and every mistake in its arguments, in sentences.

    logic: builder, folder and reducer; None stands for one that was not given.
    The tuple is ("to_window", partition function, the tuple of a dataflow's window step, metadata
    class).
    """
    mistakes = list(checks.partition_mistakes(partition_function))
    if not isinstance(name, str) or not name:
        mistakes.append(f"The step's name must be a non-empty str, got {shorten(name)}")
    _noted(mistakes, lambda: check_windows(clock, windows))
    operator, functions = _logic(*logic, mistakes)
    step = (operator, name, clock, windows, *functions)
    return ("to_window", partition_function, step, WindowMetadata), mistakes


def _logic(
    builder: Any, folder: Any, reducer: Any, mistakes: list[str]
) -> tuple[str, tuple[Any, ...]]:
    if builder is None and folder is None and reducer is None:
        return "collect_window", ()
    if reducer is not None:
        if builder is not None or folder is not None:
            mistakes.append("to_window() takes builder and folder, or reducer, not all of them")
        _noted(mistakes, lambda: check_function("reducer", reducer))
        return "reduce_window", (reducer,)
    if builder is None or folder is None:
        missing = "builder" if builder is None else "folder"
        mistakes.append(f"to_window() takes builder and folder together: there is no {missing}")
        return "fold_window", (builder, folder, False)
    takes_key = False
    if _noted(mistakes, lambda: check_function("builder", builder)):
        takes_key = bool(_noted(mistakes, lambda: [builder_takes_key("builder", builder)])[0])
    _noted(mistakes, lambda: check_function("folder", folder))
    return "fold_window", (builder, folder, takes_key)


def _noted(mistakes: list[str], check: Callable[[], Any]) -> Any:
    """Return what a check returns; what it raises becomes a mistake, and [False] is returned."""
    try:
        return check()
    except TypeError as error:
        mistakes.append(str(error))
        return [False]
