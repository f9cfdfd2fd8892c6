"""How snapshots become text, if pickle is not wanted.

Implemented in `wallaroo.flows.serde`, which has the whole story.
"""

from wallaroo.flows.serde import (
    JsonPickleSerde,
    Serde,
)

__all__ = [
    "JsonPickleSerde",
    "Serde",
]
