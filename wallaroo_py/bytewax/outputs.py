"""Where items go, and how to write your own sink.

Implemented in `wallaroo.flows.outputs`, which has the whole story.
"""

from wallaroo.flows.outputs import (
    DynamicSink,
    FixedPartitionedSink,
    Sink,
    StatefulSinkPartition,
    StatelessSinkPartition,
)

# Names of release 0.17.
Output = Sink
PartitionedOutput = FixedPartitionedSink
DynamicOutput = DynamicSink
StatefulSink = StatefulSinkPartition
StatelessSink = StatelessSinkPartition

__all__ = [
    "DynamicOutput",
    "DynamicSink",
    "FixedPartitionedSink",
    "Output",
    "PartitionedOutput",
    "Sink",
    "StatefulSink",
    "StatefulSinkPartition",
    "StatelessSink",
    "StatelessSinkPartition",
]
