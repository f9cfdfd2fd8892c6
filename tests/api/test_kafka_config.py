"""Kafka configurations become tuples, and refuse what cannot work."""

import inspect

import pytest
import wallaroo
from api_samples import SINK, SOURCE, Counts, builder, decode, encode, reverse
from hypothesis import given
from hypothesis import strategies as st
from wallaroo import KafkaSinkConfig, KafkaSourceConfig, WallarooParameterError

BROKERS = [("127.0.0.1", "9092"), ("::1", "9093")]
KINDS = {KafkaSourceConfig: decode, KafkaSinkConfig: encode}
kinds = pytest.mark.parametrize("config", KINDS)

OWNED = {
    "bootstrap.servers": ("h:1", "brokers"),
    "metadata.broker.list": ("h:1", "brokers"),
    "group.id": ("g", "group"),
    "auto.offset.reset": ("latest", "start"),
    "enable.auto.commit": (False, "--commit-interval"),
    "auto.commit.enable": ("true", "--commit-interval"),
    "enable.auto.offset.store": ("false", "--commit-interval"),
    "message.max.bytes": (1000, "max_message_size"),
    "linger.ms": (5, "max_produce_buffer_ms"),
    "queue.buffering.max.ms": (5, "max_produce_buffer_ms"),
    "enable.idempotence": (False, "leave it out"),
    "acks": (1, "use all"),
    "request.required.acks": (0, "use all"),
    "delivery.report.only.error": (True, "leave it out"),
    "transactional.id": ("t", "at least once"),
    "partition.assignment.strategy": ("range,cooperative-sticky", "roundrobin"),
}


def make(config, topic="words", brokers=BROKERS, log_level="Warn", **options):
    codec = "decoder" if config is KafkaSourceConfig else "encoder"
    return config(topic, brokers, log_level, **{codec: KINDS[config], **options})


def mistake(call):
    with pytest.raises(WallarooParameterError) as caught:
        call()
    return str(caught.value)


def plain(data):
    return data


class OnlyDecode:
    """A decoder as Kafka needs it: without the frame's header."""

    def decode(self, value):
        return value


def test_source_without_options_is_the_classic_tuple():
    config = KafkaSourceConfig("words", BROKERS, "Warn", decode)
    assert config.to_tuple() == ("kafka", "words", BROKERS, "Warn", decode)
    config = KafkaSourceConfig("words", BROKERS, "Warn", decode, group=None, properties={})
    assert len(config.to_tuple()) == 5


def test_source_with_an_option_has_all_of_them():
    config = KafkaSourceConfig("words", BROKERS, "Info", decode, group="g")
    expected = {"group": "g", "start": "earliest", "properties": {}}
    assert config.to_tuple() == ("kafka", "words", BROKERS, "Info", decode, expected)
    config = KafkaSourceConfig("w", BROKERS, "Fine", decode, start="error", properties={"a": 1})
    assert config.to_tuple()[5] == {"group": None, "start": "error", "properties": {"a": "1"}}


def test_sink_is_the_classic_tuple_and_properties_come_last():
    sink = KafkaSinkConfig("out", BROKERS, "Error", 5, 2000, encode)
    assert sink.to_tuple() == ("kafka", "out", BROKERS, "Error", 5, 2000, encode)
    sink = KafkaSinkConfig("out", BROKERS, "Error", encode, properties={"batch.size": 9})
    assert sink.to_tuple()[6:] == (encode, {"properties": {"batch.size": "9"}})


@pytest.mark.parametrize(
    ("args", "kwargs", "numbers"),
    [
        ((encode,), {}, (0, 100_000)),
        ((7, encode), {}, (7, 100_000)),
        ((7, 2000, encode), {}, (7, 2000)),
        ((), {"encoder": encode}, (0, 100_000)),
        ((7,), {"encoder": encode}, (7, 100_000)),
        ((7, 2000), {"encoder": encode}, (7, 2000)),
        ((encode,), {"max_message_size": 2000}, (0, 2000)),
        ((), {"max_message_size": 2000, "max_produce_buffer_ms": 7, "encoder": encode}, (7, 2000)),
    ],
)
def test_encoder_may_stand_last_or_have_its_name(args, kwargs, numbers):
    sink = KafkaSinkConfig("out", BROKERS, "Warn", *args, **kwargs)
    assert sink.to_tuple() == ("kafka", "out", BROKERS, "Warn", *numbers, encode)


def test_undecorated_encoder_in_any_place_is_told_its_decorator():
    for args in ((plain,), (0, plain), (0, 2000, plain)):
        text = mistake(lambda args=args: KafkaSinkConfig("out", BROKERS, "Warn", *args))
        assert "decorate it with @wallaroo.encoder" in text


