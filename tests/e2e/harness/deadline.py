"""Waiting for a condition: a deadline is a safety net for a broken server, never a measurement."""

import os
import time
from collections.abc import Callable

SANITIZED = "san" in os.environ.get("MACHIDA_BINARY", "").split("/")[-2:][0]
DEADLINE_S = 100.0 if SANITIZED else 60.0


def wait_until(
    condition: Callable[[], object],
    what: str | Callable[[], str],
    deadline_s: float | None = None,
) -> None:
    """Returns when condition() is true.

    what: the expectation, or a function that describes what there is instead; used on failure.
    Raises AssertionError when deadline_s (DEADLINE_S unless given) seconds pass first.
    """
    end = time.monotonic() + (DEADLINE_S if deadline_s is None else deadline_s)
    pause_s = 0.001
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what() if callable(what) else what}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.05)


def wait_quiet(measure: Callable[[], object], quiet_s: float = 2.0) -> None:
    """Returns when measure() has given the same for quiet_s: nothing moves any more.

    Raises AssertionError when DEADLINE_S seconds pass first.
    """
    last, since = measure(), time.monotonic()

    def quiet() -> bool:
        nonlocal last, since
        now = measure()
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since >= quiet_s

    wait_until(quiet, "a standstill")
