"""Kafka and TCP, alone and mixed, through the real server and a real broker."""

from collections import Counter

import pytest
from harness import (
    COUNT_PAIRS,
    COUNT_STEP,
    KAFKA_PRELUDE,
    Client,
    Kafka,
    Receiver,
    ServeKafka,
    by_key,
    kafka_pipeline,
)


@pytest.mark.parametrize("partitions", [4, 64])
def test_running_count_per_key_is_right_over_many_partitions(
    serve_kafka: ServeKafka, kafka: Kafka, partitions: int
) -> None:
    words = [f"w{i * 7919 % 97}" for i in range(5000)]
    texts = kafka.new_topic("words", partitions)
    counts = kafka.new_topic("counts", partitions)
    texts.produce_keyed((word, word) for word in words[:2500])
    text = kafka_pipeline(COUNT_STEP, COUNT_PAIRS, sink="sink(args, counted)")
    server = serve_kafka(text, source=texts, sink=counts)
    texts.produce_keyed((word, word) for word in words[2500:])
    records = counts.wait_records(len(words))
    assert server.terminate() == 0
    expected = {
        word.encode(): [str(i + 1).encode() for i in range(count)]
        for word, count in Counter(words).items()
    }
    assert by_key(records) == expected
    assert len({record.partition for record in records}) > partitions / 2
    assert server.summary()["records in"] == server.summary()["outputs"] == len(words)


