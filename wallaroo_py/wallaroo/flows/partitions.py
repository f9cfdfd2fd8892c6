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


def check_partition(built: Any, base: type, kind: str, name: str, place: str) -> None:
    """Check what a build method gave. Raises TypeError when it is no `base`.

    kind: what it should be. name: of `base`, as users know it. place: the method.
    """
    if not isinstance(built, base):
        raise TypeError(f"{kind} must subclass `{name}`; got {shorten(built)} from {place}")
