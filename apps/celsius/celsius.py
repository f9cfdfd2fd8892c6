"""Degrees Celsius to degrees Fahrenheit: binary messages and two steps in a row.

32-bit float in  ->  multiply by 1.8  ->  add 32  ->  text out
"""

import struct

import wallaroo

READING = struct.Struct(">f")


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> float:
    """One big-endian 32-bit float, in degrees Celsius."""
    (celsius,) = READING.unpack(payload)
    return celsius


@wallaroo.computation(name="multiply by 1.8")
def multiply(celsius: float) -> float:
    """First half of the conversion."""
    return celsius * 1.8


@wallaroo.computation(name="add 32")
def add(scaled: float) -> float:
    """Second half of the conversion: the result is in degrees Fahrenheit."""
    return scaled + 32


@wallaroo.encoder
def encode(fahrenheit: float) -> bytes:
    """One line with two decimals."""
    return f"{fahrenheit:.2f}\n".encode()


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--in` to `--out`."""
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]

    builder = wallaroo.ApplicationBuilder("Celsius to Fahrenheit")
    builder.new_pipeline("celsius", wallaroo.TCPSourceConfig(in_host, in_port, decode))
    builder.to(multiply)
    builder.to(add)
    builder.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return builder.build()
