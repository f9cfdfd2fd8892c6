"""Where items come from, and how to write your own source.

Implemented in `wallaroo.flows.inputs`, which has the whole story.
"""

from wallaroo.flows.inputs import (
    AbortExecution,
    DynamicSource,
    FixedPartitionedSource,
    SimplePollingSource,
    Source,
    StatefulSourcePartition,
    StatelessSourcePartition,
    batch,
    batch_async,
    batch_getter,
    batch_getter_ex,
)

# Names of release 0.17.
Input = Source
PartitionedInput = FixedPartitionedSource
DynamicInput = DynamicSource
StatefulSource = StatefulSourcePartition
StatelessSource = StatelessSourcePartition

__all__ = [
    "AbortExecution",
    "DynamicInput",
    "DynamicSource",
    "FixedPartitionedSource",
    "Input",
    "PartitionedInput",
    "SimplePollingSource",
    "Source",
    "StatefulSource",
    "StatefulSourcePartition",
    "StatelessSource",
    "StatelessSourcePartition",
    "batch",
    "batch_async",
    "batch_getter",
    "batch_getter_ex",
]
