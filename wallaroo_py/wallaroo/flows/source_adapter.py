"""How the engine sees a source: the same attributes, whichever release it was written for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ..places import shorten
from .arguments import takes_leading
from .partitions import check_partition, part_names
from .sources import (
    DynamicSource,
    FixedPartitionedSource,
    StatefulSourcePartition,
    StatelessSourcePartition,
)


@dataclass(frozen=True, slots=True)
class BuiltSource:
    """A partition that was built, and how to call it.

    part: the user's object. next_batch: its method, called with the awake time if takes_sched.
    next_awake: its method, or None when its class leaves that at the default.
    snapshot: its method, or None when it has no position. close: its method.
    """

    part: Any
    next_batch: Callable[..., Any]
    takes_sched: bool
    next_awake: Callable[[], datetime | None] | None
    snapshot: Callable[[], Any] | None
    close: Callable[[], Any]


class FixedSource:
    """A FixedPartitionedSource for the engine."""

    kind: Literal["fixed"] = "fixed"
    __slots__ = ("_build", "_source", "_takes_now")

    def __init__(self, source: FixedPartitionedSource) -> None:
        self._source = source
        self._build: Callable[..., Any] = source.build_part
        self._takes_now = takes_leading(source.build_part, "now", 2)

    def list_parts(self) -> list[str]:
        """Return the partitions' names, each once. Raises TypeError when they are no strings."""
        return part_names(self._source.list_parts(), self._source)

    def build_part(self, now: datetime, part: str, resume_state: Any | None) -> BuiltSource:
        """Build a partition. Raises TypeError when that gives none, and what the user raises."""
        now_first = (now,) if self._takes_now else ()
        built = self._build(*now_first, part, resume_state)
        check_partition(
            built,
            StatefulSourcePartition,
            "stateful source partition",
            "bytewax.inputs.StatefulSourcePartition",
            f"{type(self._source).__name__}.build_part for partition {part!r}",
        )
        return _built(built, StatefulSourcePartition, built.snapshot)


class PerWorkerSource:
    """A DynamicSource for the engine."""

    kind: Literal["dynamic"] = "dynamic"
    __slots__ = ("_build", "_source", "_takes_now")

    def __init__(self, source: DynamicSource) -> None:
        self._source = source
        self._build: Callable[..., Any] = source.build
        self._takes_now = takes_leading(source.build, "now", 2)

    def build(self, now: datetime, index: int, count: int) -> BuiltSource:
        """Build a worker's part. Raises TypeError when that gives none, and what the user raises.

        index: of the worker, from 0 on. count: of all workers.
        """
        now_first = (now,) if self._takes_now else ()
        built = self._build(*now_first, index, count)
        check_partition(
            built,
            StatelessSourcePartition,
            "stateless source partition",
            "bytewax.inputs.StatelessSourcePartition",
            f"{type(self._source).__name__}.build",
        )
        return _built(built, StatelessSourcePartition, None)


def adapt_source(source: Any) -> FixedSource | PerWorkerSource:
    """Return a source as the engine sees it. Raises TypeError when it is none of the two types."""
    if isinstance(source, FixedPartitionedSource):
        return FixedSource(source)
    if isinstance(source, DynamicSource):
        return PerWorkerSource(source)
    raise TypeError(
        "source must subclass `bytewax.inputs.FixedPartitionedSource` or "
        f"`bytewax.inputs.DynamicSource`; got {shorten(source)}"
    )


def _built(
    part: Any,
    base: type[StatefulSourcePartition] | type[StatelessSourcePartition],
    snapshot: Callable[[], Any] | None,
) -> BuiltSource:
    own_rhythm = type(part).next_awake is not base.next_awake or "next_awake" in vars(part)
    return BuiltSource(
        part=part,
        next_batch=part.next_batch,
        takes_sched=takes_leading(part.next_batch, "sched", 0),
        next_awake=part.next_awake if own_rhythm else None,
        snapshot=snapshot,
        close=part.close,
    )
