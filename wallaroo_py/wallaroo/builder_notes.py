"""What an ApplicationBuilder remembers of the mistakes that were made with it."""

from __future__ import annotations

from .pipeline import Pipeline
from .places import caller_place


class BuilderNotes:
    """The mistakes so far, each with its place.

    name: the application's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._mistakes: list[str] = []
        self._current: Pipeline | None = None

    def _check_position(self, method: str, step: str | None = None) -> None:
        if self._current is not None and self._current.is_open:
            return
        if self._current is not None and not self._current.is_done:
            text = (
                "Unable to add a computation step after a sink. "
                "Please declare a new pipeline first."
            )
            if method.startswith("to_sink"):
                text += " Use to_sinks([...]) for several sinks."
        else:
            text = "Please declare a new pipeline before adding computation steps."
        self._mistake(text, method, step)

    def _mistake(self, text: str, method: str = "", step: str | None = None) -> None:
        """Remember a mistake with its place. step: the step's name, when it is about one."""
        where = [self._context()]
        if step is not None and self._current is not None and self._current.is_open:
            where.append(f"step {self._current.step_count} {method}({step!r})")
        elif method:
            where.append(f"{method}({step!r})" if step is not None else f"{method}()")
        self._mistakes.append(f"{text} ({', '.join(where)}, {caller_place()})")

    def _context(self) -> str:
        if self._current is None:
            return self._application()
        return f"{self._application()}, pipeline {self._current.name!r}"

    def _application(self) -> str:
        return f"application {self._name!r}"
