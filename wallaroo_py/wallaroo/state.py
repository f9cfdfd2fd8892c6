"""How the engine makes a state object: from a state class, or from a builder object."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class StateBuilder:
    """Makes the state objects of one state name, one per key, each without arguments.

    name: the state's name, shared by every step that uses it.
    state_cls: the state class or any callable without arguments; or a builder object, whose
    `____wallaroo_build____()` or `build()` makes the state.
    Pickles when `state_cls` does.
    """

    def __init__(self, name: str, state_cls: Any) -> None:
        self.name = name
        self.state_cls = state_cls

    def ____wallaroo_build____(self) -> Any:
        """Return a new state object. Raises what the state class or the builder raises."""
        source = self.state_cls
        if isinstance(source, type):
            if not hasattr(source, "____wallaroo_build____"):
                return source()
            source = source()
        for method in ("____wallaroo_build____", "build"):
            build = getattr(source, method, None)
            if callable(build):
                return build()
        return source()

    def same_type_as(self, other: StateBuilder) -> bool:
        """Tell whether both make states of one type; builder objects count by their class."""
        mine, theirs = self.state_cls, other.state_cls
        if mine is theirs or mine == theirs:
            return True
        return not callable(mine) and type(mine) is type(theirs)

    def __repr__(self) -> str:
        return f"StateBuilder({self.name!r}, {self.state_cls!r})"
