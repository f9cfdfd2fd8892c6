"""Read and write Kafka topics, with the engine's own client (librdkafka).

Items are `(key, value)` tuples of bytes, None where a message has no key, or no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ..engine import load_engine
from .arguments import check_str, now_may_be_left_out
from .idle_pause import IdlePause
from .outputs import DynamicSink, StatelessSinkPartition
from .sources import FixedPartitionedSource, StatefulSourcePartition

__all__ = ["KafkaSink", "KafkaSource"]

OFFSET_BEGINNING = -2
"""The first message that a partition has."""
OFFSET_END = -1
"""Behind the last message that a partition has when it is opened."""

_TIMEOUT_S = 10.0  # for a question to the brokers


def _addresses(brokers: Iterable[str]) -> str:
    return ",".join(check_str("brokers", broker) for broker in _several("brokers", brokers))


def _several(name: str, values: Iterable[str]) -> list[str]:
    """Return the values as a list. Raises TypeError for a str, ValueError when there are none."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be an iterable and not a string; got {values!r}")
    listed = list(values)
    if not listed:
        raise ValueError(f"{name} must not be empty")
    return listed


def kafka_properties(brokers: str, **more: Any) -> dict[str, str]:
    """Return librdkafka's properties as text; None leaves one out, a bool is written small."""
    properties = {"bootstrap.servers": brokers, **more}
    return {
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in properties.items()
        if value is not None
    }


class KafkaReading:
    """A partition that is being read, from an offset on.

    reader: the engine's. batch_size: messages taken at once.
    """

    def __init__(self, reader: Any, topic: str, part_idx: int, batch_size: int) -> None:
        self._reader = reader
        self._place = f"partition {part_idx} of Kafka topic `{topic!r}`"
        self._batch_size = batch_size
        self._offset: int = reader.start()
        self._ended = False
        self._pause = IdlePause()

    def take(self, message: Callable[..., Any] | None = None) -> list[Any]:
        """Return the next `(key, value)`, in place of the key what `message` makes, if it is given.

        message: called with offset, timestamp in milliseconds, key and headers.
        Raises StopIteration at the end, RuntimeError for what the brokers say.
        """
        if self._ended:
            raise StopIteration
        try:
            items, self._offset, self._ended = self._reader.take(
                self._offset, self._batch_size, message
            )
        except RuntimeError as error:
            raise RuntimeError(f"error consuming from {self._place}: {error}") from None
        if self._ended and not items:
            raise StopIteration
        self._pause.after(bool(items))
        found: list[Any] = items
        return found

    def next_awake(self) -> datetime | None:
        """Return when to take again, None for at once."""
        return self._pause.awake

    def snapshot(self) -> int:
        """Return the offset of what is taken next."""
        return self._offset

    def close(self) -> None:
        """End the client."""
        self._reader.close()


class ReadingPartition(StatefulSourcePartition):
    """A partition of a topic as a dataflow polls it; its items are what it takes."""

    def __init__(self, reading: KafkaReading) -> None:
        self._reading = reading

    def next_batch(self, sched: Any = None) -> list[Any]:
        """Return the next items."""
        return self._reading.take()

    def next_awake(self) -> datetime | None:
        """Return when to take again, None for at once."""
        return self._reading.next_awake()

    def snapshot(self) -> int:
        """Return the offset of what is taken next."""
        return self._reading.snapshot()

    def close(self) -> None:
        """End the client."""
        self._reading.close()


