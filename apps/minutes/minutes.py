"""The mean of each sensor's readings in each minute of event time."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from bytewax.connectors.files import FileSink, FileSource
from bytewax.dataflow import Dataflow
from bytewax.window import EventClockConfig, TumblingWindow, WindowMetadata

Reading = tuple[datetime, Decimal]
Sum = tuple[Decimal, int]  # of the readings, and how many they are

CLOCK = EventClockConfig(
    dt_getter=lambda reading: reading[0], wait_for_system_duration=timedelta(minutes=10)
)
MINUTES = TumblingWindow(length=timedelta(minutes=1), align_to=datetime(2024, 1, 1, tzinfo=UTC))


def parse(line: str) -> tuple[str, Reading]:
    """Turn `SENSOR,TIME,CELSIUS` into the sensor and its reading."""
    sensor, time, celsius = line.split(",")
    return sensor, (datetime.fromisoformat(time).replace(tzinfo=UTC), Decimal(celsius))


def nothing() -> Sum:
    """Return the sum of no readings."""
    return Decimal(0), 0


def add(total: Sum, reading: Reading) -> Sum:
    """Add a reading to a sum."""
    return total[0] + reading[1], total[1] + 1


def show(minute: tuple[str, tuple[WindowMetadata, Sum]]) -> tuple[str, str]:
    """Write a minute as a line, with the sensor as key."""
    sensor, (window, (total, count)) = minute
    mean = (total / count).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return sensor, f"{window.open_time:%Y-%m-%d %H:%M} {sensor} {mean} of {count}"


def make_flow(path: str, out: str) -> Dataflow:
    """Read readings from a file, and write the minutes to another."""
    flow = Dataflow()
    flow.input("readings", FileSource(path))
    flow.map("parse", parse)
    flow.fold_window("mean", CLOCK, MINUTES, nothing, add)
    flow.map("show", show)
    flow.output("minutes", FileSink(out))
    return flow
