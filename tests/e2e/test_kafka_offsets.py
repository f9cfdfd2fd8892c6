"""Where a source starts, and what a stop or a crash repeats: at least once, never a gap."""

import pytest
from harness import (
    COUNT_PAIRS,
    KAFKA_PRELUDE,
    Kafka,
    Receiver,
    ServeKafka,
    Topic,
    kafka_pipeline,
    wait_until,
)

PRINTING = """\
@wallaroo.computation(name="show")
def show(data):
    print("saw", data)
    return data
"""
SHORT_SESSION = 'properties={"session.timeout.ms": 1500, "heartbeat.interval.ms": 300}'
"""Of a source whose server is killed: its partitions are free again after that time."""


def produce_until_seen(topic_in: Topic, topic_out: Topic) -> list[bytes | None]:
    """Produces "probe" again and again until one has come through; returns the output."""

    def seen() -> bool:
        topic_in.produce(["probe"])
        return b"probe" in (record.value for record in topic_out.records())

    wait_until(seen, "a probe in the output")
    return [record.value for record in topic_out.records()]


def test_source_starts_with_the_earliest_message_by_default(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    topic_in.produce(["old"])
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    assert topic_out.wait_values(1) == [b"old"]
    assert server.terminate() == 0


def test_start_latest_takes_only_what_comes_afterwards(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    topic_in.produce(["old"] * 10)
    text = kafka_pipeline(source='source(args, start="latest")')
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    assert set(produce_until_seen(topic_in, topic_out)) == {b"probe"}
    assert server.terminate() == 0


def test_start_latest_goes_on_from_a_committed_offset(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    text = kafka_pipeline(source='source(args, start="latest")')
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    produce_until_seen(topic_in, topic_out)
    assert server.terminate() == 0
    before = len(topic_out.records())
    topic_in.produce(["while away"])
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    assert topic_out.wait_values(before + 1)[before:] == [b"while away"]
    assert server.terminate() == 0


def test_start_error_ends_with_status_1_when_there_is_no_committed_offset(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    topic_in.produce(["old"])
    text = kafka_pipeline(source='source(args, start="error")')
    server = serve_kafka(text, source=topic_in, sink=topic_out, ready=False)
    assert server.wait() == 1
    assert topic_in.name in server.stderr and "offset" in server.stderr
    assert topic_out.records() == []


def test_group_is_the_applications_name_by_default(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    topic_in.produce(["a", "b"])
    name = f"group of {topic_in.name}"
    text = kafka_pipeline(source="source(args, group=None)", name=name)
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    assert f'consuming {topic_in.name} as group {name} (pipeline "main")' in server.stdout
    topic_in.wait_committed(2, name)
    assert server.terminate() == 0


def test_groups_read_the_topic_independently(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in = kafka.new_topic("in")
    topic_in.produce(["a", "b"])
    for _ in range(2):
        topic_out = kafka.new_topic("out")
        text = kafka_pipeline(source=f'source(args, group="{topic_out.name}")')
        server = serve_kafka(text, source=topic_in, sink=topic_out)
        assert topic_out.wait_values(2) == [b"a", b"b"]
        assert server.terminate() == 0


def test_two_sources_of_one_application_share_its_group(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    text = KAFKA_PRELUDE + (
        "def application_setup(args):\n"
        "    brokers = wallaroo.kafka_parse_source_options(args)[1]\n"
        "    ab = wallaroo.ApplicationBuilder(args[-2])\n"
        "    for name in args[-2:]:\n"
        "        config = wallaroo.KafkaSourceConfig(name, brokers, 'Warn', decoder)\n"
        "        ab.new_pipeline(name, config)\n"
        "        ab.to_sink(sink(args))\n"
        "    return ab.build()\n"
    )
    left, right, out = kafka.new_topic("left", 3), kafka.new_topic("right"), kafka.new_topic("out")
    server = serve_kafka(text, left.name, right.name, source=left, sink=out)
    left.produce(["l1", "l2"], partition=1)
    right.produce(["r1", "r2"])
    assert sorted(filter(None, out.wait_values(4))) == [b"l1", b"l2", b"r1", b"r2"]
    left.wait_committed(2, left.name)
    right.wait_committed(2, left.name)
    assert server.terminate() == 0


@pytest.mark.parametrize("interval", ["0.05", "3600"])
def test_restart_after_sigterm_repeats_nothing_and_skips_nothing(
    serve_kafka: ServeKafka, kafka: Kafka, interval: str
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 4), kafka.new_topic("out")
    values = [str(i) for i in range(3000)]
    for run in range(3):
        topic_in.produce_keyed((value, value) for value in values[run * 1000 : run * 1000 + 1000])
        server = serve_kafka(
            *(kafka_pipeline(), "--commit-interval", interval), source=topic_in, sink=topic_out
        )
        topic_out.wait_records(run * 1000 + 500)
        assert server.terminate() == 0
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    out = [(value or b"").decode() for value in topic_out.wait_values(3000)]
    assert server.terminate() == 0
    assert sorted(out, key=int) == values


def test_restart_after_sigkill_repeats_but_skips_nothing(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 4), kafka.new_topic("out")
    text = kafka_pipeline(source=f"source(args, {SHORT_SESSION})")
    values = [str(i) for i in range(10000)]
    topic_in.produce_keyed((value, value) for value in values)
    for run in range(3):
        server = serve_kafka(
            *(text, "--commit-interval", "0.05"), source=topic_in, sink=topic_out, ready=False
        )
        topic_out.wait_records(1500 * (run + 1))
        server.kill()
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    topic_in.wait_committed(len(values))
    assert server.terminate() == 0
    out = [(record.value or b"").decode() for record in topic_out.records()]
    assert len(out) >= len(values)
    assert sorted(set(out), key=int) == values


def test_nothing_is_committed_before_the_sink_has_it(
    serve_kafka: ServeKafka, kafka: Kafka, receiver: Receiver
) -> None:
    topic = kafka.new_topic()
    text = kafka_pipeline(
        "ab.to(show)", PRINTING, source=f"source(args, {SHORT_SESSION})", sink="tcp_sink(args)"
    )
    options = ("--out", receiver.address, "--commit-interval", "0.02")
    server = serve_kafka(text, *options, source=topic)
    topic.produce(["a"])
    receiver.wait_lines(1)
    topic.wait_committed(1)
    receiver.stop()
    receiver.connections.clear()
    for i in range(30):
        topic.produce([f"b{i}"])
        server.wait_stdout(f"saw b{i}\n")
    server.kill()
    receiver.start()
    server = serve_kafka(text, *options, source=topic)
    assert receiver.wait_lines(30) == [f"b{i}" for i in range(30)]
    topic.wait_committed(31)
    assert server.terminate() == 0


def test_messages_without_output_are_committed_too(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    text = kafka_pipeline(
        'ab.to_state_partition(swallow, Count, "counts", by_itself)',
        COUNT_PAIRS
        + '\n@wallaroo.state_computation(name="swallow")\n'
        + "def swallow(data, state):\n    return None, False\n",
    )
    server = serve_kafka(text, "--commit-interval", "0.05", source=topic_in, sink=topic_out)
    topic_in.produce(["a"] * 100)
    topic_in.wait_committed(100)
    assert server.terminate() == 0
    assert topic_out.records() == []
