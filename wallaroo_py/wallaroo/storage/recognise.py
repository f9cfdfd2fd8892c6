"""Looks whether an object is a storage sink, and says what a near miss lacks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from ..places import describe, shorten

MEMBERS = ("payload", "name", "router_branch_safe", "build_partition")
_SIGNATURE = "(config, worker_index, worker_count, bridge=None, session_manager=None)"
_PARTITION_METHODS = {"write_batch": 1, "close": 0}


def is_meant_as_sink(thing: Any) -> bool:
    """Tell whether an object is a storage sink or near enough to one to say what is missing."""
    found = [member for member in MEMBERS if _has(thing, member)]
    return "build_partition" in found or len(found) > 1


def sink_mistakes(thing: Any) -> Iterator[str]:
    """Yield everything that keeps an object from being a storage sink."""
    who = f"The storage sink {describe(thing)}"
    if isinstance(thing, type):
        yield f"{who} is a class: give an object of it"
        return
    missing = [member for member in MEMBERS if not _has(thing, member)]
    if missing:
        found = [member for member in MEMBERS if member not in missing]
        yield f"{who} has {', '.join(found)} but lacks {', '.join(missing)}"
    if "payload" not in missing and not _is_type(thing.payload):
        yield f"{who}: payload must be a type, got {shorten(thing.payload)}"
    if "name" not in missing and not isinstance(thing.name, str):
        yield f"{who}: name must be a str, got {shorten(thing.name)}"
    if "router_branch_safe" not in missing and not isinstance(thing.router_branch_safe, bool):
        yield f"{who}: router_branch_safe must be a bool, got {shorten(thing.router_branch_safe)}"
    if "build_partition" not in missing:
        problem = _call_problem(
            thing.build_partition, *({}, 0, 1), bridge=None, session_manager=None
        )
        if problem:
            yield f"{who}: build_partition{_SIGNATURE} can't be called: {problem}"


def partition_mistakes(partition: Any) -> Iterator[str]:
    """Yield everything that keeps what `build_partition` returned from being a partition."""
    for name, count in _PARTITION_METHODS.items():
        method = getattr(partition, name, None)
        if method is None:
            yield f"it has no method {name}()"
            continue
        problem = _call_problem(method, *range(count))
        if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
            problem = "it is a generator, which a call does not run"
        if problem:
            yield f"its {name}({'items' if count else ''}) can't be called: {problem}"


def has_member(thing: Any, name: str) -> bool:
    """Tell whether an object or its class has a member; what `__getattr__` makes up is none."""
    return inspect.getattr_static(thing, name, None) is not None


def optional_method(thing: Any, name: str, count: int) -> Callable[..., Any] | None:
    """Return a method that an object may have, None when it has none that takes `count` arguments.

    Whatever else has the name is the object's own affair.
    """
    if not has_member(thing, name):
        return None
    method = getattr(thing, name, None)
    return None if _call_problem(method, *range(count)) else method


def _has(thing: Any, member: str) -> bool:
    try:
        return hasattr(thing, member)
    except Exception:  # a property of the user's: it may raise anything
        return False


def _is_type(payload: Any) -> bool:
    return (
        isinstance(payload, type)
        or getattr(payload, "__origin__", None) is not None  # list[int]
        or type(payload).__module__ in {"typing", "types"}  # Any, int | str
    )


def _call_problem(function: Any, *args: Any, **kwargs: Any) -> str:
    if not callable(function):
        return f"it is {shorten(function)}"
    if inspect.iscoroutinefunction(function):
        return "it is async; use the bridge within a plain function"
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    except ValueError:  # a builtin whose signature Python does not know
        return ""
    return ""
