"""`--kafka_source_*` and `--kafka_sink_*` are read as in the original."""

import sys

import pytest
import wallaroo
from api_samples import SINK, builder, decode, encode
from hypothesis import given
from hypothesis import strategies as st
from wallaroo import (
    CustomKafkaSinkCLIParser,
    CustomKafkaSourceCLIParser,
    DefaultKafkaSinkCLIParser,
    DefaultKafkaSourceCLIParser,
    WallarooParameterError,
    kafka_parse_sink_options,
    kafka_parse_source_options,
)

PARSERS = {"kafka_source": kafka_parse_source_options, "kafka_sink": kafka_parse_sink_options}
both = pytest.mark.parametrize(("name", "parse"), PARSERS.items())


def options(name, **values):
    return ["app", *(f"--{name}_{flag}={value}" for flag, value in values.items())]


def needed(name, **values):
    return options(name, topic="t", brokers="h:1", **values)


@pytest.fixture
def command_line(monkeypatch):
    """Sets sys.argv, as the server does."""
    return lambda args: monkeypatch.setattr(sys, "argv", args)


def test_source_defaults():
    assert kafka_parse_source_options(needed("kafka_source")) == ("t", [("h", "1")], "Warn")


def test_sink_defaults():
    expected = ("t", [("h", "1")], "Warn", 0, 100_000)
    assert kafka_parse_sink_options(needed("kafka_sink")) == expected


@both
def test_every_option_is_read(name, parse):
    args = ["app", "--other", f"--{name}_topic", "t", f"--{name}_brokers", "h:1", "rest"]
    args += [f"--{name}_log_level=Fine", f"--{name}_max_produce_buffer_ms", "7"]
    args += [f"--{name}_max_message_size=2_000"]
    assert ("t", [("h", "1")], "Fine", 7, 2000)[: 3 if name == "kafka_source" else 5] == parse(args)


@both
@pytest.mark.parametrize(
    ("text", "brokers"),
    [
        ("h", [("h", "9092")]),
        ("h:1,i, j:2", [("h", "1"), ("i", "9092"), ("j", "2")]),
        ("[::1]:7", [("::1", "7")]),
        ("[::1]", [("::1", "9092")]),
    ],
)
def test_broker_without_port_gets_9092(name, parse, text, brokers):
    assert parse(options(name, topic="t", brokers=text))[1] == brokers


@both
@pytest.mark.parametrize("text", ["", ",", "h:", "h:x", "h:0", "h:1:2", ":1", "[::1", "h:1,"])
def test_malformed_broker_is_said(name, parse, text):
    with pytest.raises(WallarooParameterError, match=f"The option --{name}_brokers: "):
        parse(options(name, topic="t", brokers=text))


@both
def test_the_last_of_several_counts(name, parse):
    assert parse([*needed(name), f"--{name}_topic", "last"])[0] == "last"


@both
@pytest.mark.parametrize("flag", ["topic", "brokers"])
def test_missing_option_is_said(name, parse, flag):
    args = [arg for arg in needed(name) if flag not in arg]
    with pytest.raises(WallarooParameterError, match=f"--{name}_{flag} is missing"):
        parse(args)
    with pytest.raises(WallarooParameterError, match=f"--{name}_{flag}"):
        parse([*args, f"--{name}_{flag}", "--other"])


@both
def test_nothing_is_read_after_two_dashes(name, parse):
    with pytest.raises(WallarooParameterError, match="missing"):
        parse(["app", "--", *needed(name)])


@both
def test_source_and_sink_do_not_mix(name, parse):
    other = "kafka_sink" if name == "kafka_source" else "kafka_source"
    args = [*needed(name), *options(other, topic="other", brokers="o:2", log_level="Error")]
    assert parse(args)[:3] == ("t", [("h", "1")], "Warn")


@both
@pytest.mark.parametrize("args", [None, "text", 5])
def test_arguments_must_be_a_list(name, parse, args):
    with pytest.raises(WallarooParameterError, match="application_setup got"):
        parse(args)


@both
@pytest.mark.parametrize("level", ["warn", "", "Trace"])
def test_unknown_log_level_is_said(name, parse, level):
    with pytest.raises(WallarooParameterError, match=f"--{name}_log_level: .* Fine, Info, Warn"):
        parse(needed(name, log_level=level))


@pytest.mark.parametrize("flag", ["max_produce_buffer_ms", "max_message_size"])
@pytest.mark.parametrize("value", ["", "many", "1.5"])
def test_no_number_is_said(flag, value):
    with pytest.raises(WallarooParameterError, match=f"--kafka_sink_{flag}: .* whole number"):
        kafka_parse_sink_options(needed("kafka_sink", **{flag: value}))


@given(st.lists(st.text(), max_size=8), st.text())
def test_any_text_is_read_or_refused(args, text):
    for name, parse in PARSERS.items():
        assert parse([*needed(name), *args])[0] == "t"
        for flag in ("topic", "brokers", "log_level"):
            try:
                parse([*needed(name), f"--{name}_{flag}", text])
            except WallarooParameterError as error:
                said = str(error)
            else:
                continue
            assert f"--{name}_{flag}" in said


def test_classic_use_of_the_parsed_options():
    args = [*needed("kafka_source"), *needed("kafka_sink", max_produce_buffer_ms=3)]
    source = wallaroo.KafkaSourceConfig(*(kafka_parse_source_options(args) + (decode,)))
    sink = wallaroo.KafkaSinkConfig(*(kafka_parse_sink_options(args) + (encode,)))
    assert source.to_tuple() == ("kafka", "t", [("h", "1")], "Warn", decode)
    assert sink.to_tuple() == ("kafka", "t", [("h", "1")], "Warn", 3, 100_000, encode)


