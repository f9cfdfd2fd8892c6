"""What `list_parts`, `build_part` and `build` of sources and sinks must return."""

from __future__ import annotations

from typing import Any

from ..places import shorten


def part_names(listed: Any, owner: Any) -> list[str]:
    """Return what `list_parts` gave as a list of names, each once. Raises TypeError."""
    place = f"{type(owner).__name__}.list_parts"
    if isinstance(listed, (str, bytes)) or not hasattr(listed, "__iter__"):
        raise TypeError(f"{place} must return a list of str; got {shorten(listed)}")
    names = list(listed)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{place} must return a list of str; {shorten(name)} is none")
    return list(dict.fromkeys(names))


def not_a_partition(kind: str, base: str, built: Any, place: str) -> TypeError:
    """Return the error for a build method that returned something else."""
    return TypeError(f"{kind} must subclass `{base}`; got {shorten(built)} from {place}")
