"""The application of the restore benchmark: a text of 300 bytes for each key."""

import pickle
import time

import wallaroo

TEXT_BYTES = 300


class Text:
    """What is kept for a key."""

    def __init__(self) -> None:
        self.text = ""


@wallaroo.decoder()
def decode(frame: bytes) -> str:
    return frame.decode()


@wallaroo.partition
def by_itself(word: str) -> str:
    return word


@wallaroo.state_computation(name="keep")
def keep(word: str, state: Text) -> tuple[None, bool]:
    state.text = word.ljust(TEXT_BYTES, ".")
    return None, True


@wallaroo.encoder
def encode(word: str) -> bytes:
    return word.encode()


def application_setup(args: list[str]) -> object:
    source, sink = wallaroo.tcp_parse_input_addrs(args)[0], wallaroo.tcp_parse_output_addrs(args)[0]
    ab = wallaroo.ApplicationBuilder("restore")
    ab.new_pipeline("keep", wallaroo.TCPSourceConfig(*source, decode))
    ab.to_state_partition(keep, Text, "texts", by_itself)
    ab.to_sink(wallaroo.TCPSinkConfig(*sink, encode))
    return ab.build()


def unpickling_ms(keys: int) -> float:
    """How long pickle itself takes for the states of that many keys, in one loop."""
    state, rows = Text(), []
    for key in range(keys):
        state.text = f"key{key}".ljust(TEXT_BYTES, ".")
        rows.append(pickle.dumps(state, protocol=5))
    states = {}
    began = time.monotonic()
    for key, row in enumerate(rows):
        states[key] = pickle.loads(row)
    return (time.monotonic() - began) * 1000
