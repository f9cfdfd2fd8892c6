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
# The process itself (22 MiB), librdkafka's responses in parsing, what the allocator keeps.
OVERHEAD_BYTES = 60 * MIB
OPTIONS = ("--memory-budget", str(BUDGET_BYTES))
SIZES = [(50_000, 4000), (100, 400_000)]  # bytes of a value, values: more than the queues hold
NUMBER_BYTES = 8

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


def fill(topic: Topic, value_bytes: int, values: int) -> None:
    """Produces numbered values that no compression makes small."""
    rest = os.urandom(value_bytes // 2).hex().encode()[: value_bytes - NUMBER_BYTES]
    topic.produce(b"%08d" % i + rest for i in range(values))


@pytest.mark.parametrize(("value_bytes", "values"), SIZES)
@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
def test_paused_tcp_receiver_bounds_memory(
    serve_kafka: ServeKafka,
    kafka: Kafka,
    new_receiver: NewReceiver,
    value_bytes: int,
    values: int,
) -> None:
    topic = kafka.new_topic("in", 4)
    fill(topic, value_bytes, values)
    receiver = new_receiver(rcvbuf_bytes=65536)
    receiver.pause()
    text = kafka_pipeline(defs=DEFS, source="source(args, raw)", sink="tcp_sink(args, 0, raw_out)")
    server = serve_kafka(text, *OPTIONS, "--out", receiver.address, source=topic)
    wait_quiet(server.rss_bytes)
    receiver.resume()
    data = receiver.wait_bytes(value_bytes * values)
    assert len(data) == value_bytes * values
    seen = {int(data[at : at + NUMBER_BYTES]) for at in range(0, len(data), value_bytes)}
    assert seen == set(range(values))
    assert server.peak_rss_bytes() < BUDGET_BYTES + OVERHEAD_BYTES
    assert server.terminate() == 0


@pytest.mark.parametrize(("value_bytes", "values"), SIZES)
@pytest.mark.skipif(SANITIZED, reason="sanitizers keep what is freed")
def test_slow_sink_broker_bounds_memory(
    serve_kafka: ServeKafka, kafka: Kafka, new_broker: NewBroker, value_bytes: int, values: int
) -> None:
    slow = new_broker()
    other = Kafka(slow)
    topic_in, topic_out = kafka.new_topic("in", 4), other.new_topic("out")
    text = kafka_pipeline(defs=DEFS, source="source(args, raw)", sink="sink(args, raw_out)")
    server = serve_kafka(text, *OPTIONS, source=topic_in, sink=topic_out)
    with held(slow):
        fill(topic_in, value_bytes, values)
        wait_quiet(server.rss_bytes)
    seen = {int((value or b"")[:NUMBER_BYTES]) for value in topic_out.wait_values(values)}
    assert seen == set(range(values))
    assert server.peak_rss_bytes() < BUDGET_BYTES + OVERHEAD_BYTES
    topic_in.wait_committed(values)
    assert server.terminate() == 0
    other.close()
