"""Write to standard output.

Implemented in `wallaroo.flows.stdio`, which has the whole story.
"""

from wallaroo.flows.stdio import (
    StdOutSink,
)
from wallaroo.flows.stdio import _PrintSinkPartition as _PrintSinkPartition

# Names of release 0.17.
StdOutput = StdOutSink

__all__ = [
    "StdOutSink",
    "StdOutput",
]
