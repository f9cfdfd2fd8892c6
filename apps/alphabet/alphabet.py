"""Count votes for letters: one state object that every message passes through.

(letter, votes) in  ->  add votes  ->  (letter, total) out
"""

import struct

import wallaroo

VOTE = struct.Struct(">1sI")
RESULT = struct.Struct(">I1sQ")
RESULT_PAYLOAD_BYTES = struct.calcsize(">1sQ")


class Totals:
    """The votes of all letters so far."""

    def __init__(self) -> None:
        self.by_letter: dict[bytes, int] = {}


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> tuple[bytes, int]:
    """A letter (1 byte) and its votes (unsigned 32 bits, big-endian)."""
    return VOTE.unpack(payload)


@wallaroo.state_computation(name="add votes")
def add_votes(vote: tuple[bytes, int], totals: Totals) -> tuple[tuple[bytes, int], bool]:
    """Add the votes to the letter's total; give out the new total. True: the state has changed."""
    letter, votes = vote
    total = totals.by_letter.get(letter, 0) + votes
    totals.by_letter[letter] = total
    return (letter, total), True


@wallaroo.encoder
def encode(result: tuple[bytes, int]) -> bytes:
    """A frame: payload length (32 bits), letter (1 byte), total (unsigned 64 bits), big-endian."""
    letter, total = result
    return RESULT.pack(RESULT_PAYLOAD_BYTES, letter, total)


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--in` to `--out`, with one state named "totals"."""
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]

    builder = wallaroo.ApplicationBuilder("Alphabet")
    builder.new_pipeline("votes", wallaroo.TCPSourceConfig(in_host, in_port, decode))
    builder.to_stateful(add_votes, Totals, "totals")
    builder.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return builder.build()
