"""How the engine sees a sink: the same attributes, whichever type it is of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ..places import shorten
from .outputs import (
    DynamicSink,
    EpochSinkPartition,
    FixedPartitionedSink,
    StatefulSinkPartition,
    StatelessSinkPartition,
)
from .partitions import check_partition, part_names


@dataclass(frozen=True, slots=True)
class BuiltSink:
    """A partition that was built, and how to call it.

    part: the user's object. write_batch, close: its methods. snapshot: its method, or None when it
    has no position. end_epoch: called before an epoch is stored, None for nothing.
    """

    part: Any
    write_batch: Callable[[list[Any]], Any]
    snapshot: Callable[[], Any] | None
    close: Callable[[], Any]
    end_epoch: Callable[[], Any] | None = None


class FixedSink:
    """A FixedPartitionedSink for the engine."""

    kind: Literal["fixed"] = "fixed"
    __slots__ = ("_sink", "part_fn")

    def __init__(self, sink: FixedPartitionedSink) -> None:
        self._sink = sink
        self.part_fn: Callable[[str], int] = sink.part_fn

    def list_parts(self) -> list[str]:
        """Return the partitions' names, each once. Raises TypeError when they are no strings."""
        return part_names(self._sink.list_parts(), self._sink)

    def build_part(self, part: str, resume_state: Any | None) -> BuiltSink:
        """Build a partition. Raises TypeError when that gives none, and what the user raises."""
        built: Any = self._sink.build_part(part, resume_state)
        check_partition(
            built,
            StatefulSinkPartition,
            "stateful sink partition",
            "bytewax.outputs.StatefulSinkPartition",
            f"{type(self._sink).__name__}.build_part for partition {part!r}",
        )
        return BuiltSink(built, built.write_batch, built.snapshot, built.close)


class PerWorkerSink:
    """A DynamicSink for the engine."""

    kind: Literal["dynamic"] = "dynamic"
    __slots__ = ("_sink",)

    def __init__(self, sink: DynamicSink) -> None:
        self._sink = sink

    def build(self, index: int, count: int) -> BuiltSink:
        """Build a worker's part. Raises TypeError when that gives none, and what the user raises.

        index: of the worker, from 0 on. count: of all workers.
        """
        built: Any = self._sink.build(index, count)
        check_partition(
            built,
            StatelessSinkPartition,
            "stateless sink partition",
            "bytewax.outputs.StatelessSinkPartition",
            f"{type(self._sink).__name__}.build",
        )
        end_epoch = built.end_epoch if isinstance(built, EpochSinkPartition) else None
        return BuiltSink(built, built.write_batch, None, built.close, end_epoch)


def adapt_sink(sink: Any) -> FixedSink | PerWorkerSink:
    """Return a sink as the engine sees it. Raises TypeError when it is none of the two types."""
    if isinstance(sink, FixedPartitionedSink):
        return FixedSink(sink)
    if isinstance(sink, DynamicSink):
        return PerWorkerSink(sink)
    raise TypeError(
        "sink must subclass `bytewax.outputs.FixedPartitionedSink` or "
        f"`bytewax.outputs.DynamicSink`; got {shorten(sink)}"
    )