class KafkaSource(FixedPartitionedSource):
    """Read Kafka topics, from all their partitions.

    Offsets are kept in the flow's snapshots, not in a consumer group: without recovery each run
    begins at starting_offset. Partitions that a topic gets while the flow runs are read from its
    next start on. When messages that a snapshot refers to are gone the flow ends with an error,
    unless add_config has `auto.offset.reset`.

    brokers: `host:port` of some. topics: names. tail: False ends the input where each partition
    ends. starting_offset: OFFSET_BEGINNING (-2), OFFSET_END (-1) or an offset.
    add_config: librdkafka's properties, name -> value. batch_size: messages taken at once.
    Raises TypeError when brokers or topics are a str, ValueError when there are none, or for a
    batch_size below 1; when the flow runs RuntimeError for what the brokers say.
    """

    def __init__(
        self,
        brokers: Iterable[str],
        topics: Iterable[str],
        tail: bool = True,
        starting_offset: int = OFFSET_BEGINNING,
        add_config: dict[str, str] | None = None,
        batch_size: int = 1,
    ) -> None:
        self._brokers = _addresses(brokers)
        self._topics = [check_str("topics", topic) for topic in _several("topics", topics)]
        if batch_size < 1:
            raise ValueError(f"argument 'batch_size': must be 1 or more, got {batch_size!r}")
        self._batch_size = batch_size
        self._starting_offset = starting_offset
        self._config = {"enable.partition.eof": not tail, **(add_config or {})}

    def list_parts(self) -> list[str]:
        """Return `PARTITION-TOPIC` for each partition. Raises RuntimeError for an unknown topic."""
        parts = []
        for topic in self._topics:
            properties = kafka_properties(self._brokers, **self._config)
            try:
                count = load_engine().kafka_partitions(properties, topic, _TIMEOUT_S)
            except RuntimeError as error:
                raise RuntimeError(
                    f"error listing partitions for Kafka topic `{topic!r}`: {error}"
                ) from None
            parts += [f"{index}-{topic}" for index in range(count)]
        return parts

    @now_may_be_left_out
    def build_part(
        self, now: datetime, for_part: str, resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Begin reading a partition, at the offset of the last snapshot."""
        index, _, topic = for_part.partition("-")
        return ReadingPartition(self.open_part(topic, int(index), resume_state))

    def open_part(self, topic: str, index: int, resume_state: Any | None) -> KafkaReading:
        """Begin reading a partition of a topic. Raises RuntimeError when that can't be."""
        offset = self._starting_offset if resume_state is None else resume_state
        properties = kafka_properties(self._brokers, **self._config)
        try:
            reader = load_engine().KafkaReader(properties, topic, index, offset, _TIMEOUT_S)
        except RuntimeError as error:
            raise RuntimeError(
                f"error opening partition {index} of Kafka topic `{topic!r}`: {error}"
            ) from None
        return KafkaReading(reader, topic, index, self._batch_size)


class _KafkaSinkPartition(StatelessSinkPartition):
    def __init__(self, writer: Any, topic: str) -> None:
        self._writer = writer
        self._topic = topic

    def write_batch(self, items: list[Any]) -> None:
        try:
            self._writer.write(items)
        except RuntimeError as error:
            raise RuntimeError(
                f"error producing to Kafka topic `{self._topic!r}`: {error}"
            ) from None

    def close(self) -> None:
        self._writer.close()


class KafkaSink(DynamicSink):
    """Write a Kafka topic. Every worker writes its own items, at least once.

    Takes `(key, value)` tuples of bytes, str or None; the key chooses the partition, as Kafka's own
    producer does. A batch is written when all replicas in sync have it.

    brokers: `host:port` of some. topic: its name. add_config: librdkafka's properties, name ->
    value.
    Raises TypeError when brokers is a str, ValueError when there are none; when the flow runs
    RuntimeError for what the brokers refuse, after `message.timeout.ms` (5 minutes) also when they
    are out of reach.
    """

    def __init__(
        self, brokers: Iterable[str], topic: str, add_config: dict[str, str] | None = None
    ) -> None:
        self._brokers = _addresses(brokers)
        self._topic = check_str("topic", topic)
        self._config = dict(add_config or {})

    def build(self, worker_index: int, worker_count: int) -> StatelessSinkPartition:
        """Build a worker's part."""
        properties = kafka_properties(self._brokers, **self._config)
        try:
            writer = load_engine().KafkaWriter(properties, self._topic)
        except RuntimeError as error:
            raise RuntimeError(f"error opening Kafka topic `{self._topic!r}`: {error}") from None
        return _KafkaSinkPartition(writer, self._topic)
