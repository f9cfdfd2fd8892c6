"""Where items go, and how to write your own sink.

Subclass `FixedPartitionedSink` where a write can be taken back to a position (files): its state is
resumed, and each item is written once. Subclass `DynamicSink` where it can't: after a crash the
items of the last epoch are written again. Sinks that are there: `bytewax.connectors`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from zlib import adler32

__all__ = [
    "DynamicSink",
    "FixedPartitionedSink",
    "Sink",
    "StatefulSinkPartition",
    "StatelessSinkPartition",
]


class Sink(ABC):  # noqa: B024 - a family of types, not to be subclassed by applications
    """Where items go. Subclass `FixedPartitionedSink` or `DynamicSink`, not this."""

    def __json__(self) -> dict[str, Any]:
        """Return what `encode_dataflow` writes: the type's name."""
        return {"type": type(self).__name__}


class StatefulSinkPartition(ABC):
    """A partition of a sink that knows its position, so that it can go on after a restart."""

    @abstractmethod
    def write_batch(self, values: list[Any]) -> None:
        """Write values: those of `(key, value)` items whose key belongs to this partition."""

    def snapshot(self) -> Any:
        """Return the position behind the last value that was written; None, as here: it has none.

        It must be something that pickle knows. `build_part` gets it as `resume_state` after a
        restart, and the next write must go there. What was written must be safe when this
        returns. Called at the end of each epoch in which something was written, also when nothing
        is stored; not after `close`.
        """

    def close(self) -> None:  # noqa: B027 - nothing to do unless overridden
        """Release what the partition holds. Called when the run ends, unless the process died."""


class FixedPartitionedSink(Sink):
    """A sink of a known number of partitions, each of which is written by one worker.

    Takes `(key, value)` tuples, the key a str. A partition is resumed from its last snapshot.
    """

    @abstractmethod
    def list_parts(self) -> list[str]:
        """Return the names of the partitions that this worker can write, each once."""

    @abstractmethod
    def build_part(self, for_part: str, resume_state: Any | None) -> StatefulSinkPartition:
        """Open a partition. Called at most once in a run for each partition.

        Take all that depends on a partition's position from resume_state, not from self.

        for_part: one of the names of `list_parts`.
        resume_state: what `snapshot` returned before a restart, None at the beginning.
        """

    def part_fn(self, item_key: str) -> int:
        """Return a number that says which partition an item belongs to.

        The number, modulo their count, is an index into the sorted names of all partitions. It must
        be the same on every worker and in every run (Python's `hash` is not). Unless overridden
        it is `zlib.adler32` of the key's UTF-8.
        """
        return adler32(item_key.encode())


class StatelessSinkPartition(ABC):
    """What one worker writes of a sink without positions."""

    @abstractmethod
    def write_batch(self, items: list[Any]) -> None:
        """Write items, as many as there are at the moment."""

    def close(self) -> None:  # noqa: B027 - nothing to do unless overridden
        """Release what the partition holds. Called when the run ends, unless the process died."""


class EpochSinkPartition(StatelessSinkPartition):
    """A partition that wants to know when an epoch ends."""

    @abstractmethod
    def end_epoch(self) -> None:
        """The epoch has ended; it is stored, if it is stored, when this returns."""


class DynamicSink(Sink):
    """A sink that every worker writes, without positions: at least once."""

    @abstractmethod
    def build(self, worker_index: int, worker_count: int) -> StatelessSinkPartition:
        """Open what a worker writes. Called once in a run on each worker.

        worker_index: of this worker, from 0 on. worker_count: of all workers.
        """
