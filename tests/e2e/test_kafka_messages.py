"""What a message may be, coming in and going out: keys, nothing at all, large, undecodable."""

import base64
import json
from pathlib import Path

from harness import LETTERS, Kafka, ServeKafka, kafka_pipeline, wait_letters

MEGABYTE = 1_000_000

RAW = """\
@wallaroo.decoder()
def raw(value):
    return value

@wallaroo.encoder
def raw_out(data):
    return data, None
"""

SHOW = """\
@wallaroo.decoder()
def show(value):
    return repr(value)
"""

METADATA = """\
@wallaroo.message_decoder
def told(value, message):
    assert isinstance(message, wallaroo.KafkaMessage)
    return json.dumps([repr(value), message.topic, message.partition, message.offset,
                       message.timestamp_ms, repr(message.key), repr(message.headers)])
"""

SHAPES = """\
OUT = {
    "pair": (b"pair", "key"),
    "bytes key": (b"bytes key", b"\\xff\\x00"),
    "no key": (b"no key", None),
    "text value": ("text \\u00e9", "k\\u00e9y"),
    "triple": (b"triple", "key", 2),
    "triple without partition": (b"triple without partition", "key", None),
    "bytes": b"bytes",
    "text": "text",
    "empty": (b"", b""),
    "nothing": None,
}

@wallaroo.encoder
def shaped(data):
    return OUT[data]
"""

WRONG_SHAPES = [
    "7",
    "()",
    "(b'value',)",
    "(b'value', 'key', 0, 0)",
    "[b'value', 'key']",
    "(7, 'key')",
    "(None, 'key')",
    "(b'value', 7)",
    "(b'value', 'key', '0')",
    "(b'value', 'key', -1)",
    "(b'value', 'key', 99)",
    "(b'value', 'key', 10**20)",
]
"""Texts that evaluate to what is no message; the topic has no partition 99."""


