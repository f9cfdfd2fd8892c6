"""A source that asks for one item at fixed times."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from .arguments import check_duration, now_may_be_left_out, wrong_type
from .sources import FixedPartitionedSource, StatefulSourcePartition


class _Retry(Exception):
    """Raise it in `next_item` to be asked again after `timeout`, a timedelta."""

    def __init__(self, timeout: timedelta) -> None:
        super().__init__(timeout)
        self.timeout = check_duration("timeout", timeout)


class _SimplePollingPartition(StatefulSourcePartition):
    def __init__(
        self,
        now: datetime,
        interval: timedelta,
        align_to: datetime | None,
        getter: Callable[[], Any],
        emits_none: bool,
    ) -> None:
        self._interval = interval
        self._getter = getter
        self._emits_none = emits_none
        self._next_awake = now
        if align_to is not None:
            since_aligned = (now - align_to) % interval
            if since_aligned:
                self._next_awake = now + (interval - since_aligned)

    def next_batch(self, sched: datetime | None = None) -> list[Any]:
        try:
            item = self._getter()
        except _Retry as retry:
            self._next_awake = max(sched or self._next_awake, self._next_awake) + retry.timeout
            return []
        self._next_awake += self._interval
        return [item] if item is not None or self._emits_none else []

    def next_awake(self) -> datetime | None:
        return self._next_awake

    def snapshot(self) -> None:
        return None


class SimplePollingSource(FixedPartitionedSource):
    """Ask for one item at fixed times, on one worker. Subclass it, and define `next_item`.

    It keeps no position: a restart asks anew. For one that does, write a FixedPartitionedSource.

    interval: between two calls, a timedelta of more than zero. align_to: an instant, a datetime
    with a tzinfo, that the calls are whole intervals away from; without it, the first is at once.
    Raises TypeError for arguments of other types, ValueError for an interval of zero or less and
    an align_to without tzinfo.
    """

    Retry = _Retry
    _emits_none = False

    def __init__(self, interval: timedelta, align_to: datetime | None = None) -> None:
        if check_duration("interval", interval) <= timedelta(0):
            raise ValueError(f"argument 'interval': must be more than zero, got {interval!r}")
        if align_to is not None:
            if not isinstance(align_to, datetime):
                raise wrong_type("align_to", align_to, "datetime")
            if align_to.utcoffset() is None:
                raise ValueError(f"argument 'align_to': has no tzinfo: {align_to!r}")
        self._interval = interval
        self._align_to = align_to

    def list_parts(self) -> list[str]:
        """Return the only partition's name."""
        return ["singleton"]

    @now_may_be_left_out
    def build_part(
        self, now: datetime, _for_part: str, _resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Build the only partition."""
        return _SimplePollingPartition(
            now, self._interval, self._align_to, self.next_item, self._emits_none
        )

    @abstractmethod
    def next_item(self) -> Any:
        """Return the next item, or None if there is none this time.

        Raises `SimplePollingSource.Retry(timeout)` to be called again after the timeout, a
        timedelta, and not after an interval; StopIteration at the end of the input.
        """


class SimplePollingInput(SimplePollingSource):
    """Release 0.17's SimplePollingSource: a None that `next_item` returns is an item.

    The interval must be 10 ms or more, else ValueError. For the rest see there.
    """

    _emits_none = True

    def __init__(self, interval: timedelta, align_to: datetime | None = None) -> None:
        super().__init__(interval, align_to)
        if interval < timedelta(milliseconds=10):
            raise ValueError("The interval for SimplePollingInput must be >= 10ms")
