"""A topic of a Kafka broker and what a test puts into it and reads from it."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import NewPartitions, NewTopic, OffsetSpec

from harness.deadline import wait_until
from harness.kafka_clients import CALL_S_MAX, MESSAGE_BYTES_MAX, KafkaClients

# Of a partition that is new, or has just got another leader.
NOT_YET_ERRORS = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.OFFSET_NOT_AVAILABLE,
)

Headers = list[tuple[str, bytes | None]]


class Record(NamedTuple):
    """A message as it lies in a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class Topic:
    """One topic: what was in it from the beginning, and what is put into it."""

    def __init__(self, clients: KafkaClients, name: str) -> None:
        self.clients = clients
        self.name = name
        self._records: list[Record] = []
        self._reader: Consumer | None = None
        self._partitions = 0  # that the reader reads
        self._made = 0  # partitions that there are for certain
        self._may_have_new = True

    def produce(
        self,
        values: Iterable[bytes | str | None],
        key: bytes | str | None = None,
        headers: Headers | None = None,
        partition: int = -1,
        timestamp_ms: int = 0,
    ) -> None:
        """Puts one message for each value; returns when the broker has them all."""
        self.produce_keyed(((key, value) for value in values), headers, partition, timestamp_ms)

    def produce_keyed(
        self,
        messages: Iterable[tuple[bytes | str | None, bytes | str | None]],
        headers: Headers | None = None,
        partition: int = -1,
        timestamp_ms: int = 0,
    ) -> None:
        """Puts (key, value) messages; returns when the broker has them all."""
        producer = self.clients.producer
        failed: list[KafkaError] = []

        def reported(error: KafkaError | None, message: object) -> None:
            if error is not None:
                failed.append(error)

        more: dict[str, Any] = {"headers": headers} if headers is not None else {}
        for key, value in messages:
            end = time.monotonic() + CALL_S_MAX
            while True:
                try:
                    producer.produce(
                        *(self.name, value, key, partition),
                        on_delivery=reported,
                        timestamp=timestamp_ms,
                        **more,
                    )
                    break
                except BufferError:
                    assert time.monotonic() < end, "the broker takes no messages"
                    producer.poll(0.1)
            producer.poll(0)
        assert producer.flush(CALL_S_MAX) == 0, "the broker takes no messages"
        assert not failed, failed[:3]

    def wait_records(self, count: int, deadline_s: float | None = None) -> list[Record]:
        """Waits for at least count messages; returns all there are, in order by partition."""
        wait_until(
            lambda: self._read(count),
            lambda: f"{count} messages; there are {len(self._records)}: {self._records[-3:]}",
            deadline_s,
        )
        return list(self._records)

    def wait_values(self, count: int) -> list[bytes | None]:
        """Waits for at least count messages; returns the values of all there are."""
        return [record.value for record in self.wait_records(count)]

    def records(self) -> list[Record]:
        """Returns all messages that are in the topic now."""
        return self.wait_records(sum(self.end_offsets()))

    def end_offsets(self) -> list[int]:
        """Returns the offset behind the last message of each partition."""
        places = [TopicPartition(self.name, p) for p in range(self.partition_count())]
        found: list[int] = []

        def answered() -> bool:
            asked = self.clients.admin.list_offsets(
                {place: OffsetSpec.latest() for place in places}, request_timeout=CALL_S_MAX
            )
            try:
                found[:] = [asked[place].result(CALL_S_MAX).offset for place in places]
            except KafkaException as error:
                if error.args[0].code() in NOT_YET_ERRORS:
                    return False
                raise
            return True

        wait_until(answered, f"the offsets of {self.name}")
        return found

    def leaders(self) -> set[int]:
        """Returns the node numbers of the brokers that lead its partitions; -1: none does."""
        found = self.clients.admin.list_topics(self.name, timeout=CALL_S_MAX).topics[self.name]
        return {partition.leader for partition in found.partitions.values()}

    def partition_count(self) -> int:
        """Returns how many partitions there are; 0 if the topic does not exist.

        Asks again while the broker that happens to answer has not heard of all that were made.
        """
        found = 0

        def are_known() -> bool:
            nonlocal found
            topics = self.clients.admin.list_topics(self.name, timeout=CALL_S_MAX).topics
            found = len(topics[self.name].partitions)
            return found >= self._made

        wait_until(are_known, lambda: f"{self._made} partitions of {self.name}; there are {found}")
        return found

    def create(self, partitions: int = 1, **config: str) -> "Topic":
        """Makes the topic; config: its settings, "_" for "."."""
        settings = {name.replace("_", "."): value for name, value in config.items()}
        made = self.clients.admin.create_topics(
            [NewTopic(self.name, partitions, self.clients.replicas, config=settings)],
            request_timeout=CALL_S_MAX,
        )
        made[self.name].result(CALL_S_MAX)
        self._made = partitions
        self.partition_count()  # waits for them
        return self

    def grow(self, partitions: int) -> None:
        """Raises the number of partitions."""
        self.clients.admin.create_partitions([NewPartitions(self.name, partitions)])[
            self.name
        ].result(CALL_S_MAX)
        self._made = partitions
        producer = self.clients.producer  # it must learn of them too
        wait_until(
            lambda: (
                len(producer.list_topics(self.name, CALL_S_MAX).topics[self.name].partitions)
                == partitions
            ),
            "the new partitions",
        )
        self._may_have_new = True

    def committed(self, group: str = "") -> list[int | None]:
        """Returns the offset that a group has committed for each partition, None without one.

        group: named like the topic unless given, as harness.kafka_app does it.
        """
        group = group or self.name
        places = [TopicPartition(self.name, p) for p in range(self.partition_count())]
        asked = self.clients.admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, places)], request_timeout=CALL_S_MAX
        )
        try:
            found = asked[group].result(CALL_S_MAX).topic_partitions
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return [None for _ in places]
            raise
        offsets = {place.partition: place.offset for place in found}
        return [
            offset if (offset := offsets.get(place.partition, -1)) >= 0 else None
            for place in places
        ]

    def wait_committed(self, total: int, group: str = "") -> None:
        """Waits until a group's committed offsets add up to total."""
        wait_until(
            lambda: sum(offset or 0 for offset in self.committed(group)) == total,
            lambda: f"commits up to {total}; there is {self.committed(group)}",
        )

    def close(self) -> None:
        """Ends reading."""
        if self._reader is not None:
            self._reader.close()

    def _read(self, count: int) -> bool:
        """Reads what has arrived; returns whether there are count messages in all."""
        consumer = self._consumer()
        self._assign(consumer)
        for message in consumer.consume(max(1, min(count - len(self._records), 5000)), 0.05):
            if error := message.error():
                assert error.retriable() or error.code() < 0, error
                continue
            _, timestamp_ms = message.timestamp()
            self._records.append(
                Record(
                    *(message.partition(), message.offset(), message.key(), message.value()),
                    *(message.headers() or [], timestamp_ms),
                )
            )
        return len(self._records) >= count

    def _consumer(self) -> Consumer:
        if self._reader is None:
            self._reader = Consumer(
                {
                    **self.clients.settings,
                    "group.id": "test reader",
                    "enable.auto.commit": False,
                    "fetch.wait.max.ms": 20,
                    "fetch.message.max.bytes": MESSAGE_BYTES_MAX,
                    "auto.offset.reset": "earliest",
                    "topic.metadata.refresh.interval.ms": 500,
                }
            )
        return self._reader

    def _assign(self, consumer: Consumer) -> None:
        """Begins with the partitions that are new."""
        if not self._may_have_new:
            return
        count = self.partition_count()
        new = range(self._partitions, count)
        if new:
            consumer.incremental_assign(
                [TopicPartition(self.name, p, OFFSET_BEGINNING) for p in new]
            )
            self._partitions = count
            self._may_have_new = False


def by_key(records: Sequence[Record]) -> dict[bytes | None, list[bytes | None]]:
    """Returns the values of each key, in order."""
    values: dict[bytes | None, list[bytes | None]] = {}
    for record in records:
        values.setdefault(record.key, []).append(record.value)
    return values
