"""Count words as they stream by: one message becomes many, each goes to the state that owns it.

line in  ->  split into words  ->  [one state per first letter] count  ->  "word => count" out
"""

import re
import string

import wallaroo

WORD = re.compile(r"\w+(?:'\w+)*")
OTHER = "!"
KEYS = [*string.ascii_lowercase, OTHER]


class WordCounts:
    """How often each word was seen, for the words that share a first letter."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}


@wallaroo.decoder(header_length=4, length_fmt=">I")
def decode(payload: bytes) -> str:
    """One line of UTF-8 text."""
    return payload.decode()


@wallaroo.computation_multi(name="split into words")
def split(line: str) -> list[str]:
    """The words of a line in lower case. Each goes on by itself; none from an empty line."""
    return WORD.findall(line.lower())


@wallaroo.partition
def by_first_letter(word: str) -> str:
    """The key of a word: its first letter, or "!" for words that start with anything else."""
    first = word[0]
    return first if "a" <= first <= "z" else OTHER


@wallaroo.state_computation(name="count")
def count(word: str, state: WordCounts) -> tuple[tuple[str, int], bool]:
    """Count one more of `word`; give out its new count. True: the state has changed."""
    seen = state.counts.get(word, 0) + 1
    state.counts[word] = seen
    return (word, seen), True


@wallaroo.encoder
def encode(result: tuple[str, int]) -> bytes:
    """One line such as `rose => 3`."""
    word, seen = result
    return f"{word} => {seen}\n".encode()


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--in` to `--out`, with 27 states under the name "word counts"."""
    in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
    out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]

    builder = wallaroo.ApplicationBuilder("Word count")
    builder.new_pipeline("words", wallaroo.TCPSourceConfig(in_host, in_port, decode))
    builder.to(split)
    builder.to_state_partition(count, WordCounts, "word counts", by_first_letter, KEYS)
    builder.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
    return builder.build()
