"""Where items come from, and how to write your own source.

Subclass `FixedPartitionedSource` where positions can be sought (files, topics): it is resumed
where it was. Subclass `DynamicSource` where they can't (a socket), and `SimplePollingSource` to ask
something for a value now and then. Sources that are there: `bytewax.connectors`.

`next_batch` must return soon, as its worker does nothing else meanwhile. The functions `batch`,
`batch_getter`, `batch_getter_ex` and `batch_async` make it easy to return many items at once.
"""

from __future__ import annotations

from .batching import batch, batch_async, batch_getter, batch_getter_ex
from .polling import SimplePollingSource
from .sources import (
    AbortExecution,
    DynamicSource,
    FixedPartitionedSource,
    Source,
    StatefulSourcePartition,
    StatelessSourcePartition,
)

__all__ = [
    "AbortExecution",
    "DynamicSource",
    "FixedPartitionedSource",
    "SimplePollingSource",
    "Source",
    "StatefulSourcePartition",
    "StatelessSourcePartition",
    "batch",
    "batch_async",
    "batch_getter",
    "batch_getter_ex",
]
