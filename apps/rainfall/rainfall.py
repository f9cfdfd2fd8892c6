"""Sum up the rain of each gauge in each hour of event time.

"GAUGE,TIME,MM" in  ->  [windows per gauge] hours  ->  show  ->  lines out
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import wallaroo


@dataclass(frozen=True)
class Rain:
    """What a gauge measured since its last message."""

    gauge: str
    time: datetime
    mm: Decimal


# An hour is over when a message of the same gauge is half an hour past its end, or when half an
# hour has gone by.
CLOCK = wallaroo.EventClockConfig(
    dt_getter=lambda rain: rain.time, wait_for_system_duration=timedelta(minutes=30)
)
HOURS = wallaroo.TumblingWindow(
    length=timedelta(hours=1), align_to=datetime(2024, 1, 1, tzinfo=UTC)
)


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> Rain:
    """A line of gauge, time (UTC) and millimetres."""
    gauge, time, mm = payload.decode().split(",")
    return Rain(gauge, datetime.fromisoformat(time).replace(tzinfo=UTC), Decimal(mm))


@wallaroo.partition
def by_gauge(rain: Rain) -> str:
    """The key: each gauge has windows, and a watermark, of its own."""
    return rain.gauge


def add(total: Decimal, rain: Rain) -> Decimal:
    """Add a measurement to the total of its hour."""
    return total + rain.mm


@wallaroo.computation(name="show")
def show(hour: tuple[str, tuple[wallaroo.WindowMetadata, Decimal]]) -> str:
    """Write an hour that is over as a line."""
    gauge, (window, total) = hour
    return f"{window.open_time:%Y-%m-%d %H:%M} {gauge} {total} mm"


@wallaroo.encoder
def encode(line: str) -> str:
    """A line of text."""
    return line + "\n"


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--in` to `--out`."""
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]

    builder = wallaroo.ApplicationBuilder("Rainfall")
    builder.new_pipeline("rain", wallaroo.TCPSourceConfig(in_host, in_port, decode))
    builder.to_window("hours", CLOCK, HOURS, by_gauge, Decimal, add)
    builder.to(show)
    builder.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return builder.build()
