"""Tell over TCP when a sensor gets too hot and when it is well again: from Kafka to TCP.

key: sensor, value: "36.6"  ->  [one state per sensor] watch  ->  "oven: 180.2, too hot" out
"""

from typing import NamedTuple

import wallaroo

LIMIT_CELSIUS = 100.0


class Reading(NamedTuple):
    """A temperature that a sensor measured."""

    sensor: str
    celsius: float


class Watch:
    """Whether a sensor's last reading was over the limit."""

    def __init__(self) -> None:
        self.hot = False


@wallaroo.message_decoder
def decode(value: bytes | None, message: wallaroo.KafkaMessage) -> Reading | None:
    """The sensor is the key, its temperature the value. A tombstone is dropped."""
    return None if value is None else Reading((message.key or b"unknown").decode(), float(value))


@wallaroo.partition
def by_sensor(reading: Reading) -> str:
    """The key of a reading: its sensor."""
    return reading.sensor


@wallaroo.state_computation(name="watch")
def watch(reading: Reading, state: Watch) -> tuple[str | None, bool]:
    """A line when the sensor crosses the limit, and then the state has changed; else nothing."""
    hot = reading.celsius > LIMIT_CELSIUS
    if hot == state.hot:
        return None, False
    state.hot = hot
    return f"{reading.sensor}: {reading.celsius:.1f}, {'too hot' if hot else 'well again'}", True


@wallaroo.encoder
def encode(line: str) -> str:
    """One line."""
    return f"{line}\n"


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--kafka_source_topic` to `--out`."""
    source = wallaroo.KafkaSourceConfig(*wallaroo.kafka_parse_source_options(args), decode)
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]

    builder = wallaroo.ApplicationBuilder("alerts")
    builder.new_pipeline("readings", source)
    builder.to_state_partition(watch, Watch, "watches", by_sensor)
    builder.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return builder.build()
