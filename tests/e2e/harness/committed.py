"""What readers see of a topic that is written in transactions."""

import time
from typing import Literal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from harness.deadline import DEADLINE_S
from harness.topic import Record, Topic


class Reader:
    """Reads a topic to its end, again and again.

    isolation: "read_committed" ends before the first transaction that is open and leaves out what
    was aborted; "read_uncommitted" has everything that was ever produced.
    """

    def __init__(
        self,
        topic: Topic,
        isolation: Literal["read_committed", "read_uncommitted"] = "read_committed",
    ) -> None:
        self.topic = topic
        self._next = dict.fromkeys(range(topic.partition_count()), OFFSET_BEGINNING)
        self._consumer = Consumer(
            {
                **topic.clients.settings,
                "group.id": "test reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": isolation,
                "fetch.wait.max.ms": 20,
            }
        )

    def read_new(self) -> list[Record]:
        """Returns what has come since the last call, in order by partition.

        Raises AssertionError when the end is not reached within DEADLINE_S.
        """
        records: list[Record] = []
        places = [TopicPartition(self.topic.name, p, o) for p, o in self._next.items()]
        self._consumer.assign(places)  # anew, so that the end is reported anew
        unread = set(self._next)
        end = time.monotonic() + DEADLINE_S
        while unread:
            assert time.monotonic() < end, f"no end of {self.topic.name}, partitions {unread}"
            for message in self._consumer.consume(10_000, 0.05):
                error = message.error()
                if error is None:
                    self._next[message.partition()] = message.offset() + 1
                    unread.add(message.partition())
                    records.append(
                        Record(
                            *(message.partition(), message.offset()),
                            *(message.key(), message.value()),
                            *(message.headers() or [], message.timestamp()[1]),
                        )
                    )
                elif error.code() == KafkaError._PARTITION_EOF:
                    self._next[message.partition()] = message.offset()
                    unread.discard(message.partition())
                else:
                    assert error.retriable() or error.code() < 0, error
        self._consumer.unassign()
        return records

    def close(self) -> None:
        """Ends reading."""
        self._consumer.close()
