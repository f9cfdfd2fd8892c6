"""Count votes for letters, with a state of its own for each letter.

(letter, votes) in  ->  [one state per letter] add votes  ->  (letter, total) out
"""

import string
import struct

import wallaroo

VOTE = struct.Struct(">1sI")
RESULT = struct.Struct(">I1sQ")
RESULT_PAYLOAD_BYTES = struct.calcsize(">1sQ")

LETTERS = [letter.encode() for letter in string.ascii_lowercase]


class Total:
    """The votes of one letter so far."""

    def __init__(self) -> None:
        self.votes = 0


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> tuple[bytes, int]:
    """A letter (1 byte) and its votes (unsigned 32 bits, big-endian)."""
    return VOTE.unpack(payload)


@wallaroo.partition
def by_letter(vote: tuple[bytes, int]) -> bytes:
    """The key that decides which state a vote meets: its letter."""
    return vote[0]


@wallaroo.state_computation(name="add votes")
def add_votes(vote: tuple[bytes, int], total: Total) -> tuple[tuple[bytes, int], bool]:
    """Add the votes to the letter's total; give out the new total. True: the state has changed."""
    letter, votes = vote
    total.votes += votes
    return (letter, total.votes), True


@wallaroo.encoder
def encode(result: tuple[bytes, int]) -> bytes:
    """A frame: payload length (32 bits), letter (1 byte), total (unsigned 64 bits), big-endian."""
    letter, votes = result
    return RESULT.pack(RESULT_PAYLOAD_BYTES, letter, votes)


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--in` to `--out`, with 26 states under the name "totals"."""
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]

    builder = wallaroo.ApplicationBuilder("Alphabet, partitioned")
    builder.new_pipeline("votes", wallaroo.TCPSourceConfig(in_host, in_port, decode))
    builder.to_state_partition(add_votes, Total, "totals", by_letter, LETTERS)
    builder.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return builder.build()
