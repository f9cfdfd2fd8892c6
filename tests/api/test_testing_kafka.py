"""wallaroo.testing feeds Kafka sources with messages and returns what Kafka sinks would send."""

import sys

import pytest
import wallaroo
from api_samples import SINK, Counts, count, decode, encode, first_letter, reverse
from wallaroo import testing

BROKERS = [("127.0.0.1", "9092")]


@wallaroo.encoder
def keyed(text):
    return text, text[:1]


@wallaroo.decoder
def or_none(value):
    return "tombstone" if value is None else value.decode()


@wallaroo.message_decoder
def described(value, message):
    text = "tombstone" if value is None else value.decode()
    return f"{message.topic}/{message.partition}/{message.offset} {text}"


def kafka_source(decoder=or_none):
    source = wallaroo.KafkaSourceConfig("words", BROKERS, "Warn", decoder)
    return wallaroo.ApplicationBuilder("app").new_pipeline("main", source)


def kafka_sink(encoder=keyed):
    return wallaroo.KafkaSinkConfig("out", BROKERS, "Warn", encoder)


def test_messages_go_in_and_tuples_come_out():
    result = testing.run(kafka_source().to(reverse).to_sink(kafka_sink()), {"main": [b"abc", b"d"]})
    assert result.output() == [(b"cba", b"c", None), (b"d", b"d", None)]
    assert result.outputs == {"main": [[(b"cba", b"c", None), (b"d", b"d", None)]]}


def test_tombstones_and_empty_values_are_not_the_same():
    result = testing.run(kafka_source().to_sink(SINK), {"main": testing.frames([None, b""])})
    assert result.output() == [b"tombstone\n", b"\n"]


def test_items_are_decoded_already():
    ab = kafka_source().to_sink(kafka_sink())
    assert testing.run(ab, {"main": testing.items(["ab"])}).output() == [(b"ab", b"a", None)]


def test_message_decoder_gets_a_message():
    result = testing.run(kafka_source(described).to_sink(SINK), {"main": [b"a", None]})
    assert result.output() == [b"words/0/0 a\n", b"words/0/1 tombstone\n"]


@pytest.mark.parametrize(
    ("encoded", "sent"),
    [
        ((b"v", b"k"), [(b"v", b"k", None)]),
        (("v", "k"), [(b"v", b"k", None)]),
        (("v", None), [(b"v", None, None)]),
        (("v", "k", 3), [(b"v", b"k", 3)]),
        (("v", None, None), [(b"v", None, None)]),
        (b"v", [(b"v", None, None)]),
        ("é", [("é".encode(), None, None)]),
        (None, []),
    ],
)
def test_every_result_of_an_encoder(encoded, sent):
    encoder = wallaroo.encoder(lambda data: encoded)
    ab = kafka_source().to_sink(kafka_sink(encoder))
    assert testing.run(ab, {"main": [b"a"]}).output() == sent


@pytest.mark.parametrize("encoded", [5, ("v",), ("v", 5), ("v", "k", "3"), ("v", "k", -1)])
def test_wrong_result_of_an_encoder_is_a_dead_letter(encoded):
    encoder = wallaroo.encoder(lambda data: encoded)
    ab = kafka_source().to_sink(kafka_sink(encoder))
    result = testing.run(ab, {"main": [b"a"]}, on_error="keep")
    assert result.output() == []
    assert [letter.input for letter in result.dead_letters] == ["a"]


def test_failing_decoder_keeps_the_value():
    ab = kafka_source(decode).to_sink(kafka_sink())
    result = testing.run(ab, {"main": [b"\xff", None, b"a"]}, on_error="keep")
    assert result.output() == [(b"a", b"a", None)]
    assert [letter.input for letter in result.dead_letters] == [b"\xff", None]


def test_kafka_and_tcp_mix():
    ab = kafka_source().to_state_partition(count, Counts, "counts", first_letter)
    ab.to_sinks([SINK, kafka_sink()])
    ab.new_pipeline("tcp", ("tcp", "h", "0", decode)).to_sink(kafka_sink())
    result = testing.run(ab, {"main": [b"a", b"a"], "tcp": [b"b"]})
    assert result.output("main", 0) == [b"a 1\n", b"a 2\n"]
    assert result.output("main", 1) == [(b"a 1", b"a", None), (b"a 2", b"a", None)]
    assert result.output("tcp") == [(b"b", b"b", None)]


def test_kafka_source_takes_no_stream():
    with pytest.raises(TypeError, match="reads messages"):
        testing.run(kafka_source().to_sink(SINK), {"main": testing.stream([b"abc"])})


def test_tombstone_is_for_kafka_sources_only():
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", ("tcp", "h", "0", decode))
    with pytest.raises(TypeError, match="got None at index 1"):
        testing.run(ab.to_sink(SINK), {"main": [b"a", None]})


def test_default_arguments_have_topics_and_brokers():
    def application_setup(args):
        assert sys.argv == args
        source = wallaroo.KafkaSourceConfig(*wallaroo.kafka_parse_source_options(args), or_none)
        ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", source)
        ab.to_sink(wallaroo.CustomKafkaSinkCLIParser(args, keyed))
        ab.new_pipeline("other", wallaroo.DefaultKafkaSourceCLIParser(or_none))
        return ab.to_sink(wallaroo.DefaultKafkaSinkCLIParser(keyed)).build()

    before = sys.argv
    result = testing.run(application_setup, {"main": [b"a"], "other": [b"b"]})
    assert result.outputs == {"main": [[(b"a", b"a", None)]], "other": [[(b"b", b"b", None)]]}
    assert sys.argv is before


def test_class_of_the_encoder_and_decoder_is_made_an_object():
    class Decoder:
        def decode(self, value):
            return value.decode()

    class Encoder:
        def encode(self, text):
            return text, None

    ab = kafka_source(Decoder).to_sink(kafka_sink(Encoder))
    assert testing.run(ab, {"main": [b"a"]}).output() == [(b"a", None, None)]


def test_encode_of_the_samples_is_fine_for_kafka():
    ab = kafka_source().to_sink(kafka_sink(encode))
    assert testing.run(ab, {"main": [b"a"]}).output() == [(b"a\n", None, None)]