def test_tombstone_reaches_the_decoder_as_none(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    text = kafka_pipeline(defs=SHOW, source="source(args, show)")
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    topic_in.produce([None, b"", b"x"], key="key")
    assert topic_out.wait_values(3) == [b"None", b"b''", b"b'x'"]
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 0


def test_decoder_that_returns_none_drops_the_message(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(
        kafka_pipeline(
            defs="""\
            @wallaroo.decoder()
            def some(value):
                return None if value is None or value == b"" else value.decode()
            """,
            source="source(args, some)",
        ),
        source=topic_in,
        sink=topic_out,
    )
    topic_in.produce([None, b"", b"x"])
    topic_in.wait_committed(3)
    assert server.terminate() == 0
    assert topic_out.wait_values(1) == [b"x"]
    assert server.summary()["dead letters"] == 0


def test_empty_values_go_in_and_out(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    text = kafka_pipeline(defs=RAW, source="source(args, raw)", sink="sink(args, raw_out)")
    serve_kafka(text, source=topic_in, sink=topic_out)
    topic_in.produce([b"", b"", b"end"])
    assert topic_out.wait_values(3) == [b"", b"", b"end"]


def test_message_decoder_gets_everything_about_a_message(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 3), kafka.new_topic("out")
    text = kafka_pipeline(defs=METADATA, source="source(args, told)")
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    headers = [("trace", b"\x00\xff"), ("empty", b""), ("none", None), ("trace", b"again")]
    topic_in.produce(["first"], partition=2, timestamp_ms=1_500_000_000_123)
    topic_in.produce(["full"], "k\u00e9y", headers, partition=2, timestamp_ms=1_500_000_000_124)
    topic_in.produce([None], b"", partition=2, timestamp_ms=1_500_000_000_125)
    got = [json.loads(value or b"") for value in topic_out.wait_values(3)]
    assert server.terminate() == 0
    name = topic_in.name
    key = repr("k\u00e9y".encode())
    assert got == [
        ["b'first'", name, 2, 0, 1_500_000_000_123, "None", "[]"],
        ["b'full'", name, 2, 1, 1_500_000_000_124, key, repr(headers)],
        ["None", name, 2, 2, 1_500_000_000_125, "b''", "[]"],
    ]


def test_encoder_shapes(serve_kafka: ServeKafka, kafka: Kafka) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out", 3)
    text = kafka_pipeline(defs=SHAPES, sink="sink(args, shaped)")
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    topic_in.produce(
        ["nothing", "pair", "bytes key", "no key", "text value", "triple"]
        + ["triple without partition", "bytes", "text", "empty"]
    )
    got = {record.value: record for record in topic_out.wait_records(9)}
    assert server.terminate() == 0
    assert {value: record.key for value, record in got.items()} == {
        b"pair": b"key",
        b"bytes key": b"\xff\x00",
        b"no key": None,
        "text \u00e9".encode(): "k\u00e9y".encode(),
        b"triple": b"key",
        b"triple without partition": b"key",
        b"bytes": None,
        b"text": None,
        b"": b"",
    }
    assert got[b"triple"].partition == 2
    assert got[b"pair"].partition == got[b"triple without partition"].partition
    assert server.summary()["outputs"] == 9
    assert server.summary()["dead letters"] == 0


def test_key_chooses_the_partition_as_kafkas_own_producer_does(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out", 64)
    text = kafka_pipeline(
        defs="""\
        @wallaroo.encoder
        def keyed(data):
            return data, data
        """,
        sink="sink(args, keyed)",
    )
    serve_kafka(text, source=topic_in, sink=topic_out)
    topic_in.produce(["21", "foobar", "a-little-bit-long-string", "abc"])
    got = {record.key: record.partition for record in topic_out.wait_records(4)}
    # murmur2 of each, from the tests of Kafka's Utils class, without the sign.
    expected = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"abc": 479470107,
    }
    assert got == {key: (value & 0x7FFFFFFF) % 64 for key, value in expected.items()}


def test_wrong_encoder_results_are_dead_letters(
    serve_kafka: ServeKafka, kafka: Kafka, tmp_path: Path
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    text = kafka_pipeline(
        defs="""\
        @wallaroo.encoder
        def shaped(data):
            return eval(data)
        """,
        sink="sink(args, shaped)",
    )
    server = serve_kafka(text, *LETTERS, source=topic_in, sink=topic_out)
    for shape in WRONG_SHAPES:
        topic_in.produce([shape, "b'good'"])
    count = len(WRONG_SHAPES)
    assert topic_out.wait_values(count) == [b"good"] * count
    letters = wait_letters(tmp_path, count)
    assert all(letter["pipeline"] == "main" and letter["error"] for letter in letters)
    assert {letter["input"] for letter in letters} == {repr(shape) for shape in WRONG_SHAPES}
    topic_in.wait_committed(2 * count)
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == count


def test_undecodable_messages_are_dead_letters_and_offsets_move_on(
    serve_kafka: ServeKafka, kafka: Kafka, tmp_path: Path
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    topic_in.produce([b"one", b"\xff\xfe", None, b"two"])
    server = serve_kafka(kafka_pipeline(), *LETTERS, source=topic_in, sink=topic_out)
    assert topic_out.wait_values(2) == [b"one", b"two"]
    bad, tombstone = wait_letters(tmp_path, 2)
    assert bad["step"] == tombstone["step"] == "decoder"
    assert base64.b64decode(bad["input_base64"]) == b"\xff\xfe"
    assert "UnicodeDecodeError" in bad["error"]
    assert tombstone["input"] == "None" and "AttributeError" in tombstone["error"]
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 2
    again = serve_kafka(kafka_pipeline(), *LETTERS, source=topic_in, sink=topic_out)
    topic_in.produce(["three"])
    assert topic_out.wait_values(3) == [b"one", b"two", b"three"]
    assert again.terminate() == 0
    assert again.summary()["records in"] == 1
    assert len(wait_letters(tmp_path, 2)) == 2


def test_megabyte_messages_pass_when_the_limits_are_raised(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    limit = str(4 * MEGABYTE)
    topic_in = kafka.new_topic("in", max_message_bytes=limit)
    topic_out = kafka.new_topic("out", max_message_bytes=limit)
    large = [bytes([65 + i]) * size for i, size in enumerate([MEGABYTE, 1, 3 * MEGABYTE])]
    topic_in.produce(large)
    text = kafka_pipeline(
        defs=RAW,
        source="source(args, raw)",
        sink="sink(args, raw_out, max_message_size=3_500_000)",
    )
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    assert topic_out.wait_values(3) == large
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 0


def test_message_over_max_message_size_is_a_dead_letter(
    serve_kafka: ServeKafka, kafka: Kafka, tmp_path: Path
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    text = kafka_pipeline(
        defs=RAW, source="source(args, raw)", sink="sink(args, raw_out, max_message_size=1000)"
    )
    server = serve_kafka(text, *LETTERS, source=topic_in, sink=topic_out)
    topic_in.produce([b"a" * 1000, b"b" * 1001, b"c"])
    assert topic_out.wait_values(2) == [b"a" * 1000, b"c"]
    (letter,) = wait_letters(tmp_path, 1)
    assert "1001" in letter["error"] and "max_message_size" in letter["error"]
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 1
    assert server.summary()["outputs"] == 2


def test_what_the_broker_refuses_is_a_dead_letter_with_its_reason(
    serve_kafka: ServeKafka, kafka: Kafka, tmp_path: Path
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out", max_message_bytes="500")
    server = serve_kafka(kafka_pipeline(), *LETTERS, source=topic_in, sink=topic_out)
    topic_in.produce(["one"])
    assert topic_out.wait_values(1) == [b"one"]
    topic_in.produce(["b" * 5000])
    (letter,) = wait_letters(tmp_path, 1)
    assert "size" in letter["error"].lower()
    assert base64.b64decode(letter["input_base64"]) == b"b" * 5000
    topic_in.produce(["two"])
    assert topic_out.wait_values(2) == [b"one", b"two"]
    topic_in.wait_committed(3)
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 1


def test_on_error_stop_ends_with_status_1_and_commits_nothing_behind_the_bad_message(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(kafka_pipeline(), "--on-error=stop", source=topic_in, sink=topic_out)
    topic_in.produce([b"one", b"two"])
    topic_out.wait_values(2)
    topic_in.produce([b"\xff", b"three"])
    assert server.wait() == 1
    assert (topic_in.committed()[0] or 0) <= 2
