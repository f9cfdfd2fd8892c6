"""The types that sources are subclasses of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any


class AbortExecution(RuntimeError):
    """Raise it in `next_batch` to stop the dataflow at once, as a crash would, for tests.

    Nothing more is written or snapshotted, and `run_main` returns.
    """


class Source(ABC):  # noqa: B024 - a family of types, not to be subclassed by applications
    """Where items come from. Subclass `FixedPartitionedSource` or `DynamicSource`, not this."""

    def __json__(self) -> dict[str, Any]:
        """Return what `encode_dataflow` writes: the type's name."""
        return {"type": type(self).__name__}


class StatefulSourcePartition(ABC):
    """A partition of a source that knows its position, so that it can go on after a restart."""

    @abstractmethod
    def next_batch(self, sched: datetime) -> list[Any]:
        """Return the next items: a list or another sequence, empty if there are none now.

        It must not wait: the worker does nothing else meanwhile. Use `next_awake` to be called
        later.

        sched: the time for which this call was asked, a datetime with tzinfo `timezone.utc`; it is
        passed to methods that take it (those of release 0.17 do not).
        Raises StopIteration at the end of the input, AbortExecution to stop like a crash.
        """

    def next_awake(self) -> datetime | None:
        """Return when to call `next_batch` next, at the earliest: a datetime with a tzinfo.

        None, as here: at once after a batch that was not empty, else a millisecond later.
        Called when the partition was built and after each `next_batch`.
        """
        return None

    @abstractmethod
    def snapshot(self) -> Any:
        """Return the position of the item after the last one that `next_batch` returned.

        It must be something that pickle knows. `build_part` gets it as `resume_state` after a
        restart. Called at the end of each epoch in which something was read, also when nothing is
        stored; not after `close`.
        """

    def close(self) -> None:  # noqa: B027 - nothing to do unless overridden
        """Release what the partition holds. Called when the run ends, unless the process died."""


class FixedPartitionedSource(Source):
    """A source of a known number of partitions, each of which is read by one worker.

    Partitions are shared out evenly, and resumed where their last snapshot was.
    """

    @abstractmethod
    def list_parts(self) -> list[str]:
        """Return the names of the partitions that this worker can read, each once."""

    @abstractmethod
    def build_part(
        self, now: datetime, for_part: str, resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Open a partition. Called once in a run for each partition.

        Take all that depends on a partition's position from resume_state, not from self.

        now: the time, a datetime with tzinfo `timezone.utc`; it is passed to methods that take it
        (those of release 0.17 do not). for_part: one of the names of `list_parts`.
        resume_state: what `snapshot` returned before a restart, None at the beginning.
        """


class StatelessSourcePartition(ABC):
    """What one worker reads of a source without positions."""

    @abstractmethod
    def next_batch(self, sched: datetime) -> list[Any]:
        """Return the next items; see `StatefulSourcePartition.next_batch`."""

    def next_awake(self) -> datetime | None:
        """Return when to call `next_batch`; see `StatefulSourcePartition.next_awake`."""
        return None

    def close(self) -> None:  # noqa: B027 - nothing to do unless overridden
        """Release what the partition holds. Called when the run ends, unless the process died."""


class DynamicSource(Source):
    """A source that every worker reads, without positions: a restart may lose items."""

    @abstractmethod
    def build(
        self, now: datetime, worker_index: int, worker_count: int
    ) -> StatelessSourcePartition:
        """Open what a worker reads. Called once in a run on each worker.

        now: the time, a datetime with tzinfo `timezone.utc`; it is passed to methods that take it
        (those of release 0.17 do not). worker_index: of this worker, from 0 on.
        """
