"""What a decoder made by `@wallaroo.message_decoder` is told of a message beside its value."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class KafkaMessage(NamedTuple):
        """As below, for type checkers."""

        topic: str
        partition: int
        offset: int
        timestamp_ms: int | None
        key: bytes | None
        headers: list[tuple[str, bytes | None]]

else:  # typing takes milliseconds to import
    from collections import namedtuple

    class KafkaMessage(
        namedtuple("KafkaMessage", "topic partition offset timestamp_ms key headers")
    ):
        """A Kafka message without its value, which the decoder gets beside it.

        topic: the topic's name, a str.
        partition: the partition's number, an int of 0 or more.
        offset: the message's place in its partition, an int of 0 or more.
        timestamp_ms: milliseconds since 1970-01-01 UTC, when the message was made or appended
        (which, is the topic's setting `message.timestamp.type`); None without one.
        key: the key as bytes, None without one.
        headers: a list of `(name, value)`, in order, names may repeat; a value is bytes or None.
        """

        __slots__ = ()
