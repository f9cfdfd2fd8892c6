"""The two protocols between a stream and a storage.

An application gives an `IntoSink` to `to_sink`, `to_sinks`, `to_router` or `output`. It is
recognised by its members alone: no base class, no registration. Each worker has it build one
`SinkPartition`, which gets the records of each epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from .async_bridge import AsyncBridge
    from .epoch import Epoch

StreamPayload: TypeAlias = object
"""What a stream carries: any object; with `--resilience-dir`, one that can be pickled."""

EventT_contra = TypeVar("EventT_contra", bound=StreamPayload, contravariant=True)
EventT = TypeVar("EventT", bound=StreamPayload)


class SinkPartition(Protocol[EventT_contra]):
    """One worker's end of a storage sink.

    All calls come from one thread, which is this sink's own: a slow storage does not hold up the
    worker. Two optional methods make it more than a sink that is written at least once:

    `open()` is called once after `build_partition`, before the sources open; it may connect and
    look whether the storage is fit. `write_epoch(items, epoch)` takes the place of `write_batch`
    when the server runs with `--resilience-dir`; see `EpochPartition`. Members of these names that
    can't be called so are passed over.
    """

    def write_batch(self, items: Sequence[EventT_contra]) -> None:
        """Write the records of one epoch; never called without any.

        items: what the stream put out, in order.

        Whatever it raises, the same records are given again a little later, `--sink-retries` times;
        then they become dead letters, or the server stops (`--on-error`). Raise
        `wallaroo.SinkUnavailable` when the storage can't be reached: that is tried until it can.
        Raise `wallaroo.RejectedItems` for single records that can't be written.
        """
        ...

    def close(self) -> None:
        """Release what is held. Called once, on shutdown and after a failed run, even when nothing
        was written; must do no harm when called again."""
        ...


class EpochPartition(SinkPartition[EventT_contra], Protocol[EventT_contra]):
    """A partition that joins the epochs of `--resilience-dir`: each is written exactly once."""

    def write_epoch(self, items: Sequence[EventT_contra], epoch: Epoch) -> None:
        """Write the records of one epoch and, atomically with them, which epoch that was.

        After a crash the newest epoch comes again, with the same records: when `epoch.number` is
        not above what the storage has for `epoch.sink`, it must not be written again.
        Raises what `write_batch` raises.
        """
        ...


@runtime_checkable
class IntoSink(Protocol[EventT]):
    """A terminal node that writes into a storage.

    Any object with these members is one; frozen dataclasses suit best:

        @dataclass(frozen=True)
        class IntoMongo(Generic[EventT]):
            payload: type[EventT]
            collection: str
            name: str = ""
            router_branch_safe: ClassVar[bool] = True

            def build_partition(
                self, config, worker_index, worker_count, bridge=None, session_manager=None
            ):
                return MongoPartition(url=config["url"], collection=self.collection)

    payload: the type of the records. name: the section `streaming.sinks.<name>` of the
    configuration; "" for none. router_branch_safe: whether `to_router` may use it for a branch.
    """

    payload: type[EventT]
    name: str
    router_branch_safe: bool

    def build_partition(
        self,
        config: Mapping[str, Any],
        worker_index: int,
        worker_count: int,
        bridge: AsyncBridge | None = None,
        session_manager: Any = None,
    ) -> SinkPartition[EventT]:
        """Return the partition of one worker; called once, at start.

        config: the section `streaming.sinks.<name>`, {} without one. worker_index: from 0 on.
        worker_count: of this run. bridge: runs coroutines for `write_batch`; the same for all sinks
        of a worker. session_manager: makes SQLAlchemy sessions for the section's `url`, None when
        it has none.
        What it raises is reported, and nothing is started.
        """
        ...
