"""Count words from one Kafka topic to another: JSON in, JSON out, keyed by the word.

{"text": ...} in  ->  split into words  ->  [one state per word] count  ->  {"word", "count"} out
"""

import json
import re

import wallaroo

WORD = re.compile(r"\w+(?:'\w+)*")


class WordCount:
    """How often one word was seen."""

    def __init__(self) -> None:
        self.count = 0


@wallaroo.decoder()
def decode(value: bytes | None) -> str | None:
    """The text of a JSON object. A tombstone, which has no value, is dropped."""
    return None if value is None else json.loads(value)["text"]


@wallaroo.computation_multi(name="split into words")
def split(text: str) -> list[str]:
    """The words of a text in lower case. Each goes on by itself; none from an empty text."""
    return WORD.findall(text.lower())


@wallaroo.partition
def by_word(word: str) -> str:
    """The key of a word: itself."""
    return word


@wallaroo.state_computation(name="count")
def count(word: str, state: WordCount) -> tuple[tuple[str, int], bool]:
    """Count one more of `word`; give out its new count. True: the state has changed."""
    state.count += 1
    return (word, state.count), True


@wallaroo.encoder
def encode(result: tuple[str, int]) -> tuple[bytes, str]:
    """A message and its key, which decides the partition: one word's counts stay in order."""
    word, seen = result
    return json.dumps({"word": word, "count": seen}, ensure_ascii=False).encode(), word


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--kafka_source_topic` to `--kafka_sink_topic`.

    Without a list of keys, the state of a word is made when the word is first seen.
    """
    source = wallaroo.KafkaSourceConfig(*wallaroo.kafka_parse_source_options(args), decode)
    sink = wallaroo.KafkaSinkConfig(*wallaroo.kafka_parse_sink_options(args), encode)

    builder = wallaroo.ApplicationBuilder("word-count")
    builder.new_pipeline("words", source)
    builder.to(split)
    builder.to_state_partition(count, WordCount, "word counts", by_word)
    builder.to_sink(sink)
    return builder.build()
