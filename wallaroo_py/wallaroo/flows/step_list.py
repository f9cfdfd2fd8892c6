"""The list of steps that a Dataflow is, before the methods that fill it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..places import caller_place
from .arguments import MISSING, check_callable, check_function, wrong_type

if TYPE_CHECKING:
    from .storage import FlowStorages

# What their function returns is the next item, which a coroutine may be, for a later step to run.
_TAKE_ANY_RESULT: Final = ("map", "filter_map")

BARE_WINDOW_OUTPUT: Final = "BYTEWAX_BARE_WINDOW_OUTPUT"  # environment variable


class StepList:
    """Steps in the order in which they were added, each a tuple: operator, step id, arguments.

    The engine reads `_steps` and `_bare_window_output`. Ids are unique; `inspect`, `inspect_epoch`,
    `inspect_worker` and `redistribute` have None.
    """

    __slots__ = ("__weakref__", "_bare", "_places", "_steps", "_storages")

    def __init__(self) -> None:
        self._steps: list[tuple[Any, ...]] = []
        self._places: dict[str, str] = {}
        self._bare: bool | None = None
        self._storages: FlowStorages | None = None  # of its storage outputs

    @property
    def bare_window_output(self) -> bool:
        """Whether window operators emit `(key, value)`, as release 0.17 did, without metadata.

        Set it before the flow runs. Unless it is set, the environment variable
        BYTEWAX_BARE_WINDOW_OUTPUT decides: `1` means True. Raises TypeError when set to no bool.
        """
        if self._bare is not None:
            return self._bare
        return os.environ.get(BARE_WINDOW_OUTPUT, "") not in ("", "0")

    @bare_window_output.setter
    def bare_window_output(self, bare: bool) -> None:
        if not isinstance(bare, bool):
            raise TypeError(f"bare_window_output must be a bool, got {bare!r}")
        self._bare = bare

    @property
    def _bare_window_output(self) -> bool:
        return self.bare_window_output

    def _add(self, operator: str, step_id: str, *arguments: Any) -> None:
        """Append a step. Raises TypeError or ValueError for an id that is no str or taken."""
        if not isinstance(step_id, str):
            raise wrong_type("step_id", step_id, "str")
        place = f"`{operator}` at {caller_place()}"
        if step_id in self._places:
            raise ValueError(
                f"step id {step_id!r} is used twice in this dataflow: by "
                f"{self._places[step_id]} and by {place}; each step needs an id of its own"
            )
        self._places[step_id] = place
        self._steps.append((operator, step_id, *arguments))

    def _add_without_id(self, operator: str, *arguments: Any) -> None:
        """Append a step of an operator that takes no id."""
        self._steps.append((operator, None, *arguments))

    def _add_function(self, operator: str, parameter: str, step_id: Any, function: Any) -> None:
        """Append a step with one function, whose id may have been left out, as in release 0.17.

        parameter: the function's name in the method's signature.
        """
        if function is MISSING and step_id is not MISSING and not isinstance(step_id, str):
            step_id, function = MISSING, step_id
        if function is MISSING:
            raise TypeError(
                f"Dataflow.{operator}() missing 1 required positional argument: {parameter!r}"
            )
        check = check_callable if operator in _TAKE_ANY_RESULT else check_function
        checked: Callable[..., Any] = check(parameter, function)
        if step_id is MISSING:
            step_id = self._free_id(operator)
        self._add(operator, step_id, checked)

    def _free_id(self, operator: str) -> str:
        """Return an id that stays the same as long as the flow's steps do."""
        step_id = f"{operator}-{len(self._steps)}"
        while step_id in self._places:
            step_id += "'"
        return step_id