def test_order_within_a_partition_is_kept(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in", 2), kafka.new_topic("out", 1)
    topic_in.produce([f"a{i}" for i in range(3000)], partition=0)
    topic_in.produce([f"b{i}" for i in range(3000)], partition=1)
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    values = [value.decode() for value in topic_out.wait_values(6000) if value is not None]
    assert server.terminate() == 0
    assert [v for v in values if v[0] == "a"] == [f"a{i}" for i in range(3000)]
    assert [v for v in values if v[0] == "b"] == [f"b{i}" for i in range(3000)]


def test_kafka_to_tcp(serve_kafka: ServeKafka, kafka: Kafka, receiver: Receiver) -> None:
    topic = kafka.new_topic()
    topic.produce(["one", "two"])
    text = kafka_pipeline(sink="tcp_sink(args)")
    server = serve_kafka(text, "--out", receiver.address, source=topic)
    assert receiver.wait_lines(2) == ["one", "two"]
    topic.produce(["three"])
    assert receiver.wait_lines(3) == ["one", "two", "three"]
    assert server.terminate() == 0


def test_tcp_to_kafka(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic = kafka.new_topic()
    text = kafka_pipeline(source="tcp_source(args)")
    server = serve_kafka(text, "--in", "127.0.0.1:0", sink=topic)
    with Client(server.address()) as client:
        client.send_frames("one", "two")
        assert topic.wait_values(2) == [b"one", b"two"]
        client.send_frames("three")
        client.finish()
        client.wait_closed()
    assert server.terminate() == 0
    assert topic.wait_values(3) == [b"one", b"two", b"three"]


def test_one_source_feeds_a_kafka_and_a_tcp_sink(
    serve_kafka: ServeKafka, kafka: Kafka, receiver: Receiver
) -> None:
    text = KAFKA_PRELUDE + (
        "def application_setup(args):\n"
        "    ab = wallaroo.ApplicationBuilder('test')\n"
        "    ab.new_pipeline('main', source(args))\n"
        "    ab.to_sinks([sink(args), tcp_sink(args)])\n"
        "    return ab.build()\n"
    )
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(text, "--out", receiver.address, source=topic_in, sink=topic_out)
    topic_in.produce(["one", "two"])
    assert topic_out.wait_values(2) == [b"one", b"two"]
    assert receiver.wait_lines(2) == ["one", "two"]
    assert server.terminate() == 0


def test_kafka_and_tcp_pipelines_share_a_state(
    serve_kafka: ServeKafka, kafka: Kafka, receiver: Receiver
) -> None:
    text = (
        KAFKA_PRELUDE
        + COUNT_PAIRS
        + (
            "def application_setup(args):\n"
            "    ab = wallaroo.ApplicationBuilder('test')\n"
            "    ab.new_pipeline('kafka', source(args))\n"
            "    ab.to_state_partition(count, Count, 'counts', by_itself)\n"
            "    ab.to_sink(sink(args, counted))\n"
            "    ab.new_pipeline('tcp', tcp_source(args))\n"
            "    ab.to_state_partition(count, Count, 'counts', by_itself)\n"
            "    ab.to_sink(tcp_sink(args))\n"
            "    return ab.build()\n"
        )
    )
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(
        *(text, "--in", "127.0.0.1:0", "--out", receiver.address),
        source=topic_in,
        sink=topic_out,
    )
    topic_in.produce(["a", "a"])
    assert topic_out.wait_values(2) == [b"1", b"2"]
    with Client(server.address("tcp")) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["('a', 3)"]
    topic_in.produce(["a"])
    assert topic_out.wait_values(3)[2] == b"4"
    assert server.terminate() == 0


def test_server_says_what_it_consumes_before_it_is_ready(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(
        kafka_pipeline(source='source(args, group="some group")'), source=topic_in, sink=topic_out
    )
    assert server.stdout.splitlines() == [
        f'consuming {topic_in.name} as group some group (pipeline "main")',
        "Application has successfully initialized.",
    ]


def test_classic_positional_arguments_work(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    text = KAFKA_PRELUDE + (
        "def application_setup(args):\n"
        "    source_options = wallaroo.kafka_parse_source_options(args)\n"
        "    sink_options = wallaroo.kafka_parse_sink_options(args)\n"
        "    ab = wallaroo.ApplicationBuilder('test')\n"
        "    ab.new_pipeline('main',\n"
        "        wallaroo.KafkaSourceConfig(*(source_options + (decoder,))))\n"
        "    ab.to_sink(wallaroo.KafkaSinkConfig(*(sink_options + (encoder,))))\n"
        "    return ab.build()\n"
    )
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    topic_in.produce(["one"])
    assert topic_out.wait_values(1) == [b"one"]
    assert server.terminate() == 0


def test_hand_made_tuples_work(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    text = KAFKA_PRELUDE + (
        "def application_setup(args):\n"
        "    topic, brokers, level = wallaroo.kafka_parse_source_options(args)\n"
        "    out = wallaroo.kafka_parse_sink_options(args)[0]\n"
        "    return [('name', 'test'),\n"
        "            ('new_pipeline', 'main', ('kafka', topic, brokers, level, decoder)),\n"
        "            ('to_sink', ('kafka', out, brokers, level, 0, 100000, encoder))]\n"
    )
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    topic_in.produce(["one"])
    assert topic_out.wait_values(1) == [b"one"]
    assert server.terminate() == 0


def test_hand_made_tuples_read_the_command_line(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    text = KAFKA_PRELUDE + (
        "def application_setup(args):\n"
        "    return [('name', 'test'),\n"
        "            ('new_pipeline', 'main', ('kafka-internal', 'kafka_source', decoder)),\n"
        "            ('to_sink', ('kafka-internal', 'other', encoder))]\n"
    )
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(
        *(text, "--other_topic", topic_out.name, "--other_brokers", kafka.address),
        source=topic_in,
    )
    topic_in.produce(["one"])
    assert topic_out.wait_values(1) == [b"one"]
    assert server.terminate() == 0


def test_one_broker_of_several_is_enough(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    text = kafka_pipeline()
    server = serve_kafka(
        *(text, "--kafka_source_topic", topic_in.name, "--kafka_sink_topic", topic_out.name),
        *("--kafka_source_brokers", f"127.0.0.1:9,{kafka.address}"),
        *("--kafka_sink_brokers", f"127.0.0.1:9,{kafka.address}"),
    )
    topic_in.produce(["one"])
    assert topic_out.wait_values(1) == [b"one"]
    assert server.terminate() == 0