def test_custom_parsers_take_both_orders():
    args = [*needed("kafka_source"), *needed("kafka_sink")]
    source = ("kafka", "t", [("h", "1")], "Warn", decode)
    sink = ("kafka", "t", [("h", "1")], "Warn", 0, 100_000, encode)
    for config in (
        CustomKafkaSourceCLIParser(args, decode),
        CustomKafkaSourceCLIParser(decode, args),
        CustomKafkaSourceCLIParser(decoder=decode, args=args),
    ):
        assert config.to_tuple() == source
    for config in (CustomKafkaSinkCLIParser(args, encode), CustomKafkaSinkCLIParser(encode, args)):
        assert config.to_tuple() == sink


def test_default_parsers_read_the_servers_command_line(command_line):
    command_line([*needed("kafka_source"), *needed("kafka_sink")])
    source = DefaultKafkaSourceCLIParser(decode)
    sink = DefaultKafkaSinkCLIParser(encode)
    assert source.to_tuple() == ("kafka", "t", [("h", "1")], "Warn", decode)
    assert sink.to_tuple() == ("kafka", "t", [("h", "1")], "Warn", 0, 1_000_000, encode)


def test_default_parsers_take_a_name_in_either_order(command_line):
    command_line([*needed("in"), *needed("out")])
    for config in (
        DefaultKafkaSourceCLIParser(decode, "in"),
        DefaultKafkaSourceCLIParser("in", decode),
        DefaultKafkaSourceCLIParser(decode, name="in"),
        DefaultKafkaSinkCLIParser(encode, "out"),
        DefaultKafkaSinkCLIParser("out", encode),
    ):
        assert config.topic == "t"
    with pytest.raises(WallarooParameterError, match="--kafka_source_topic is missing"):
        DefaultKafkaSourceCLIParser(decode)


def test_source_flags_become_properties(command_line):
    flags = {
        "offset_default": "END",
        "consumer_check_crc": "true",
        "min_fetch_bytes": 5,
        "max_fetch_bytes": 2_000_000,
        "partition_fetch_max_bytes": 7,
        "fetch_interval": 100_000_000,
    }
    command_line(needed("kafka_source", **flags))
    assert DefaultKafkaSourceCLIParser(decode).to_tuple()[5] == {
        "group": None,
        "start": "latest",
        "properties": {
            "check.crcs": "true",
            "fetch.min.bytes": "5",
            "fetch.max.bytes": "2000000",
            "max.partition.fetch.bytes": "7",
        },
    }


def test_sink_flags_become_properties(command_line):
    flags = {
        "produce_timeout_ms": 100,
        "max_produce_buffer_ms": 4,
        "max_produce_message_size": 2000,
        "max_inflight_requests": 1_000_000,
        "produce_acks": -1,
        "producer_compression": "lz4",
    }
    command_line(needed("kafka_sink", **flags))
    properties = {
        "request.timeout.ms": "100",
        "max.in.flight.requests.per.connection": "5",
        "compression.codec": "lz4",
    }
    assert DefaultKafkaSinkCLIParser(encode).to_tuple()[4:] == (
        4,
        2000,
        encode,
        {"properties": properties},
    )


def test_negative_and_bare_values(command_line):
    args = [*needed("kafka_sink"), "--kafka_sink_produce_acks", "-1"]
    command_line([*args, *needed("kafka_source"), "--kafka_source_consumer_check_crc"])
    assert DefaultKafkaSinkCLIParser(encode).properties == {}
    assert DefaultKafkaSourceCLIParser(decode).properties == {"check.crcs": "true"}


def test_fetch_sizes_stay_in_the_clients_range(command_line):
    command_line(needed("kafka_source", max_fetch_bytes=10, min_fetch_bytes=0))
    properties = {"fetch.min.bytes": "1", "fetch.max.bytes": "1000000"}
    assert DefaultKafkaSourceCLIParser(decode).properties == properties


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("offset_default", "7", "START or END"),
        ("offset_default", "-7", "START or END"),
        ("partitions", "0,2", "consumer group shares"),
        ("consumer_check_crc", "maybe", "true, false"),
        ("min_fetch_bytes", "few", "whole number"),
        ("fetch_interval", "often", "whole number"),
    ],
)
def test_wrong_source_flag_is_said(command_line, flag, value, said):
    command_line([*needed("kafka_source"), f"--kafka_source_{flag}", value])
    with pytest.raises(WallarooParameterError, match=f"--kafka_source_{flag}: .*{said}"):
        DefaultKafkaSourceCLIParser(decode)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("producer_compression", "zip"),
        ("produce_acks", "all"),
        ("produce_timeout_ms", "soon"),
        ("max_produce_message_size", "big"),
    ],
)
def test_wrong_sink_flag_is_said(command_line, flag, value):
    command_line(needed("kafka_sink", **{flag: value}))
    with pytest.raises(WallarooParameterError, match=f"--kafka_sink_{flag}: "):
        DefaultKafkaSinkCLIParser(encode)


def test_builder_takes_the_parsers(command_line):
    args = [*needed("kafka_source"), *needed("kafka_sink")]
    command_line(args)
    for source, sink in (
        (DefaultKafkaSourceCLIParser(decode), DefaultKafkaSinkCLIParser(encode)),
        (CustomKafkaSourceCLIParser(args, decode), CustomKafkaSinkCLIParser(args, encode)),
    ):
        topology = wallaroo.ApplicationBuilder("a").new_pipeline("p", source).to_sink(sink).build()
        assert topology[1][2] == source.to_tuple()
        assert topology[2][1] == sink.to_tuple()
    assert builder().to_sinks([SINK, DefaultKafkaSinkCLIParser(encode)]).build()
