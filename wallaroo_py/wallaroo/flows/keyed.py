"""The operators that keep a state for each key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .arguments import builder_takes_key, check_duration, check_function, check_size
from .step_list import StepList


class KeyedOperators(StepList):
    """Methods of Dataflow; see there."""

    __slots__ = ()

    def batch(self, step_id: str, max_size: int, timeout: timedelta) -> None:
        """Collect the values of each key into lists.

        Takes `(key, value)` tuples, the key a str, and emits `(key, [values])` when a list has
        max_size values, when the timeout has passed since its first value, and at the end of the
        input.

        step_id: names the step, also for recovery. max_size: of a list; 0 is taken as 1.
        timeout: a timedelta; 0 emits each value at once.
        Raises TypeError for arguments of other types, OverflowError for a negative size,
        ValueError for a negative timeout or an id that is taken.
        """
        size = check_size("max_size", max_size)
        duration = check_duration("timeout", timeout)
        if duration < timedelta(0):
            raise ValueError(f"argument 'timeout': must not be negative, got {timeout!r}")
        self._add("batch", step_id, size, duration)

    def stateful_map(
        self,
        step_id: str,
        builder: Callable[[], Any] | Callable[[str], Any],
        mapper: Callable[[Any, Any], tuple[Any, Any]],
    ) -> None:
        """Turn each value into another, with a state for each key.

        Takes `(key, value)` tuples, the key a str, and emits `(key, updated value)` for each.

        >>> from bytewax.testing import TestingSource, run_main
        >>> from bytewax.connectors.stdio import StdOutSink
        >>> from bytewax.dataflow import Dataflow
        >>> flow = Dataflow()
        >>> inp = [
        ...     "a",
        ...     "a",
        ...     "a",
        ...     "a",
        ...     "b",
        ... ]
        >>> flow.input("inp", TestingSource(inp))
        >>> def self_as_key(item):
        ...     return item, item
        >>> flow.map("self_as_key", self_as_key)
        >>> def build_count():
        ...     return 0
        >>> def check(running_count, item):
        ...     running_count += 1
        ...     if running_count == 1:
        ...         return running_count, item
        ...     else:
        ...         return running_count, None
        >>> flow.stateful_map("remove_duplicates", build_count, check)
        >>> def remove_none_and_key(key_item):
        ...     key, item = key_item
        ...     if item is None:
        ...         return []
        ...     else:
        ...         return [item]
        >>> flow.flat_map("remove_none_and_key", remove_none_and_key)
        >>> flow.output("out", StdOutSink())
        >>> run_main(flow)
        a
        b

        step_id: names the step, also for recovery.
        builder: makes the state of a key that has none: `builder() -> state`, or
        `builder(key) -> state` if it needs an argument.
        mapper: `mapper(state, value) -> (updated state, updated value)`, a tuple; a state of None
        is forgotten.
        Raises TypeError for arguments that are no such functions, ValueError when the id is taken.
        """
        self._add(
            "stateful_map",
            step_id,
            check_function("builder", builder),
            check_function("mapper", mapper),
            builder_takes_key("builder", builder),
        )

    def reduce(
        self,
        step_id: str,
        reducer: Callable[[Any, Any], Any],
        is_complete: Callable[[Any], bool],
    ) -> None:
        """Combine the values of each key until they are complete.

        Takes `(key, value)` tuples, the key a str, and emits `(key, accumulator)` when that is
        complete; the next value of the key starts anew. What is not complete at the end of the
        input is not emitted.

        >>> from bytewax.dataflow import Dataflow
        >>> from bytewax.testing import TestingSource, run_main
        >>> from bytewax.connectors.stdio import StdOutSink
        >>> flow = Dataflow()
        >>> inp = [
        ...     {"user": "a", "type": "login"},
        ...     {"user": "a", "type": "post"},
        ...     {"user": "b", "type": "login"},
        ...     {"user": "b", "type": "logout"},
        ...     {"user": "a", "type": "logout"},
        ... ]
        >>> flow.input("inp", TestingSource(inp))
        >>> def user_as_key(event):
        ...     return event["user"], [event]
        >>> flow.map("user_as_key", user_as_key)
        >>> def extend_session(session, events):
        ...     session.extend(events)
        ...     return session
        >>> def session_complete(session):
        ...     return any(event["type"] == "logout" for event in session)
        >>> flow.reduce("sessionizer", extend_session, session_complete)
        >>> flow.output("out", StdOutSink())
        >>> run_main(flow)  # doctest: +NORMALIZE_WHITESPACE
        ('b', [{'user': 'b', 'type': 'login'}, {'user': 'b', 'type': 'logout'}])
        ('a', [{'user': 'a', 'type': 'login'}, {'user': 'a', 'type': 'post'},
               {'user': 'a', 'type': 'logout'}])

        step_id: names the step, also for recovery.
        reducer: `reducer(accumulator, value) -> updated accumulator`; the first value is the first
        accumulator, without a call.
        is_complete: `is_complete(updated accumulator) -> bool`, also asked of a first value;
        anything else that it returns ends the run with a TypeError.
        Raises TypeError when they are no functions, ValueError when the id is taken.
        """
        self._add(
            "reduce",
            step_id,
            check_function("reducer", reducer),
            check_function("is_complete", is_complete),
        )
