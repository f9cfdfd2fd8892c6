"""KafkaSourceConfig and KafkaSinkConfig, the configurations of Wallaroo, in a dataflow."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from ..addresses import host_port
from ..engine import load_engine
from ..kafka import KafkaSinkConfig, KafkaSourceConfig
from ..places import describe, shorten
from .config_ends import instance_of
from .kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    KafkaReading,
    KafkaSource,
    ReadingPartition,
    kafka_properties,
)
from .outputs import DynamicSink, StatelessSinkPartition
from .sources import StatefulSourcePartition

LOG = logging.getLogger("wallaroo.flows")
_MESSAGES_AT_ONCE = 512
_MESSAGE_OVERHEAD_BYTES = 4096
_BROKERS_LIMIT_BYTES = 1_000_000
"""What brokers take unless told otherwise: room for several smaller messages in one request."""

Message = tuple[bytes | None, bytes | None, int | None]  # key, value, partition


class KafkaConfigSource(KafkaSource):
    """Reads a topic and gives what the configuration's decoder makes of its messages.

    Offsets are kept in the flow's snapshots: the configuration's group is not used, and a warning
    says so if one was given.
    """

    def __init__(self, config: KafkaSourceConfig, step_id: str) -> None:
        super().__init__(
            [host_port(host, port) for host, port in config.brokers],
            [config.topic],
            starting_offset=OFFSET_END if config.start == "latest" else OFFSET_BEGINNING,
            add_config=config.properties,
            batch_size=_MESSAGES_AT_ONCE,
        )
        self.config = config
        self._step_id = step_id
        self._decoder = instance_of(config.decoder)

    def build_part(
        self, now: datetime, for_part: str, resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Begin reading a partition, at the offset of the last snapshot."""
        index, _, topic = for_part.partition("-")
        if index == "0" and self.config.group is not None:  # once, whoever has the partition
            LOG.warning(
                "step %r: the consumer group %r is not used: a dataflow keeps its offsets in its "
                "snapshots (-r), and reads all partitions itself",
                *(self._step_id, self.config.group),
            )
        if resume_state is None and self.config.start == "error":
            raise RuntimeError(
                f"partition {index} of Kafka topic {topic!r}: no offset is stored for it "
                '(start="error")'
            )
        reading = self.open_part(topic, int(index), resume_state)
        if hasattr(self._decoder, "decode_message"):
            return _MessagePartition(reading, topic, int(index), self._decoder)
        return _ValuePartition(reading, self._decoder.decode)

    def __json__(self) -> dict[str, Any]:
        return {"type": type(self.config).__name__, "topic": self.config.topic}


class _ValuePartition(ReadingPartition):
    def __init__(self, reading: KafkaReading, decode: Any) -> None:
        super().__init__(reading)
        self._decode = decode

    def next_batch(self, sched: Any = None) -> list[Any]:
        decode = self._decode
        decoded = [decode(value) for _, value in self._reading.take()]
        return [item for item in decoded if item is not None]


class _MessagePartition(ReadingPartition):
    def __init__(self, reading: KafkaReading, topic: str, index: int, decoder: Any) -> None:
        super().__init__(reading)
        self._decode = decoder.decode_message
        made = decoder.message_class
        self._made = lambda *fields: made(topic, index, *fields)

    def next_batch(self, sched: Any = None) -> list[Any]:
        decode = self._decode
        decoded = [decode(value, message) for message, value in self._reading.take(self._made)]
        return [item for item in decoded if item is not None]


class KafkaConfigSink(DynamicSink):
    """Writes what the configuration's encoder makes of the items to a topic, at least once."""

    def __init__(self, config: KafkaSinkConfig) -> None:
        self.config = config

    def build(self, worker_index: int, worker_count: int) -> StatelessSinkPartition:
        """Build a worker's part. Raises RuntimeError for properties that librdkafka refuses."""
        config = self.config
        limit = config.max_message_size + _MESSAGE_OVERHEAD_BYTES
        properties = kafka_properties(
            ",".join(host_port(host, port) for host, port in config.brokers),
            **{
                "linger.ms": config.max_produce_buffer_ms,
                "message.max.bytes": max(limit, _BROKERS_LIMIT_BYTES),
                **config.properties,
            },
        )
        try:
            writer = load_engine().KafkaWriter(properties, config.topic)
        except RuntimeError as error:
            raise RuntimeError(f"error opening Kafka topic {config.topic!r}: {error}") from None
        return _EncodedPartition(writer, config)

    def __json__(self) -> dict[str, Any]:
        return {"type": type(self.config).__name__, "topic": self.config.topic}


class _EncodedPartition(StatelessSinkPartition):
    def __init__(self, writer: Any, config: KafkaSinkConfig) -> None:
        self._writer = writer
        self._topic = config.topic
        self._bytes_max = config.max_message_size
        self._encode = instance_of(config.encoder).encode

    def write_batch(self, items: list[Any]) -> None:
        messages = [self._message(item) for item in items]
        try:
            self._writer.write_to([message for message in messages if message is not None])
        except RuntimeError as error:
            raise RuntimeError(f"error producing to Kafka topic {self._topic!r}: {error}") from None

    def _message(self, item: Any) -> Message | None:
        """Return (key, value, partition) of what the encoder returned, None for nothing."""
        encoded = self._encode(item)
        if encoded is None:
            return None
        parts = encoded if isinstance(encoded, tuple) else (encoded,)
        if not 1 <= len(parts) <= 3:
            raise TypeError(
                self._wrong("(value, key), (value, key, partition) or a value", encoded)
            )
        value = self._bytes(parts[0], encoded)
        key = self._bytes(parts[1] if len(parts) > 1 else None, encoded)
        partition = parts[2] if len(parts) > 2 else None
        if partition is not None and type(partition) is not int:
            raise TypeError(self._wrong("a partition that is an int or None", encoded))
        size = len(value or b"") + len(key or b"")
        if size > self._bytes_max:
            raise ValueError(
                f"a message of {size} bytes is larger than max_message_size, {self._bytes_max}"
            )
        return key, value, partition

    def _bytes(self, part: Any, encoded: Any) -> bytes | None:
        if isinstance(part, str):
            return part.encode()
        if part is None or isinstance(part, (bytes, bytearray, memoryview)):
            return None if part is None else bytes(part)
        raise TypeError(self._wrong("value and key as bytes, str or None", encoded))

    def _wrong(self, wanted: str, encoded: Any) -> str:
        return (
            f"the encoder of a Kafka sink, {describe(self._encode)}, must return {wanted}; "
            f"got {shorten(encoded)}"
        )

    def close(self) -> None:
        self._writer.close()
