"""Texts of application modules."""

from textwrap import dedent, indent

PRELUDE = """\
import struct
import sys

import wallaroo


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decoder(payload):
    return payload.decode()


@wallaroo.encoder
def encoder(data):
    return f"{data}\\n"


def source(args, index=0, decoder=decoder):
    host, port = wallaroo.tcp_parse_input_addrs(args)[index]
    return wallaroo.TCPSourceConfig(host, port, decoder)


def sink(args, index=0, encoder=encoder):
    host, port = wallaroo.tcp_parse_output_addrs(args)[index]
    return wallaroo.TCPSinkConfig(host, port, encoder)


"""


RAW = """\
@wallaroo.decoder(header_length=4, length_fmt=">I")
def raw(payload):
    return payload

@wallaroo.encoder
def same(data):
    return data
"""
"""For one_pipeline(decoder="raw", encoder="same"): bytes as they are."""

COUNT = """\
class Count:
    def __init__(self):
        self.count = 0

@wallaroo.partition
def by_itself(data):
    return data

@wallaroo.state_computation(name="count")
def count(data, state):
    state.count += 1
    return f"{data} {state.count}", True
"""
"""A running count of each text, "TEXT COUNT"; the definitions for `COUNT_STEP`."""

COUNT_STEP = 'ab.to_state_partition(count, Count, "counts", by_itself)'

SLOWLY_READ_BACK = """
import time

def serialize(data):
    return b"%03d" % data.count

def deserialize(data):
    time.sleep(0.01)
    state = Count()
    state.count = int(data)
    return state
"""
"""Behind `COUNT`: three bytes for each state, and 10 ms to make one of them again."""


def one_pipeline(
    steps: str = "", defs: str = "", decoder: str = "decoder", encoder: str = "encoder"
) -> str:
    """Returns a module with one pipeline, "main", between one source and one sink.

    steps: statements that add steps to the builder `ab`. defs: what they need, in front.
    decoder, encoder: expressions; the given ones turn a payload into str and back into a line.
    """
    setup = f"""\
def application_setup(args):
    ab = wallaroo.ApplicationBuilder("test")
    ab.new_pipeline("main", source(args, 0, {decoder}))
{indent(dedent(steps), "    ")}
    ab.to_sink(sink(args, 0, {encoder}))
    return ab.build()
"""
    return f"{PRELUDE}{dedent(defs)}\n\n{setup}"
