"""Keywords of older versions of the builder's methods."""

from __future__ import annotations

from .decorated import copy_metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")


def also_named(**current_names: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a method take keywords by which applications written for older versions call it."""

    def decorate(method: Callable[P, T]) -> Callable[P, T]:
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            for old, current in current_names.items():
                if old in kwargs and current not in kwargs:
                    kwargs[current] = kwargs.pop(old)
            return method(*args, **kwargs)

        copy_metadata(call, method)
        return call

    return decorate
