"""The broker of the benchmark, its topics, what is in them, and whether that is right."""

import shutil
import subprocess
import time
import uuid
from collections import defaultdict
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

ROOT = Path(__file__).resolve().parents[2]
VALUE_BYTES = 100
WAIT_SECONDS_MAX = 600.0
POLL_SECONDS = 0.05
# Of a partition that is new, or has just got another leader; as in tests/e2e/harness/topic.py.
NOT_YET_ERRORS = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.OFFSET_NOT_AVAILABLE,
)


class Topics:
    """A broker of the benchmark's own, with fresh data. close() ends it and removes the data."""

    def __init__(self, heap_mib: int) -> None:
        self.directory = ROOT / "build/kafka/bench"
        self._tool("stop")
        shutil.rmtree(self.directory, ignore_errors=True)
        self.brokers = self._tool("start", "--heap-mib", str(heap_mib)).splitlines()[-1]
        self._settings = {"bootstrap.servers": self.brokers, "log_level": 0}
        self._admin = AdminClient(self._settings)

    def close(self) -> None:
        """End the broker."""
        self._tool("stop")
        shutil.rmtree(self.directory, ignore_errors=True)

    def new(self, name: str, partitions: int) -> str:
        """Make a topic whose timestamps are when the broker got a message; returns its name."""
        name = f"{name}-{uuid.uuid4().hex[:6]}"
        config = {"message.timestamp.type": "LogAppendTime"}
        topic = NewTopic(name, partitions, 1, config=config)
        self._admin.create_topics([topic])[name].result(30)
        while len(self._admin.list_topics(name, 10).topics[name].partitions) < partitions:
            time.sleep(POLL_SECONDS)
        return name

    def delete(self, name: str) -> None:
        """Remove a topic and its data."""
        self._admin.delete_topics([name])[name].result(30)

    def fill(self, topic: str, messages: int, keys: int) -> None:
        """Produce messages of VALUE_BYTES each; the key is also the beginning of the value."""
        names = [b"k%06d" % i for i in range(keys)]
        values = [name.ljust(VALUE_BYTES, b".") for name in names]
        producer = Producer(
            {
                **self._settings,
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
                "enable.idempotence": True,
            }
        )
        for i in range(messages):
            at = i * 7919 % keys
            while True:
                try:
                    producer.produce(topic, values[at], names[at])
                    break
                except BufferError:
                    producer.poll(0.05)
            if i % 1000 == 0:
                producer.poll(0)
        producer.flush(WAIT_SECONDS_MAX)
        assert self.size(topic) == messages

    def size(self, topic: str) -> int:
        """How many messages are in a topic."""
        return sum(self._ends(topic).values())

    def wait(self, topic: str, messages: int, process: subprocess.Popen[str]) -> None:
        """Wait until a topic has that many; RuntimeError when the process fails or takes long."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while self.size(topic) < messages:
            if process.poll() or time.monotonic() > deadline:
                raise RuntimeError(f"{self.size(topic)} of {messages} messages in {topic}")
            time.sleep(POLL_SECONDS)

    def rate(self, topic: str, messages: int, keys: int) -> float:
        """Messages per second between the first and the last one that the broker got.

        RuntimeError unless every key has the counts 1, 2, 3, ... up to its number of messages.
        """
        ends = self._ends(topic)
        consumer = Consumer(
            {
                **self._settings,
                "group.id": "check",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "queued.min.messages": 1_000_000,
                "enable.partition.eof": True,
            }
        )
        consumer.assign([TopicPartition(topic, p, 0) for p in ends])
        counts: dict[bytes, int] = defaultdict(int)
        first, last, read = float("inf"), 0, 0
        at_end: set[int] = set()
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while (read < messages or len(at_end) < len(ends)) and time.monotonic() < deadline:
            for message in consumer.consume(10_000, 1.0):
                if message.error():
                    at_end.add(message.partition())
                    continue
                at_end.discard(message.partition())
                key = message.key()
                counts[key] += 1
                if message.value() != b"%d" % counts[key]:
                    raise RuntimeError(f"{key!r}: {message.value()!r} is not {counts[key]}")
                _, at = message.timestamp()
                first, last, read = min(first, at), max(last, at), read + 1
        consumer.close()
        wrong = [key for key, count in counts.items() if count != messages // keys]
        if wrong or len(counts) != keys or read != messages:
            raise RuntimeError(f"{read} outputs, {len(counts)} keys, {len(wrong)} wrong counts")
        return messages / (last - first) * 1e3

    def _ends(self, topic: str) -> dict[int, int]:
        found = self._admin.list_topics(topic, 10).topics[topic].partitions
        places = {p: TopicPartition(topic, p) for p in found}
        asked = self._admin.list_offsets({place: OffsetSpec.latest() for place in places.values()})
        try:
            return {p: asked[place].result(30).offset for p, place in places.items()}
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET_ERRORS:
                raise
        return dict.fromkeys(places, 0)  # the topic is that new

    def _tool(self, verb: str, *options: str) -> str:
        command = [ROOT / "scripts/kafka", verb, "--dir", self.directory, *options]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