def test_two_encoders_are_refused():
    text = mistake(lambda: KafkaSinkConfig("out", BROKERS, "Warn", encode, 2000, encode))
    assert "max_produce_buffer_ms must be an int" in text


def test_no_encoder_is_said():
    assert "there is no encoder" in mistake(lambda: KafkaSinkConfig("out", BROKERS, "Warn"))


@kinds
def test_mistake_names_the_users_line(config):
    line = inspect.currentframe().f_lineno + 2
    with pytest.raises(WallarooParameterError) as caught:
        config("", BROKERS, "Warn", KINDS[config])
    assert str(caught.value).startswith(f"{config.__name__}: topic must be a non-empty str")
    assert f"({__file__}:{line})" in str(caught.value)


@kinds
@pytest.mark.parametrize(
    "topic",
    ["", None, 5, b"words", "a b", "a/b", "^a.*", "é", "a,b", ".", "..", "x" * 250, "a\n"],
)
def test_illegal_topic_is_refused(config, topic):
    assert "topic m" in mistake(lambda: make(config, topic=topic))


@kinds
@given(topic=st.from_regex(r"[A-Za-z0-9._-]{3,249}", fullmatch=True))
def test_legal_topic_is_kept(config, topic):
    topic = f"t{topic[1:]}"
    assert make(config, topic=topic).to_tuple()[1] == topic


@kinds
@pytest.mark.parametrize(
    "brokers",
    [
        [],
        (),
        None,
        "127.0.0.1:9092",
        [("h", "1", "2")],
        ["h:9092"],
        [("h", "0")],
        [("h", 65536)],
        [("h", None)],
        [("h", True)],
        [("h", "kafka")],
        [("", "9092")],
        [(None, "9092")],
        [("h:9092", "9092")],
        [("h,i", "9092")],
        [("SSL://h", "9092")],
        [("[::1]", "9092")],
        [("a b", "9092")],
        [("h", "9092"), ("i", "x")],
    ],
)
def test_malformed_brokers_are_refused(config, brokers):
    assert "brokers" in mistake(lambda: make(config, brokers=brokers))


@kinds
def test_brokers_may_be_tuples_lists_and_int_ports(config):
    brokers = make(config, brokers=(["h", 9092], ("i", "1"))).to_tuple()[2]
    assert brokers == [("h", "9092"), ("i", "1")]


@kinds
@pytest.mark.parametrize("level", ["Fine", "Info", "Warn", "Error"])
def test_log_level_is_kept(config, level):
    assert make(config, log_level=level).to_tuple()[3] == level


@kinds
@pytest.mark.parametrize("level", ["warn", "Debug", "", None, 4])
def test_unknown_log_level_is_refused(config, level):
    text = mistake(lambda: make(config, log_level=level))
    assert "log_level must be one of Fine, Info, Warn, Error" in text


@pytest.mark.parametrize("group", ["", 5, b"g", "a\0b"])
def test_group_must_be_a_str(group):
    assert "group must be" in mistake(lambda: make(KafkaSourceConfig, group=group))


@pytest.mark.parametrize("start", ["beginning", "", None, 0])
def test_start_must_be_one_of_three(start):
    text = mistake(lambda: make(KafkaSourceConfig, start=start))
    assert "start must be one of earliest, latest, error" in text


@pytest.mark.parametrize("value", [-1, 1.5, "5", True, None, 10**10])
@pytest.mark.parametrize("name", ["max_produce_buffer_ms", "max_message_size"])
def test_numbers_out_of_range_are_refused(name, value):
    text = mistake(lambda: make(KafkaSinkConfig, **{name: value}))
    assert f"{name} must be an int from" in text
    assert f"got {value!r}" in text


def test_message_size_of_0_is_refused():
    assert "max_message_size" in mistake(lambda: make(KafkaSinkConfig, max_message_size=0))


@kinds
def test_properties_become_text(config):
    given_ones = {"a": "text", "b": 5, "c": 0.5, "d": True, "e": False}
    properties = make(config, properties=given_ones).to_tuple()[-1]["properties"]
    assert properties == {"a": "text", "b": "5", "c": "0.5", "d": "true", "e": "false"}


@kinds
def test_properties_are_those_at_the_time_of_the_call(config):
    properties = {"a": "1"}
    kept = make(config, properties=properties)
    properties["b"] = "2"
    assert kept.properties == {"a": "1"}


