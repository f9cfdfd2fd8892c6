"""A running count by key whose step costs about 20 µs of Python."""

import struct
import time

import wallaroo

COST_NS = 20_000
KEYS = [f"key{number}" for number in range(64)]


class Count:
    """How many of a key came."""

    def __init__(self) -> None:
        self.seen = 0


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> str:
    """The key."""
    return payload.decode()


@wallaroo.partition
def by_key(key: str) -> str:
    """The record is its key."""
    return key


@wallaroo.state_computation(name="count")
def count(key: str, state: Count) -> tuple[int, bool]:
    """Count one more, after work that takes the processor for as long as it says."""
    end = time.thread_time_ns() + COST_NS
    while time.thread_time_ns() < end:
        pass
    state.seen += 1
    return state.seen, True


@wallaroo.encoder
def encode(seen: int) -> bytes:
    """Eight bytes."""
    return struct.pack(">Q", seen)


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--in` to `--out`."""
    builder = wallaroo.ApplicationBuilder("Costly count")
    source = wallaroo.TCPSourceConfig(*wallaroo.tcp_parse_input_addrs(args)[0], decode)
    builder.new_pipeline("costly", source)
    builder.to_state_partition(count, Count, "counts", by_key, KEYS)
    builder.to_sink(wallaroo.TCPSinkConfig(*wallaroo.tcp_parse_output_addrs(args)[0], encode))
    return builder.build()
