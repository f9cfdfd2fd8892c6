"""A section of the configuration as a built-in sink reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Key:
    """A key that a section may have.

    kind: str, int or bool; an int may be given as text, as environment variables are. meaning: for
    messages. choices: the allowed texts; () allows all. least: of an int.
    """

    name: str
    kind: type
    meaning: str
    choices: Sequence[str] = ()
    least: int = 1


class Settings:
    """The values of one section; what it does not set is taken from the sink's own fields."""

    def __init__(self, keys: Sequence[Key], config: Mapping[str, Any]) -> None:
        self._keys = {key.name: key for key in keys}
        self._config = config

    def mistakes(self) -> Iterator[tuple[str, str]]:
        """Yield the keys that are unknown or have a wrong value, with what is wrong.

        Values are not told: they may be secrets.
        """
        for name, value in self._config.items():
            key = self._keys.get(name)
            if key is None:
                yield name, f"unknown key {name!r}; known: {', '.join(sorted(self._keys))}"
                continue
            problem = _problem(key, value)
            if problem:
                yield name, f"{name} ({key.meaning}) {problem}"

    def text(self, name: str, otherwise: str) -> str:
        """Return a str, `otherwise` when the section has none."""
        value = self._config.get(name, otherwise)
        return value if isinstance(value, str) else otherwise

    def number(self, name: str, otherwise: int) -> int:
        """Return an int."""
        return int(self._config.get(name, otherwise))

    def flag(self, name: str, otherwise: bool) -> bool:
        """Return a bool."""
        value = self._config.get(name, otherwise)
        return value == "true" if isinstance(value, str) else bool(value)


def _problem(key: Key, value: Any) -> str:
    if key.kind is str:
        if not isinstance(value, str):
            return f"must be a text, not of the type {type(value).__name__}"
        if key.choices and value not in key.choices:
            return f"must be one of {', '.join(key.choices)}"
        return ""
    if key.kind is bool:
        return "" if isinstance(value, bool) or value in ("true", "false") else "must be a bool"
    text = isinstance(value, str)
    if isinstance(value, bool) or not (isinstance(value, int) or (text and value.isdecimal())):
        return "must be an integer"
    return "" if int(value) >= key.least else f"must be {key.least} or more"
