"""Define dataflows: make a `Dataflow`, and add steps with its methods.

Implemented in `wallaroo.flows.dataflow`, which has the whole story.
"""

from wallaroo.flows.dataflow import (
    Dataflow,
)

__all__ = [
    "Dataflow",
]
