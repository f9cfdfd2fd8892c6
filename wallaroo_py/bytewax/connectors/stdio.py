"""Write to standard output.

Implemented in `wallaroo.flows.stdio`, which has the whole story.
"""

from wallaroo.flows.stdio import (
    StdOutSink,
)

# Names of release 0.17.
StdOutput = StdOutSink

__all__ = [
    "StdOutSink",
    "StdOutput",
]
