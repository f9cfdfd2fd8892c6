"""When to look again at a source that had nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_PAUSE_MIN = timedelta(milliseconds=1)
_PAUSE_MAX = timedelta(milliseconds=16)


class IdlePause:
    """Less and less often while nothing comes, so that an idle source costs next to nothing.

    longest: between two looks.
    """

    def __init__(self, longest: timedelta = _PAUSE_MAX) -> None:
        self._longest = longest
        self._pause = timedelta(0)
        self.awake: datetime | None = None
        """When to look again; None: at once."""

    def after(self, something: bool) -> None:
        """Tell whether the last look has found something."""
        if something:
            self._pause, self.awake = timedelta(0), None
        else:
            self._pause = min(max(2 * self._pause, _PAUSE_MIN), self._longest)
            self.awake = datetime.now(UTC) + self._pause
