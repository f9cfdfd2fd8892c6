"""Terminal nodes: the protocols of storage sinks, and the built-in ones."""

from wallaroo.storage.into_files import IntoFiles
from wallaroo.storage.into_table import IntoTable

from ._sink import IntoSink, SinkPartition

__all__ = ["IntoFiles", "IntoSink", "IntoTable", "SinkPartition"]
