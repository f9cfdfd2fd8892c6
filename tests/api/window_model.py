"""A slow model of the windows of one key, written from the specification of bytewax.window.

It remembers every item and decides everything anew from all of them; no cleverness. Times are
integers of microseconds; `end` is None for never.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Config:
    """What `_machida.window_trace` takes.

    clock: "event" or "system"; windows: "tumbling", "sliding" or "session";
    idle_keys: "keep" or "forget". The rest in microseconds.
    """

    clock: str
    windows: str
    wait_us: int = 0
    length_us: int = 1
    offset_us: int = 1
    align_us: int = 0
    gap_us: int = 1
    idle_keys: str = "keep"

    def as_dict(self) -> dict[str, object]:
        """Returns it as the extension module reads it."""
        return dict(vars(self))


@dataclass
class Result:
    """What one event did.

    placed: as `_machida.window_trace` says, None if it was no item.
    closed: (open_us, close_us, numbers of the items in it), in order.
    late: how many windows the item would have been in, had it come earlier.
    """

    placed: str | None = None
    closed: list[tuple[int, int, list[int]]] = field(default_factory=list)
    late: int = 0


class Model:
    """The windows of one key."""

    def __init__(self, config: Config):
        self.config = config
        self.seen: list[tuple[int, int]] = []  # (time of the item, system time it came)
        self.windows: dict[int, list[tuple[int, int]]] = {}  # start: (time, number) of its items
        self.sessions: list[list[tuple[int, int]]] = []  # (time, number), each sorted

    def watermark(self, now_us: int) -> int | None:
        """Returns the watermark at a system time, None before any item.

        "The largest item timestamp seen thus far, minus the waiting duration, plus the system time
        duration that has elapsed since that item was seen."
        """
        if not self.seen:
            return None
        if self.config.clock == "system":
            return now_us
        return max(t - self.config.wait_us + now_us - came for t, came in self.seen)

    def item(self, number: int, time_us: int, now_us: int) -> Result:
        """An item of that number; its time is ignored with the system clock."""
        result = Result(closed=self.notify(now_us).closed)
        time_us = now_us if self.config.clock == "system" else time_us
        newest = max((t for t, _ in self.seen), default=None)
        self.seen.append((time_us, now_us))
        result.closed += self.close(now_us)
        if self.config.windows == "session":
            self.into_session(number, time_us, now_us, newest, result)
        else:
            self.into_windows(number, time_us, now_us, result)
        return result

    def notify(self, now_us: int) -> Result:
        """Time has passed."""
        result = Result(closed=self.close(now_us))
        if self.config.idle_keys == "forget" and not self.windows and not self.sessions:
            self.seen.clear()
        return result

    def eof(self) -> Result:
        """ "If the dataflow has no more input, all windows are closed." """
        return Result(closed=self.close(None))

    def close(self, now_us: int | None) -> list[tuple[int, int, list[int]]]:
        """Takes out the windows that have closed by now, all for None, in order of start."""
        mark = self.watermark(now_us) if now_us is not None else None
        everything = now_us is None
        if mark is None and not everything:
            return []
        closed = []
        for start in sorted(self.windows):
            if everything or start + self.config.length_us < mark:
                inside = self.windows.pop(start)
                closed.append((start, start + self.config.length_us, inside))
        for session in list(self.sessions):
            latest = max(session)[0]
            if everything or latest + self.config.gap_us <= mark:
                self.sessions.remove(session)
                closed.append((min(session)[0], latest, session))
        closed.sort(key=lambda window: window[0])
        return [(start, end, sorted(n for _, n in inside)) for start, end, inside in closed]

    def into_windows(self, number: int, time_us: int, now_us: int, result: Result) -> None:
        """ "Window start times are inclusive, but end times are exclusive." """
        tumbling = self.config.windows == "tumbling"
        length = self.config.length_us
        offset = length if tumbling else self.config.offset_us
        result.placed = "between"
        # Walk back from a start that is certainly after the item.
        start = self.config.align_us + ((time_us - self.config.align_us) // offset + 2) * offset
        while start + length > time_us:
            if start <= time_us:
                if start + length < self.watermark(now_us):
                    result.late += 1
                else:
                    self.windows.setdefault(start, []).append((time_us, number))
                    result.placed = "in"
            start -= offset
        if result.late and result.placed != "in":
            result.placed = "late"

    def into_session(
        self, number: int, time_us: int, now_us: int, newest: int | None, result: Result
    ) -> None:
        """Puts all items of the open sessions in a row again and cuts it where the gap is."""
        in_order = newest is None or time_us >= newest
        if time_us < self.watermark(now_us) and not in_order:
            result.placed, result.late = "late", 1
            return
        result.placed = "in"
        items = sorted([each for session in self.sessions for each in session])
        self.sessions = []
        for each in sorted([*items, (time_us, number)]):
            if self.sessions and each[0] - self.sessions[-1][-1][0] < self.config.gap_us:
                self.sessions[-1].append(each)
            else:
                self.sessions.append([each])
