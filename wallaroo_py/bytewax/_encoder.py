"""A dataflow as JSON, for tools that show one.

Implemented in `wallaroo.flows.encoder`, which has the whole story.
"""

from wallaroo.flows.encoder import (
    DataflowEncoder,
    encode_dataflow,
)

__all__ = [
    "DataflowEncoder",
    "encode_dataflow",
]
