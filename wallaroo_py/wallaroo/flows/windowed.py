"""The operators that group the values of each key by time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..places import shorten
from .arguments import builder_takes_key, check_function
from .step_list import StepList
from .window import (
    ClockConfig,
    EventClockConfig,
    SessionWindow,
    SlidingWindow,
    SystemClockConfig,
    TumblingWindow,
    WindowConfig,
)

_CLOCKS = (EventClockConfig, SystemClockConfig)
_WINDOWS = (TumblingWindow, SlidingWindow, SessionWindow)


class WindowOperators(StepList):
    """Methods of Dataflow; see there."""

    __slots__ = ()

    def collect_window(
        self, step_id: str, clock_config: ClockConfig, window_config: WindowConfig
    ) -> None:
        """Collect the values of each key and window into a list.

        Takes `(key, value)` tuples, the key a str, and emits `(key, (metadata, list))` when a
        window closes, the list in the order of the values' times.

        step_id: names the step, also for recovery. clock_config, window_config: see
        `bytewax.window`.
        Raises TypeError for arguments of other types, ValueError when the id is taken.
        """
        self._add("collect_window", step_id, *check_windows(clock_config, window_config))

    def reduce_window(
        self,
        step_id: str,
        clock_config: ClockConfig,
        window_config: WindowConfig,
        reducer: Callable[[Any, Any], Any],
    ) -> None:
        """Combine the values of each key and window.

        Takes `(key, value)` tuples, the key a str, and emits `(key, (metadata, accumulator))` when
        a window closes. Values come in the order of arrival.

        >>> from datetime import datetime, timedelta, timezone
        >>> from bytewax.dataflow import Dataflow
        >>> from bytewax.testing import TestingSource, TestingSink, run_main
        >>> from bytewax.window import EventClockConfig, TumblingWindow
        >>> align_to = datetime(2022, 1, 1, tzinfo=timezone.utc)
        >>> flow = Dataflow()
        >>> inp = [
        ...     ("b", {"time": align_to, "val": 1}),
        ...     ("a", {"time": align_to + timedelta(seconds=4), "val": 1}),
        ...     ("a", {"time": align_to + timedelta(seconds=8), "val": 1}),
        ...     ("b", {"time": align_to + timedelta(seconds=12), "val": 1}),
        ... ]
        >>> flow.input("inp", TestingSource(inp))
        >>> def add(acc, x):
        ...     acc["val"] += x["val"]
        ...     return acc
        >>> clock_config = EventClockConfig(
        ...     lambda e: e["time"], wait_for_system_duration=timedelta(0)
        ... )
        >>> window_config = TumblingWindow(
        ...     length=timedelta(seconds=10), align_to=align_to
        ... )
        >>> flow.reduce_window("count", clock_config, window_config, add)
        >>> def extract_val(key__metadata_event):
        ...    key, (metadata, event) = key__metadata_event
        ...    return (key, event["val"])
        >>> flow.map("extract_val", extract_val)
        >>> out = []
        >>> flow.output("out", TestingSink(out))
        >>> run_main(flow)
        >>> assert sorted(out) == sorted([('b', 1), ('a', 2), ('b', 1)])

        step_id: names the step, also for recovery. clock_config, window_config: see
        `bytewax.window`.
        reducer: `reducer(accumulator, value) -> updated accumulator`; the first value of a window
        is the first accumulator, without a call. When two sessions become one, it is called with
        both accumulators.
        Raises TypeError for arguments of other types, ValueError when the id is taken.
        """
        clock, window = check_windows(clock_config, window_config)
        self._add("reduce_window", step_id, clock, window, check_function("reducer", reducer))

    def fold_window(
        self,
        step_id: str,
        clock_config: ClockConfig,
        window_config: WindowConfig,
        builder: Callable[[], Any] | Callable[[str], Any],
        folder: Callable[[Any, Any], Any],
    ) -> None:
        """Combine the values of each key and window with an accumulator that a function makes.

        Takes `(key, value)` tuples, the key a str, and emits `(key, (metadata, accumulator))` when
        a window closes. Values come in the order of arrival.

        >>> from datetime import datetime, timedelta, timezone
        >>> from bytewax.dataflow import Dataflow
        >>> from bytewax.testing import run_main, TestingSource, TestingSink
        >>> from bytewax.window import TumblingWindow, EventClockConfig, WindowMetadata
        >>> align_to = datetime(2022, 1, 1, tzinfo=timezone.utc)
        >>>
        >>> flow = Dataflow()
        >>>
        >>> inp = [
        ...     ("ALL", {"time": align_to, "val": "a"}),
        ...     ("ALL", {"time": align_to + timedelta(seconds=4), "val": "b"}),
        ...     ("ALL", {"time": align_to + timedelta(seconds=8), "val": "c"}),
        ...     # The 10 second window should close just before processing this item.
        ...     ("ALL", {"time": align_to + timedelta(seconds=12), "val": "d"}),
        ...     ("ALL", {"time": align_to + timedelta(seconds=16), "val": "e"})
        ... ]
        >>>
        >>> flow.input("inp", TestingSource(inp))
        >>>
        >>> clock_config = EventClockConfig(
        ...     lambda e: e["time"], wait_for_system_duration=timedelta(seconds=0)
        ... )
        >>> window_config = TumblingWindow(length=timedelta(seconds=10), align_to=align_to)
        >>>
        >>> def add(acc, x):
        ...     acc.append(x["val"])
        ...     return acc
        >>>
        >>> flow.fold_window("sum", clock_config, window_config, list, add)
        >>>
        >>> out = []
        >>> flow.output("out", TestingSink(out))
        >>>
        >>> run_main(flow)
        >>> assert sorted(out) == sorted([
        ...     (
        ...         "ALL",
        ...         (
        ...             WindowMetadata(
        ...                 align_to, align_to + timedelta(seconds=10)
        ...             ),
        ...             ["a", "b", "c"]
        ...         ),
        ...     ),
        ...     (
        ...         "ALL",
        ...         (
        ...             WindowMetadata(
        ...                 align_to + timedelta(seconds=10), align_to + timedelta(seconds=20)
        ...             ),
        ...             ["d", "e"],
        ...         ),
        ...     ),
        ... ])

        step_id: names the step, also for recovery. clock_config, window_config: see
        `bytewax.window`.
        builder: makes the accumulator of a new window: `builder() -> accumulator`, or
        `builder(key) -> accumulator` if it needs an argument.
        folder: `folder(accumulator, value) -> updated accumulator`.
        Raises TypeError for arguments of other types, ValueError when the id is taken.
        """
        clock, window = check_windows(clock_config, window_config)
        self._add(
            "fold_window",
            step_id,
            clock,
            window,
            check_function("builder", builder),
            check_function("folder", folder),
            builder_takes_key("builder", builder),
        )


def check_windows(clock: Any, window: Any) -> tuple[ClockConfig, WindowConfig]:
    """Return clock and window, if they are of the types that there are. Raises TypeError."""
    for name, config, base, known in (
        ("clock_config", clock, ClockConfig, _CLOCKS),
        ("window_config", window, WindowConfig, _WINDOWS),
    ):
        if not isinstance(config, base):
            raise TypeError(
                f"argument {name!r}: {type(config).__name__!r} object cannot be converted to "
                f"{base.__name__!r}, got {shorten(config)}"
            )
        if type(config) not in known:
            raise TypeError(f"Unknown {name} type: {type(config)}")
    return clock, window
