"""Kafka configurations that are read from the command line.

The option names are those of the original's Kafka client, whose settings become librdkafka's where
one exists.
"""

from __future__ import annotations

import sys

from .kafka import DEFAULT_PRODUCE_BUFFER_MS, KafkaSinkConfig, KafkaSourceConfig
from .kafka_options import (
    SINK,
    SOURCE,
    Options,
    kafka_parse_sink_options,
    kafka_parse_source_options,
    read_options,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MESSAGE_BYTES_MAX = 1_000_000  # the default of --kafka_sink_max_produce_message_size
_FETCH_BYTES_LEAST = 1_000_000  # librdkafka refuses a fetch.max.bytes under message.max.bytes
_IN_FLIGHT_MAX = 5  # what an idempotent producer may have
_COMPRESSIONS = ("none", "gzip", "snappy", "lz4")
_YES_NO = ("true", "false")


class CustomKafkaSourceCLIParser(KafkaSourceConfig):
    """A Kafka source read from the `--kafka_source_*` options of `args`.

    args: what `application_setup` got; see `kafka_parse_source_options`.
    decoder: as in KafkaSourceConfig. The two may stand in either order.
    Raises WallarooParameterError as those do.
    """

    def __init__(self, args: Any, decoder: Any) -> None:
        args, decoder = _arguments_first(args, decoder)
        super().__init__(*kafka_parse_source_options(args), decoder)


class CustomKafkaSinkCLIParser(KafkaSinkConfig):
    """A Kafka sink read from the `--kafka_sink_*` options of `args`.

    args: what `application_setup` got; see `kafka_parse_sink_options`.
    encoder: as in KafkaSinkConfig. The two may stand in either order.
    Raises WallarooParameterError as those do.
    """

    def __init__(self, args: Any, encoder: Any) -> None:
        args, encoder = _arguments_first(args, encoder)
        super().__init__(*kafka_parse_sink_options(args), encoder)


class DefaultKafkaSourceCLIParser(KafkaSourceConfig):
    """A Kafka source read from the `--<name>_*` options of the server's command line (sys.argv).

    decoder: as in KafkaSourceConfig.
    name: the prefix of the options, a str. The two may stand in either order.

    | option | becomes |
    | --- | --- |
    | topic, brokers, log_level | as in `kafka_parse_source_options` |
    | offset_default START, END | start "earliest", "latest"; a number is refused |
    | consumer_check_crc true, false | check.crcs |
    | min_fetch_bytes N | fetch.min.bytes |
    | max_fetch_bytes N | fetch.max.bytes, at least 1000000 |
    | partition_fetch_max_bytes N | max.partition.fetch.bytes |
    | fetch_interval N (nanoseconds) | nothing: messages are fetched all the time |
    | partitions | refused: the consumer group shares the partitions out |

    Raises WallarooParameterError for an option that is missing or malformed, and for the two that
    would read other records than they ask for.
    """

    def __init__(self, decoder: Any, name: Any = SOURCE) -> None:
        decoder, name = _name_last(decoder, name)
        options = read_options(sys.argv, name)
        super().__init__(
            *options.target(),
            decoder,
            start=_start(options),
            properties=_source_properties(options),
        )
        self.name = name


class DefaultKafkaSinkCLIParser(KafkaSinkConfig):
    """A Kafka sink read from the `--<name>_*` options of the server's command line (sys.argv).

    encoder: as in KafkaSinkConfig.
    name: the prefix of the options, a str. The two may stand in either order.

    | option | becomes |
    | --- | --- |
    | topic, brokers, log_level, max_produce_buffer_ms | as in `kafka_parse_sink_options` |
    | max_produce_message_size N | max_message_size; 1000000 without it |
    | produce_timeout_ms N | request.timeout.ms |
    | max_inflight_requests N | max.in.flight.requests.per.connection, at most 5 |
    | producer_compression none, gzip, snappy, lz4 | compression.codec |
    | produce_acks N | nothing: every replica has to answer |

    Raises WallarooParameterError for an option that is missing or malformed.
    """

    def __init__(self, encoder: Any, name: Any = SINK) -> None:
        encoder, name = _name_last(encoder, name)
        options = read_options(sys.argv, name)
        super().__init__(
            *options.target(),
            options.number("max_produce_buffer_ms", DEFAULT_PRODUCE_BUFFER_MS),
            options.number("max_produce_message_size", _MESSAGE_BYTES_MAX),
            encoder,
            properties=_sink_properties(options),
        )
        self.name = name


def _arguments_first(args: Any, codec: Any) -> tuple[Any, Any]:
    if isinstance(codec, (list, tuple)) and not isinstance(args, (list, tuple)):
        return codec, args
    return args, codec


def _name_last(codec: Any, name: Any) -> tuple[Any, Any]:
    if isinstance(codec, str) and not isinstance(name, str):
        return name, codec
    return codec, name


def _start(options: Options) -> str:
    text = options.text("offset_default")
    if text in (None, "START"):
        return "earliest"
    if text == "END":
        return "latest"
    raise options.mistake(
        "offset_default",
        f"it must be START or END, got {text!r}: the consumer group's committed offsets say where "
        "to go on (set others with kafka-consumer-groups --reset-offsets)",
    )


def _source_properties(options: Options) -> dict[str, str]:
    if options.text("partitions") is not None:
        raise options.mistake(
            "partitions",
            "leave it out: the consumer group shares the partitions out among its servers",
        )
    options.number("fetch_interval", 0)
    properties = _numbers(
        options,
        {
            "min_fetch_bytes": ("fetch.min.bytes", 1, 100_000_000),
            "max_fetch_bytes": ("fetch.max.bytes", _FETCH_BYTES_LEAST, 2_147_483_135),
            "partition_fetch_max_bytes": ("max.partition.fetch.bytes", 1, 1_000_000_000),
        },
    )
    if options.text("consumer_check_crc") == "":  # alone, it switches the check on
        properties["check.crcs"] = "true"
    elif options.text("consumer_check_crc") is not None:
        properties["check.crcs"] = options.word("consumer_check_crc", "", _YES_NO)
    return properties


def _sink_properties(options: Options) -> dict[str, str]:
    options.number("produce_acks", -1)
    properties = _numbers(
        options,
        {
            "produce_timeout_ms": ("request.timeout.ms", 1, 900_000),
            "max_inflight_requests": ("max.in.flight.requests.per.connection", 1, _IN_FLIGHT_MAX),
        },
    )
    if options.text("producer_compression") is not None:
        properties["compression.codec"] = options.word("producer_compression", "", _COMPRESSIONS)
    return properties


def _numbers(options: Options, table: dict[str, tuple[str, int, int]]) -> dict[str, str]:
    """Return the properties of the numbers that are given, moved into librdkafka's ranges.

    table: option -> (property, its least value, its greatest value).
    """
    properties = {}
    for flag, (name, least, most) in table.items():
        if options.text(flag) is not None:
            properties[name] = str(min(max(options.number(flag, least), least), most))
    return properties
