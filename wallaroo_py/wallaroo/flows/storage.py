"""A storage sink as an output of a dataflow."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from ..storage.errors import RejectedItems
from ..storage.runtime import Outcome, RunningSink, Storage
from .outputs import DynamicSink, EpochSinkPartition

LOG = logging.getLogger("wallaroo.storage")
RETRIES = 5
BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.1, 2.0
ITEMS_MAX = 1 << 17
"""So many items are written before their epoch has ended: memory has an end."""


class FlowStorages:
    """What the storage outputs of one dataflow share: for each worker that runs, one Storage."""

    def __init__(self) -> None:
        self._sections: dict[str, Any] = {}
        self._used: dict[int, tuple[Storage, int]] = {}

    def configure(self, sections: str) -> None:
        """Take the sections of the configuration, as JSON, for the runs from now on."""
        self._sections = json.loads(sections)

    def take(self, worker_index: int, worker_count: int) -> Storage:
        """Return a worker's Storage, made if it is the first to ask; to be given back."""
        storage, users = self._used.get(worker_index, (None, 0))
        if storage is None:
            settings = {"sinks": self._sections, "worker_index": worker_index}
            storage = Storage(json.dumps({**settings, "worker_count": worker_count}))
        self._used[worker_index] = (storage, users + 1)
        return storage

    def give_back(self, worker_index: int) -> None:
        """The last one to give a Storage back closes it."""
        storage, users = self._used.pop(worker_index)
        if users > 1:
            self._used[worker_index] = (storage, users - 1)
        else:
            storage.close()


class StorageOutput(DynamicSink):
    """Hands the items of each epoch to a storage sink, on every worker."""

    def __init__(self, sink: Any, step_id: str, storages: FlowStorages) -> None:
        self.sink = sink
        self.step_id = step_id
        self._storages = storages

    def build(self, worker_index: int, worker_count: int) -> StorageOutputPart:
        """Build the worker's partition and open it; waits while the storage is away."""
        storage = self._storages.take(worker_index, worker_count)
        try:
            running = storage.sink(self.sink, f"flow-{self.step_id}-{worker_index}")
            who = f"{type(self.sink).__name__} of step {self.step_id!r}"
            _until_available(running.open, who)
        except BaseException:
            self._storages.give_back(worker_index)
            raise
        return StorageOutputPart(running, who, lambda: self._storages.give_back(worker_index))

    def __json__(self) -> dict[str, Any]:
        return {"type": type(self.sink).__name__, "name": self.sink.name}


class StorageOutputPart(EpochSinkPartition):
    """One worker's end: collects the items of an epoch, and writes them when it ends.

    At least once: they are written before the epoch is stored.
    """

    def __init__(self, running: RunningSink, who: str, closed: Callable[[], None]) -> None:
        self._running: RunningSink | None = running
        self._who = who
        self._closed = closed
        self._items: list[Any] = []

    def write_batch(self, items: list[Any]) -> None:
        """Keep items for the epoch's end."""
        self._items.extend(items)
        if len(self._items) >= ITEMS_MAX:
            self.end_epoch()

    def end_epoch(self) -> None:
        """Write what the epoch has put out. Called by the engine.

        Raises RejectedItems, and what the partition has raised when it was tried often enough.
        """
        items, self._items = self._items, []
        running = self._running
        if not items or running is None:
            return
        _until_available(lambda: _try(lambda: running.write(items, None), self._who), self._who)

    def close(self) -> None:
        """Close the partition, once."""
        running, self._running = self._running, None
        if running is None:
            return
        try:
            running.close()
        finally:
            self._closed()


def _try(write: Callable[[], Outcome], who: str) -> str | None:
    """Write, several times when that raises. Return why the storage is away, None when it is done.

    Raises what the last try raised, RejectedItems for items that can't be written.
    """
    wait_s = BACKOFF_FIRST_S
    for left in range(RETRIES, -1, -1):
        try:
            outcome = write()
            break
        except Exception as error:
            if left == 0:
                raise
            LOG.warning("%s: a write failed, tried again: %s", who, error)
            time.sleep(wait_s)
            wait_s = min(wait_s * 2, BACKOFF_MAX_S)
    if isinstance(outcome, list):
        raise RejectedItems(dict(outcome))
    return outcome


def _until_available(call: Callable[[], str | None], who: str) -> None:
    """Call until it returns None; what it returns otherwise is why the storage is away."""
    wait_s = BACKOFF_FIRST_S
    while (why := call()) is not None:
        if wait_s == BACKOFF_FIRST_S:
            LOG.warning("%s: %s; trying again until it is there", who, why)
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, BACKOFF_MAX_S)
