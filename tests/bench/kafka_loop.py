"""The keyed running count, written by hand over confluent-kafka: what the server is measured with.

    kafka_loop.py BROKERS TOPIC_IN TOPIC_OUT GROUP MESSAGES [--batch]

Tuned as well as is known: messages in batches, queues large enough to never run dry or full, no
callback per message, offsets committed once a second for what has been delivered (at least once).
Ends after MESSAGES messages. --batch: one call produces all outputs of a batch.
"""

import sys
import time

from confluent_kafka import Consumer, Message, Producer, TopicPartition

BATCH_MESSAGES = 10_000
COMMIT_SECONDS = 1.0

CONSUMER = {
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "queued.min.messages": 1_000_000,
    "queued.max.messages.kbytes": 262_144,
}
PRODUCER = {
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 5,
    "queue.buffering.max.messages": 1_000_000,
    "queue.buffering.max.kbytes": 1_048_576,
    "delivery.report.only.error": True,
}


def failed(error: object, message: object) -> None:
    """A message that was not delivered ends the loop."""
    sys.exit(f"not delivered: {error}")


def process(
    producer: Producer, topic: str, messages: list[Message], counts: dict[bytes, int]
) -> None:
    """Count each message's key; produce the count under the key."""
    produce = producer.produce
    for message in messages:
        key = message.key()
        count = counts[key] = counts.get(key, 0) + 1
        try:
            produce(topic, str(count), key)
        except BufferError:
            producer.flush()
            produce(topic, str(count), key)


def process_batch(
    producer: Producer, topic: str, messages: list[Message], counts: dict[bytes, int]
) -> None:
    """The same with one call for all outputs."""
    outputs = []
    for message in messages:
        key = message.key()
        count = counts[key] = counts.get(key, 0) + 1
        outputs.append({"value": str(count), "key": key})
    while outputs:
        if producer.produce_batch(topic, outputs) == len(outputs):
            return
        outputs = [output for output in outputs if "_error" in output]
        producer.flush()


def main() -> None:
    """Run until every message is counted, delivered and committed."""
    brokers, topic_in, topic_out, group, wanted = sys.argv[1:6]
    work = process_batch if sys.argv[6:] == ["--batch"] else process
    consumer = Consumer({**CONSUMER, "bootstrap.servers": brokers, "group.id": group})
    producer = Producer({**PRODUCER, "bootstrap.servers": brokers, "on_delivery": failed})
    consumer.subscribe([topic_in])
    counts: dict[bytes, int] = {}
    positions: dict[int, int] = {}
    done = 0
    commit_at = time.monotonic() + COMMIT_SECONDS

    def commit() -> None:
        producer.flush()
        consumer.commit(
            offsets=[TopicPartition(topic_in, p, offset) for p, offset in positions.items()],
            asynchronous=True,
        )

    while done < int(wanted):
        messages = consumer.consume(BATCH_MESSAGES, 0.1)
        if not messages:
            continue
        work(producer, topic_out, messages, counts)
        producer.poll(0)
        done += len(messages)
        for message in messages:  # the last of each partition counts
            positions[message.partition()] = message.offset() + 1
        if time.monotonic() > commit_at:
            commit()
            commit_at = time.monotonic() + COMMIT_SECONDS
    commit()
    consumer.close()


if __name__ == "__main__":
    main()
