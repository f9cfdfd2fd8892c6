"""A slow sink pauses a Kafka source: memory stays within the budget, and nothing is lost."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator

import pytest
from harness import (
    SANITIZED,
    Broker,
    Kafka,
    NewBroker,
    NewReceiver,
    ServeKafka,
    Topic,
    kafka_pipeline,
    wait_quiet,
)

MIB = 1 << 20
BUDGET_BYTES = 32 * MIB
OVERHEAD_BYTES = 64 * MIB  # the allocator's, librdkafka's one response in parsing, Python's
VALUE_BYTES = 50_000
VALUES = 4000
OPTIONS = ("--memory-budget", str(BUDGET_BYTES))

# Values that no compression makes small, and that are cheap to make.
VALUE = os.urandom(VALUE_BYTES // 2).hex().encode()

DEFS = """\
@wallaroo.decoder()
def raw(value):
    return value

@wallaroo.encoder
def raw_out(data):
    return data
"""


@contextlib.contextmanager
def held(broker: Broker) -> Iterator[None]:
    """A broker that is connected but does nothing."""
    pid = json.loads((broker.directory / "broker.json").read_text())["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def fill(topic: Topic) -> int:
    """Produces many times the budget; returns the bytes."""
    topic.produce([b"%08d" % i + VALUE for i in range(VALUES)])
    return VALUES * (8 + VALUE_BYTES)


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
def test_paused_tcp_receiver_bounds_memory(
    serve_kafka: ServeKafka, kafka: Kafka, new_receiver: NewReceiver
) -> None:
    topic = kafka.new_topic("in", 4)
    total_bytes = fill(topic)
    receiver = new_receiver(rcvbuf_bytes=65536)
    receiver.pause()
    text = kafka_pipeline(defs=DEFS, source="source(args, raw)", sink="tcp_sink(args, 0, raw_out)")
    server = serve_kafka(text, *OPTIONS, "--out", receiver.address, source=topic)
    wait_quiet(server.rss_bytes)
    receiver.resume()
    data = receiver.wait_bytes(total_bytes)
    assert len(data) == total_bytes
    record_bytes = 8 + VALUE_BYTES
    seen = {int(data[at : at + 8]) for at in range(0, total_bytes, record_bytes)}
    assert seen == set(range(VALUES))
    assert server.peak_rss_bytes() < BUDGET_BYTES + OVERHEAD_BYTES
    assert server.terminate() == 0


@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
def test_slow_sink_broker_bounds_memory(
    serve_kafka: ServeKafka, kafka: Kafka, new_broker: NewBroker
) -> None:
    slow = new_broker()
    other = Kafka(slow)
    topic_in, topic_out = kafka.new_topic("in", 4), other.new_topic("out")
    text = kafka_pipeline(defs=DEFS, source="source(args, raw)", sink="sink(args, raw_out)")
    server = serve_kafka(text, *OPTIONS, source=topic_in, sink=topic_out)
    with held(slow):
        fill(topic_in)
        wait_quiet(server.rss_bytes)
    values = topic_out.wait_values(VALUES)
    assert {int((value or b"")[:8]) for value in values} == set(range(VALUES))
    assert server.peak_rss_bytes() < BUDGET_BYTES + OVERHEAD_BYTES
    topic_in.wait_committed(VALUES)
    assert server.terminate() == 0
    other.close()
