"""A dataflow as JSON, for tools that show one."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ..places import shorten

if TYPE_CHECKING:
    from .dataflow import Dataflow

# Operator -> names of the arguments behind its step id; what comes after them is not shown.
_ARGUMENTS = {
    "input": ("source",),
    "output": ("sink",),
    "map": ("mapper",),
    "filter": ("predicate",),
    "filter_map": ("mapper",),
    "flat_map": ("mapper",),
    "inspect": ("inspector",),
    "inspect_epoch": ("inspector",),
    "inspect_worker": ("inspector",),
    "redistribute": (),
    "batch": ("max_size", "timeout"),
    "stateful_map": ("builder", "mapper"),
    "reduce": ("reducer", "is_complete"),
    "reduce_window": ("clock_config", "window_config", "reducer"),
    "fold_window": ("clock_config", "window_config", "builder", "folder"),
    "collect_window": ("clock_config", "window_config"),
}


def describe_steps(steps: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Return each step as a dict: its type in CamelCase, its id if it has one, its arguments."""
    described = []
    for operator, step_id, *arguments in steps:
        step: dict[str, Any] = {"type": operator.title().replace("_", "")}
        if step_id is not None:
            step["step_id"] = step_id
        step.update(zip(_ARGUMENTS[operator], arguments, strict=False))
        described.append(step)
    return described


class DataflowEncoder(json.JSONEncoder):
    """Writes what is in a dataflow: functions and types by name, what has a `__json__` by that."""

    def default(self, obj: Any) -> Any:
        """Return something that JSON knows; anything unknown becomes its repr."""
        if isinstance(obj, type):
            return obj.__qualname__
        own = getattr(obj, "__json__", None)
        if own is not None:
            return own()
        if isinstance(obj, date):
            return obj.isoformat()
        if isinstance(obj, timedelta):
            return str(obj)
        name = getattr(obj, "__name__", None)
        return name if isinstance(name, str) else shorten(obj)


def encode_dataflow(dataflow: Dataflow) -> str:
    """Return a dataflow as JSON text, its keys sorted."""
    return json.dumps(dataflow, cls=DataflowEncoder, sort_keys=True)
