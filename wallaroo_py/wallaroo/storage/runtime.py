"""What a running worker calls: builds the partitions of its storage sinks, writes, closes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import WallarooParameterError
from .async_bridge import AsyncBridge
from .epoch import Epoch
from .errors import RejectedItems, SinkUnavailable
from .recognise import has_member, optional_method, partition_mistakes
from .sessions import SessionManagers

LOG = logging.getLogger("wallaroo.storage")

Outcome = str | list[tuple[int, str]] | None
"""Of a write: None it is done, a str why the storage can't be reached, a list the records that
can't be written by their index."""


def section_mistakes(sink: Any, section: str) -> list[tuple[str | None, str]]:
    """Return what a sink says is wrong with its section; [] when it does not look.

    section: as JSON. Each mistake: the key, None for all of the section, and what is wrong.
    """
    ask = optional_method(sink, "config_mistakes", 1)
    return [] if ask is None else [(key, str(text)) for key, text in ask(json.loads(section))]


class Storage:
    """The storage sinks of one worker and what they share."""

    def __init__(self, settings: str) -> None:
        """settings: JSON with "sinks" (name -> section), "worker_index" and "worker_count"."""
        read = json.loads(settings)
        self._sections: dict[str, dict[str, Any]] = read["sinks"]
        self._worker_index: int = read["worker_index"]
        self._worker_count: int = read["worker_count"]
        self._bridge = AsyncBridge()
        self._sessions = SessionManagers(self._bridge)

    def sink(self, sink: Any, epoch_name: str) -> RunningSink:
        """Return a sink that is to be opened, on the thread on which it shall run.

        epoch_name: `Epoch.sink` of its epochs.
        """
        return RunningSink(sink, epoch_name, self)

    def build(self, sink: Any) -> Any:
        """Have a sink build this worker's partition. Raises WallarooParameterError."""
        section = self._sections.get(sink.name, {})
        partition = sink.build_partition(
            section,
            self._worker_index,
            self._worker_count,
            bridge=self._bridge,
            session_manager=self._sessions.of(section),
        )
        wrong = list(partition_mistakes(partition))
        if wrong:
            kind = type(sink).__name__
            raise WallarooParameterError(
                *(f"{kind}.build_partition() returned {partition!r}: {text}" for text in wrong)
            )
        return partition

    def cancel(self) -> None:
        """Cancel the coroutines that partitions wait for; the worker stops."""
        self._bridge.cancel_running()

    def close(self) -> None:
        """Close what the sinks shared; they are closed themselves."""
        self._sessions.close()
        self._bridge.close()


class RunningSink:
    """One worker's end of a sink. All calls on one thread."""

    def __init__(self, sink: Any, epoch_name: str, storage: Storage) -> None:
        self._sink = sink
        self._epoch_name = epoch_name
        self._storage = storage
        self._partition: Any = None
        self._open_partition: Callable[[], Any] | None = None
        self._write_epoch: Callable[[list[Any], Epoch], Any] | None = None
        self._open = False

    def open(self) -> str | None:
        """Build the partition, if that was not done yet, and open it.

        Return None, or why the storage can't be reached: to be called again then.
        Raises what `build_partition` and `open` raise.
        """
        if self._partition is None:
            self._partition = self._storage.build(self._sink)
            self._open_partition = optional_method(self._partition, "open", 0)
            self._write_epoch = optional_method(self._partition, "write_epoch", 2)
            if self._write_epoch is None and has_member(self._partition, "write_epoch"):
                LOG.warning(
                    "%r: its write_epoch can't be called as write_epoch(items, epoch), "
                    "write_batch(items) is used",
                    self._partition,
                )
        if not self._open and self._open_partition is not None:
            try:
                self._open_partition()
            except SinkUnavailable as unavailable:
                return str(unavailable) or "it is not available"
        self._open = True
        return None

    def write(self, items: Sequence[Any], epoch: int | None) -> Outcome:
        """Write an epoch's records. epoch: its number, None when it is not kept.

        Raises whatever the partition raises beside SinkUnavailable and RejectedItems.
        """
        batch = list(items)  # a partition may do with it what it likes
        try:
            if epoch is not None and self._write_epoch is not None:
                self._write_epoch(batch, Epoch(self._epoch_name, epoch))
            else:
                self._partition.write_batch(batch)
        except SinkUnavailable as unavailable:
            return str(unavailable) or "it is not available"
        except RejectedItems as rejected:
            return _reasons(rejected.reasons, len(items))
        return None

    def close(self) -> None:
        """Close the partition, if there is one. Raises what it raises."""
        partition, self._partition = self._partition, None
        self._open_partition = self._write_epoch = None
        if partition is not None:
            partition.close()


def _reasons(reasons: Mapping[int, str], count: int) -> list[tuple[int, str]]:
    wrong = [i for i in reasons if not isinstance(i, int) or not 0 <= i < count]
    if wrong or not reasons:
        raise ValueError(f"RejectedItems with the indices {list(reasons)} of {count} items")
    return [(i, str(reasons[i])) for i in sorted(reasons)]
