"""What the builder knows of one pipeline while it is put together."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Pipeline:
    """A pipeline is open until a sink or `done()` ends it; `done()` may follow a sink once."""

    def __init__(self, name: Any) -> None:
        self.name = name
        self.is_open = True
        self.is_done = False
        self.step_count = 0
        self._steps: dict[str, Any] = {}

    def add_step(self, name: str, computation: Any) -> Any:
        """Count a step; return the other object that already has its name, None without one."""
        self.step_count += 1
        other = self._steps.setdefault(name, computation)
        return None if other is computation else other

    def end_in_sink(self) -> None:
        """The pipeline takes no more steps."""
        self.is_open = False

    def close(self) -> None:
        """The pipeline takes nothing more."""
        self.is_open = False
        self.is_done = True
