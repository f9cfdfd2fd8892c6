"""Time-based windows: clocks, windowers, and the metadata that comes with each window's output.

1. A clock says what time an item has, and when a window is over: `EventClockConfig` takes the time
   from the item, `SystemClockConfig` is the wall clock.
2. A windower sorts the items into windows: `TumblingWindow`, `SlidingWindow`, `SessionWindow`.
3. Items must be `(key, value)` tuples, the key a str: each key has windows and a watermark of its
   own. One constant key puts everything into the same windows.
4. Both configs go to an operator: `Dataflow.reduce_window`, `fold_window`, `collect_window`. It
   emits `(key, (metadata, value))` when a window closes, where metadata is a `WindowMetadata`.

Output is the plain `(key, value)` of release 0.17 when `flow.bare_window_output = True`, or the
environment variable BYTEWAX_BARE_WINDOW_OUTPUT is `1`.

Windows that are open are state: with recovery they survive a restart. With a `SystemClockConfig`,
one that has ended in the meantime closes at once after the restart.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from .arguments import check_duration, check_function, check_utc

__all__ = [
    "ClockConfig",
    "EventClockConfig",
    "SessionWindow",
    "SlidingWindow",
    "SystemClockConfig",
    "TumblingWindow",
    "WindowConfig",
    "WindowMetadata",
]


class _Config:
    """A config that shows its parameters, and cannot be changed once it is made."""

    __slots__ = ()

    def _fields(self) -> dict[str, Any]:
        slots: tuple[str, ...] = type(self).__slots__
        return {name[1:]: getattr(self, name) for name in slots}

    def __json__(self) -> dict[str, Any]:
        """Return what `encode_dataflow` writes: the type's name and the parameters."""
        return {"type": type(self).__name__, **self._fields()}

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self._fields().items())
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self._fields().values())


class ClockConfig(_Config):
    """What time an item has, and what time it is. Base class: use one of the two below."""

    __slots__ = ()


class EventClockConfig(ClockConfig):
    """Take the time from each item.

    The watermark of a key is the largest time seen so far, minus the waiting duration, plus the
    system time that has passed since that item was seen. So an item may be out of order by as
    much as the waiting duration; one that belongs to a window behind the watermark is late: it is
    dropped and counted. At the end of the input all windows close.

    dt_getter: called with the value (not the key), returns a datetime with tzinfo `timezone.utc`.
    wait_for_system_duration: how long to wait before an item counts as late.
    Raises TypeError for arguments of other types.
    """

    __slots__ = ("_dt_getter", "_wait_for_system_duration")

    def __init__(
        self, dt_getter: Callable[[Any], datetime], wait_for_system_duration: timedelta
    ) -> None:
        self._dt_getter = check_function("dt_getter", dt_getter)
        self._wait_for_system_duration = check_duration(
            "wait_for_system_duration", wait_for_system_duration
        )

    @property
    def dt_getter(self) -> Callable[[Any], datetime]:
        """The function that gets the time of a value."""
        return self._dt_getter

    @property
    def wait_for_system_duration(self) -> timedelta:
        """How long to wait before an item counts as late."""
        return self._wait_for_system_duration


class SystemClockConfig(ClockConfig):
    """The time of an item is the system time at which it is seen, and so is the watermark.

    At the end of the input all windows close.
    """

    __slots__ = ()


class WindowConfig(_Config):
    """What windows there are. Base class: use one of the three below."""

    __slots__ = ()


class TumblingWindow(WindowConfig):
    """Windows of a fixed length, one after the other: each item is in exactly one.

    The start belongs to a window, the end does not.

    length: of a window, a timedelta. align_to: an instant at which a window starts, a datetime with
    tzinfo `timezone.utc`; a constant, so that a restart finds the same windows.
    Raises TypeError for arguments of other types. A length of zero is refused when the flow runs.
    """

    __slots__ = ("_align_to", "_length")

    def __init__(self, length: timedelta, align_to: datetime) -> None:
        self._length = check_duration("length", length)
        self._align_to = check_utc("align_to", align_to)

    def _fields(self) -> dict[str, Any]:
        return {"length": self._length, "align_to": self._align_to}

    @property
    def length(self) -> timedelta:
        """The length of a window."""
        return self._length

    @property
    def align_to(self) -> datetime:
        """An instant at which a window starts."""
        return self._align_to


