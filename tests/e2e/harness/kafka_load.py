"""A steady stream of messages, for tests of what happens meanwhile."""

import threading
import time

from confluent_kafka import KafkaError, Producer

from harness.deadline import wait_until
from harness.kafka_clients import CALL_S_MAX
from harness.topic import Topic

BATCHES_PER_S = 100


class Load:
    """Produces "0", "1", "2", ... to a topic, by a thread of its own, until it is stopped.

    It outlasts a broker that is away: every number gets into the topic, once. words: how many
    different ones; then it begins again with "0", unless that is 0. Each is also its message's key.
    """

    def __init__(self, topic: Topic, per_s: int = 2000, words: int = 0) -> None:
        self.topic = topic
        self.count = 0
        self._words = words
        self._per_batch = max(1, per_s // BATCHES_PER_S)
        self._failed: list[KafkaError] = []
        self._stopping = threading.Event()
        self._producer = Producer(
            {
                **topic.clients.settings,
                "linger.ms": 1,
                "enable.idempotence": True,
                "message.timeout.ms": 0,
            }
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_more(self, count: int) -> None:
        """Waits until that many messages more were produced than now."""
        goal = self.count + count
        wait_until(lambda: self.count >= goal, "more messages")

    def stop(self) -> int:
        """Stops; returns how many messages the topic has."""
        self._stopping.set()
        self._thread.join(CALL_S_MAX)
        assert self._producer.flush(CALL_S_MAX) == 0, "the broker takes no messages"
        assert not self._failed, self._failed[:3]
        return self.count

    def _run(self) -> None:
        while not self._stopping.is_set():
            for _ in range(self._per_batch):
                word = str(self.count % self._words if self._words else self.count)
                try:
                    self._producer.produce(self.topic.name, word, word, on_delivery=self._reported)
                except BufferError:
                    break  # the broker is away for long
                self.count += 1
            self._producer.poll(0)
            time.sleep(1 / BATCHES_PER_S)

    def _reported(self, error: KafkaError | None, message: object) -> None:
        if error is not None:
            self._failed.append(error)
