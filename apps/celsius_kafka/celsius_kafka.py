"""Degrees Celsius to degrees Fahrenheit, Kafka to Kafka, with the key and time of each message.

key: sensor, value: "20.5"  ->  convert  ->  key: sensor, value: JSON
"""

import json
from typing import NamedTuple

import wallaroo


class Reading(NamedTuple):
    """A temperature that a sensor measured. at_ms: milliseconds since 1970."""

    sensor: str
    degrees: float
    at_ms: int | None


@wallaroo.message_decoder
def decode(value: bytes | None, message: wallaroo.KafkaMessage) -> Reading | None:
    """The number in the value, in degrees Celsius, with what the message says beside it.

    A tombstone, which has no value, is dropped. A message without a key comes from "unknown".
    """
    if value is None:
        return None
    sensor = "unknown" if message.key is None else message.key.decode()
    return Reading(sensor, float(value), message.timestamp_ms)


@wallaroo.computation(name="convert")
def convert(reading: Reading) -> Reading:
    """To degrees Fahrenheit."""
    return reading._replace(degrees=reading.degrees * 1.8 + 32)


@wallaroo.encoder
def encode(reading: Reading) -> tuple[str, str]:
    """A message and its key: the readings of one sensor stay in order."""
    fahrenheit = round(reading.degrees, 2)
    return json.dumps({"sensor": reading.sensor, "fahrenheit": fahrenheit}), reading.sensor


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--kafka_source_topic` to `--kafka_sink_topic`."""
    source = wallaroo.KafkaSourceConfig(
        *wallaroo.kafka_parse_source_options(args), decode, group="celsius"
    )
    sink = wallaroo.KafkaSinkConfig(*wallaroo.kafka_parse_sink_options(args), encode)

    builder = wallaroo.ApplicationBuilder("Celsius to Fahrenheit")
    builder.new_pipeline("celsius", source)
    builder.to(convert)
    builder.to_sink(sink)
    return builder.build()