class SlidingWindow(WindowConfig):
    """Windows of a fixed length that start at a fixed distance.

    offset == length: as TumblingWindow. offset < length: windows overlap, an item is in several.
    offset > length: there are gaps, in which items are in none. The start belongs to a window, the
    end does not.

    length: of a window, a timedelta. offset: between the starts of two windows, a timedelta.
    align_to: an instant at which a window starts, a datetime with tzinfo `timezone.utc`; a
    constant, so that a restart finds the same windows.
    Raises TypeError for arguments of other types. An offset or a length of zero, or windows that
    overlap too many times, are refused when the flow runs.
    """

    __slots__ = ("_align_to", "_length", "_offset")

    def __init__(self, length: timedelta, offset: timedelta, align_to: datetime) -> None:
        self._length = check_duration("length", length)
        self._offset = check_duration("offset", offset)
        self._align_to = check_utc("align_to", align_to)

    def _fields(self) -> dict[str, Any]:
        return {"length": self._length, "offset": self._offset, "align_to": self._align_to}

    @property
    def length(self) -> timedelta:
        """The length of a window."""
        return self._length

    @property
    def offset(self) -> timedelta:
        """The time between the starts of two windows."""
        return self._offset

    @property
    def align_to(self) -> datetime:
        """An instant at which a window starts."""
        return self._align_to


class SessionWindow(WindowConfig):
    """Windows that last as long as items keep coming.

    An item joins the session whose latest item is less than the gap away; else it starts a new
    session. A late item that lies between two sessions makes them one.

    gap: of inactivity that ends a session, a timedelta, not negative (refused when the flow runs).
    Raises TypeError for an argument of another type.
    """

    __slots__ = ("_gap",)

    def __init__(self, gap: timedelta) -> None:
        self._gap = check_duration("gap", gap)

    @property
    def gap(self) -> timedelta:
        """The inactivity that ends a session."""
        return self._gap


class WindowMetadata:
    """When a window opened and closed.

    open_time: its start; of a session, the time of its first item.
    close_time: its end, which is not in the window; of a session, the time of its last item.
    Both are datetimes with tzinfo `timezone.utc`; another raises TypeError.
    Two are equal when both times are; `<`, `<=`, `>`, `>=` compare the close times.
    """

    __slots__ = ("_close_time", "_open_time")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, open_time: datetime, close_time: datetime) -> None:
        self._open_time = check_utc("open_time", open_time)
        self._close_time = check_utc("close_time", close_time)

    @property
    def open_time(self) -> datetime:
        """The time at which the window starts."""
        return self._open_time

    @property
    def close_time(self) -> datetime:
        """The time at which the window ends; it may grow while a session goes on."""
        return self._close_time

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WindowMetadata):
            return NotImplemented
        return self._open_time == other._open_time and self._close_time == other._close_time

    def __lt__(self, other: WindowMetadata) -> bool:
        if not isinstance(other, WindowMetadata):
            return NotImplemented
        return self._close_time < other._close_time

    def __le__(self, other: WindowMetadata) -> bool:
        if not isinstance(other, WindowMetadata):
            return NotImplemented
        return self._close_time <= other._close_time

    def __gt__(self, other: WindowMetadata) -> bool:
        if not isinstance(other, WindowMetadata):
            return NotImplemented
        return self._close_time > other._close_time

    def __ge__(self, other: WindowMetadata) -> bool:
        if not isinstance(other, WindowMetadata):
            return NotImplemented
        return self._close_time >= other._close_time

    def __reduce__(self) -> tuple[Any, ...]:
        return WindowMetadata, (self._open_time, self._close_time)

    def __repr__(self) -> str:
        opened, closed = _utc_text(self._open_time), _utc_text(self._close_time)
        return f"WindowMetadata(open_time: {opened}, close_time: {closed})"


def _utc_text(instant: datetime) -> str:
    """Return an instant as `2022-01-01 00:00:00 UTC`, with milli- or microseconds if it has any."""
    micros = instant.microsecond
    precision = "seconds" if not micros else "microseconds" if micros % 1000 else "milliseconds"
    return instant.replace(tzinfo=None).isoformat(" ", precision) + " UTC"
