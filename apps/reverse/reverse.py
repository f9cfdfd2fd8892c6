"""Reverse every line of text that arrives: the smallest useful application.

text in  ->  reverse  ->  text out
"""

import wallaroo


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> str:
    """Bytes of one message (the length header is already cut off) to text."""
    return payload.decode()


@wallaroo.computation(name="reverse")
def reverse(text: str) -> str:
    """The characters of `text` from the last to the first."""
    return text[::-1]


@wallaroo.encoder
def encode(text: str) -> bytes:
    """Text to one line of output. The sink adds nothing, so the newline is ours to write."""
    return f"{text}\n".encode()


def application_setup(args: list[str]) -> list[tuple]:
    """The server calls this once; `args` are the command-line words that it did not use itself."""
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]

    builder = wallaroo.ApplicationBuilder("Reverse")
    builder.new_pipeline("reverse", wallaroo.TCPSourceConfig(in_host, in_port, decode))
    builder.to(reverse)
    builder.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return builder.build()
