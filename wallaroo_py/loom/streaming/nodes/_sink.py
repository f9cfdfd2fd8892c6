"""Storage sink protocols."""

from wallaroo.storage.protocols import IntoSink, SinkPartition

__all__ = ["IntoSink", "SinkPartition"]