@kinds
@pytest.mark.parametrize(("name", "value"), [(k, v) for k, (v, _) in OWNED.items()])
def test_property_of_the_server_says_what_to_use(config, name, value):
    text = mistake(lambda: make(config, properties={name: value}))
    assert f"properties: {name} belongs to the server" in text
    assert OWNED[name][1] in text
    assert __file__ in text


@kinds
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("enable.idempotence", True),
        ("acks", "all"),
        ("acks", -1),
        ("delivery.report.only.error", False),
        ("partition.assignment.strategy", "roundrobin"),
    ],
)
def test_harmless_value_of_such_a_property_is_fine(config, name, value):
    assert name in make(config, properties={name: value}).properties


@kinds
@pytest.mark.parametrize("properties", ["a=b", [("a", "b")], 5, {"": "x"}, {5: "x"}])
def test_properties_must_be_a_dict_of_str(config, properties):
    assert "properties" in mistake(lambda: make(config, properties=properties))


@kinds
@pytest.mark.parametrize("value", [None, b"hunter2", ["hunter2"], "hunter2\0"])
def test_wrong_property_value_is_refused_without_showing_it(config, value):
    text = mistake(lambda: make(config, properties={"sasl.password": value}))
    assert "sasl.password must" in text
    assert "hunter2" not in text


@kinds
def test_repr_hides_properties(config):
    assert "hunter2" not in repr(make(config, properties={"sasl.password": "hunter2"}))


@pytest.mark.parametrize("decoder", [OnlyDecode(), OnlyDecode, decode])
def test_decoder_needs_no_header(decoder):
    assert make(KafkaSourceConfig, decoder=decoder).to_tuple()[4] is decoder


@kinds
@pytest.mark.parametrize("thing", [None, 5, Counts, Counts(), "text", b"bytes", plain, reverse])
def test_what_is_no_decoder_or_encoder_is_refused(config, thing):
    codec = "decoder" if config is KafkaSourceConfig else "encoder"
    text = mistake(lambda: make(config, **{codec: thing}))
    assert f"is not an {codec}" in text or f"is not a {codec}" in text or "no encoder" in text


def test_builder_takes_configurations_and_mixes_them_with_tcp():
    source, sink = make(KafkaSourceConfig), make(KafkaSinkConfig)
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("in", source).to_sink(SINK)
    ab.new_pipeline("out", SOURCE).to_sinks([SINK, sink])
    topology = ab.build()
    assert topology[1] == ("new_pipeline", "in", source.to_tuple())
    assert topology[-1] == ("to_sinks", [SINK, sink.to_tuple()])


def test_builder_takes_hand_made_tuples():
    source = ("kafka", "words", [("h", 9092)], "Warn", decode)
    sink = ("kafka", "out", [("h", "9092")], "Warn", 0, 100_000, encode)
    options = {"properties": {"batch.size": 9}}
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", source)
    topology = ab.to_sinks([sink, (*sink, options)]).build()
    assert topology[1][2] == ("kafka", "words", [("h", "9092")], "Warn", decode)
    assert topology[2][1] == [sink, (*sink, {"properties": {"batch.size": "9"}})]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (("kafka", "words", BROKERS, "Warn"), "has 5 or 6 items"),
        (("kafka", "words", BROKERS, "Warn", encode), "is not a decoder"),
        (("kafka", "words", "h:1", "Warn", decode), "brokers must be a list"),
        (("kafka", "words", BROKERS, "Warn", decode, []), "must be a dict"),
        (("kafka", "words", BROKERS, "Warn", decode, {"grop": "g"}), "unknown option 'grop'"),
        (("kafka", "words", BROKERS, "Warn", decode, {"start": "now"}), "start must be"),
        (("kafka", "words", BROKERS, "Warn", decode, {"properties": {"acks": 0}}), "acks"),
        (make(KafkaSinkConfig), "has 5 or 6 items"),
    ],
)
def test_builder_refuses_wrong_sources(source, said):
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", source).to_sink(SINK)
    text = mistake(ab.build)
    assert said in text
    assert "new_pipeline()" in text
    assert text.count(__file__) >= 1


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (("kafka", "out", BROKERS, "Warn", encode), "has 7 or 8 items"),
        (("kafka", "out", BROKERS, "Warn", 0, 100_000, decode), "is not an encoder"),
        (("kafka", "out", BROKERS, "Warn", 0, -5, encode), "max_message_size must be"),
        (("kafka", "out", BROKERS, "Warn", 0, 9, encode, {"group": "g"}), "unknown option"),
        (make(KafkaSourceConfig), "has 7 or 8 items"),
    ],
)
def test_builder_refuses_wrong_sinks(sink, said):
    assert said in mistake(builder().to_sink(sink).build)
    assert said in mistake(builder().to_sinks([SINK, sink]).build)
