"""The application of the benchmarks of many keys: a text of 300 bytes for each of them.

Words that begin with "trickle" come out again.
"""

import wallaroo
from restore_text import TEXT_BYTES, Text


@wallaroo.decoder()
def decode(frame: bytes) -> str:
    return frame.decode()


@wallaroo.partition
def by_itself(word: str) -> str:
    return word


@wallaroo.state_computation(name="keep")
def keep(word: str, state: Text) -> tuple[str | None, bool]:
    state.text = word.ljust(TEXT_BYTES, ".")
    return word if word.startswith("trickle") else None, True


@wallaroo.encoder
def encode(word: str) -> bytes:
    return word.encode() + b"\n"


def application_setup(args: list[str]) -> object:
    source, sink = wallaroo.tcp_parse_input_addrs(args)[0], wallaroo.tcp_parse_output_addrs(args)[0]
    ab = wallaroo.ApplicationBuilder("restore")
    ab.new_pipeline("keep", wallaroo.TCPSourceConfig(*source, decode))
    ab.to_state_partition(keep, Text, "texts", by_itself)
    ab.to_sink(wallaroo.TCPSinkConfig(*sink, encode))
    return ab.build()
