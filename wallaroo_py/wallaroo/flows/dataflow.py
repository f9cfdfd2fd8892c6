"""Define dataflows: make a `Dataflow`, and add steps with its methods.

    from bytewax.dataflow import Dataflow

    flow = Dataflow()
    flow.input("in", source)
    flow.map("parse", parse)
    flow.output("out", sink)

Run it with `python -m bytewax.run module:flow`, `machida run module:flow`, or, in a test,
`bytewax.testing.run_main(flow)`.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .keyed import KeyedOperators
from .stateless import StatelessOperators
from .windowed import WindowOperators

__all__ = ["Dataflow"]


class Dataflow(StatelessOperators, KeyedOperators, WindowOperators):
    """A list of steps that data flows through: inputs, operators, outputs.

    Each method adds one step, after those there are, and returns None. Functions are called by the
    engine, once for each item; an exception that one raises ends the run and comes out of
    `run_main`. A dataflow may be run several times; it cannot be subclassed.

    Step ids name steps in messages and in recovery: keep them when you change a flow that has
    state to keep. An id that is used twice is refused.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("type 'bytewax.dataflow.Dataflow' is not an acceptable base type")

    def __json__(self) -> dict[str, Any]:
        """Return the flow as a dict: what `bytewax._encoder.encode_dataflow` writes."""
        from .encoder import describe_steps

        return {"type": "Dataflow", "steps": describe_steps(self._steps)}
