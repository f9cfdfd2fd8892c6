"""The configuration of a Kafka source and of a Kafka sink.

Properties are those of librdkafka, the client that the server uses; the source of their names and
values is its CONFIGURATION.md.
"""

from __future__ import annotations

from .checks import codec_mistake
from .errors import WallarooParameterError
from .kafka_checks import (
    LOG_LEVELS,
    MESSAGE_BYTES_MAX,
    PRODUCE_BUFFER_MS_MAX,
    STARTS,
    brokers_problem,
    choice_problem,
    group_problem,
    number_problem,
    properties_problem,
    property_text,
    topic_problem,
)
from .places import caller_place, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, ClassVar, Self

    Property = str | int | float | bool

DEFAULT_PRODUCE_BUFFER_MS = 0
DEFAULT_MESSAGE_BYTES_MAX = 100_000


class KafkaConfig:
    """What a Kafka source and a Kafka sink have in common: a topic, brokers, properties."""

    _shape: ClassVar[str]
    _sizes: ClassVar[tuple[int, int]]
    _options: ClassVar[tuple[str, ...]]

    topic: str
    brokers: list[tuple[str, str]]
    log_level: str
    properties: dict[str, str]

    def _check(self, *arguments: Any) -> None:
        problem = self._problem(*arguments)
        if problem:
            raise WallarooParameterError(f"{problem} ({caller_place()})")

    def _keep(self, topic: str, brokers: Any, log_level: str, properties: Any) -> None:
        self.topic = topic
        self.brokers = [(host, str(port)) for host, port in brokers]
        self.log_level = log_level
        given = {} if properties is None else properties
        self.properties = {name: property_text(value) for name, value in given.items()}

    def __repr__(self) -> str:
        # Without the properties, which may hold a password.
        return f"{type(self).__name__}({self.topic!r}, {self.brokers!r}, {self.log_level!r}, ...)"

    @classmethod
    def mistake_in_tuple(cls, endpoint: tuple[Any, ...]) -> str:
        """Return what is wrong with a hand-made ("kafka", ...) tuple, "" when nothing is."""
        if len(endpoint) not in cls._sizes:
            return (
                f"The tuple of a {cls.__name__} has {cls._sizes[0]} or {cls._sizes[1]} items, "
                f"{cls._shape}, got {len(endpoint)}"
            )
        options = endpoint[-1] if len(endpoint) == cls._sizes[1] else {}
        if not isinstance(options, dict):
            return (
                f"{cls.__name__}: the tuple's last item must be a dict of options, "
                f"got a {type(options).__name__}"
            )
        for name in options:
            if name not in cls._options:
                known = ", ".join(cls._options)
                return f"{cls.__name__}: unknown option {shorten(name)}, known are {known}"
        return cls._problem(*endpoint[1 : cls._sizes[0]], options)

    @classmethod
    def from_tuple(cls, endpoint: tuple[Any, ...]) -> Self:
        """Return the configuration that a correct tuple stands for."""
        options = endpoint[-1] if len(endpoint) == cls._sizes[1] else {}
        return cls(*endpoint[1 : cls._sizes[0]], **options)

    @classmethod
    def _problem(cls, *arguments: Any) -> str:
        raise NotImplementedError

    @classmethod
    def _first(cls, problems: Iterable[str]) -> str:
        problem = next(filter(None, problems), "")
        return f"{cls.__name__}: {problem}" if problem else ""


class KafkaSourceConfig(KafkaConfig):
    """A source that consumes a Kafka topic, as a member of a consumer group.

    Offsets are committed for records whose outputs every sink has delivered: a restart repeats
    records, it never skips one.

    topic: the topic's name, a str of 1 to 249 ASCII letters, digits, '.', '_' and '-'.
    brokers: the brokers to begin with, a list of `(host, port)` pairs, not empty; the port is a
    str (an int is accepted), 1 to 65535. An IPv6 host stands without brackets.
    log_level: what to log of the client: "Fine", "Info", "Warn" or "Error".
    decoder: made by `@wallaroo.decoder`, or an object (or class) with the method `decode(value)`,
    which gets a message's whole value, bytes, or None for a tombstone (header_length and length_fmt
    do not count); or made by `@wallaroo.message_decoder`, which gets the key and the rest too.
    group: the consumer group's id, a str; None takes the application's name. Servers with one
    group share the topic's partitions out among them.
    start: where to start in a partition without a committed offset: "earliest", "latest", or
    "error" to stop with an error.
    properties: librdkafka properties, a dict of str to str, int, float or bool (True is "true"),
    such as `{"security.protocol": "SASL_SSL", "fetch.min.bytes": 1}`. Those that the server
    answers for (offsets, commits, and what is an argument here) are refused.
    Raises WallarooParameterError for an argument that is none of these.
    """

    _shape = '("kafka", topic, brokers, log_level, decoder[, options])'
    _sizes = (5, 6)
    _options = ("group", "start", "properties")

    def __init__(
        self,
        topic: str,
        brokers: Sequence[tuple[str, str | int]],
        log_level: str,
        decoder: Any,
        *,
        group: str | None = None,
        start: str = "earliest",
        properties: Mapping[str, Property] | None = None,
    ) -> None:
        options = {"group": group, "start": start, "properties": properties}
        self._check(topic, brokers, log_level, decoder, options)
        self._keep(topic, brokers, log_level, properties)
        self.decoder = decoder
        self.group = group
        self.start = start

    def to_tuple(self) -> tuple[Any, ...]:
        """Return `("kafka", topic, brokers, log_level, decoder)`, as the topology holds it.

        When an option was given, a dict of "group", "start" and "properties" comes last.
        """
        classic = ("kafka", self.topic, list(self.brokers), self.log_level, self.decoder)
        if self.group is None and self.start == "earliest" and not self.properties:
            return classic
        properties = dict(self.properties)
        return (*classic, {"group": self.group, "start": self.start, "properties": properties})

    @classmethod
    def _problem(cls, *arguments: Any) -> str:
        topic, brokers, log_level, decoder, options = arguments
        found = cls._first(
            (
                topic_problem(topic),
                brokers_problem(brokers),
                choice_problem("log_level", log_level, LOG_LEVELS),
                group_problem(options.get("group")),
                choice_problem("start", options.get("start", "earliest"), STARTS),
                properties_problem(options.get("properties")),
            )
        )
        if found or _is_message_decoder(decoder):
            return found
        return codec_mistake(cls.__name__, "decoder", ("decode",), decoder)


class KafkaSinkConfig(KafkaConfig):
    """A sink that produces what the encoder returns to a Kafka topic.

    The encoder returns `(value, key)`, `(value, key, partition)` or a value alone. The value is
    bytes or str (written as UTF-8), the key a str, bytes or None, the partition an int or None (the
    key's hash chooses). None in place of all that sends nothing.

    topic, brokers, log_level, properties: as in KafkaSourceConfig.
    max_produce_buffer_ms: how long a message may wait for others of its batch, an int of
    milliseconds, 0 to 900000. librdkafka calls it linger.ms.
    max_message_size: the largest message in bytes, an int from 1; a larger one becomes a dead
    letter. Topics take about 1 MB unless set otherwise.
    encoder: made by `@wallaroo.encoder`, or an object (or class) with the method `encode(data)`. As
    the last positional argument it may also stand right after `log_level`, or after
    `max_produce_buffer_ms`.
    Raises WallarooParameterError for an argument that is none of these.
    """

    _shape = (
        '("kafka", topic, brokers, log_level, max_produce_buffer_ms, max_message_size, encoder'
        "[, options])"
    )
    _sizes = (7, 8)
    _options = ("properties",)

    def __init__(
        self,
        topic: str,
        brokers: Sequence[tuple[str, str | int]],
        log_level: str,
        max_produce_buffer_ms: Any = DEFAULT_PRODUCE_BUFFER_MS,
        max_message_size: Any = DEFAULT_MESSAGE_BYTES_MAX,
        encoder: Any = None,
        *,
        properties: Mapping[str, Property] | None = None,
    ) -> None:
        if encoder is None and _is_no_number(max_produce_buffer_ms):
            encoder, max_produce_buffer_ms = max_produce_buffer_ms, DEFAULT_PRODUCE_BUFFER_MS
        elif encoder is None and _is_no_number(max_message_size):
            encoder, max_message_size = max_message_size, DEFAULT_MESSAGE_BYTES_MAX
        numbers = (max_produce_buffer_ms, max_message_size)
        self._check(topic, brokers, log_level, *numbers, encoder, {"properties": properties})
        self._keep(topic, brokers, log_level, properties)
        self.max_produce_buffer_ms: int = max_produce_buffer_ms
        self.max_message_size: int = max_message_size
        self.encoder = encoder

    def to_tuple(self) -> tuple[Any, ...]:
        """Return the sink as the topology holds it.

        That is `("kafka", topic, brokers, log_level, max_produce_buffer_ms, max_message_size,
        encoder)`; when properties were given, a dict of "properties" comes last.
        """
        brokers = list(self.brokers)
        numbers = (self.max_produce_buffer_ms, self.max_message_size)
        classic = ("kafka", self.topic, brokers, self.log_level, *numbers, self.encoder)
        if not self.properties:
            return classic
        return (*classic, {"properties": dict(self.properties)})

    @classmethod
    def _problem(cls, *arguments: Any) -> str:
        topic, brokers, log_level, buffer_ms, message_bytes_max, encoder, options = arguments
        found = cls._first(
            (
                topic_problem(topic),
                brokers_problem(brokers),
                choice_problem("log_level", log_level, LOG_LEVELS),
                number_problem(
                    "max_produce_buffer_ms", buffer_ms, 0, PRODUCE_BUFFER_MS_MAX, "milliseconds"
                ),
                number_problem(
                    "max_message_size", message_bytes_max, 1, MESSAGE_BYTES_MAX, "bytes"
                ),
                properties_problem(options.get("properties")),
                "there is no encoder: give it as the last argument" if encoder is None else "",
            )
        )
        return found or codec_mistake(cls.__name__, "encoder", ("encode",), encoder)


def _is_no_number(value: Any) -> bool:
    """Tell whether an argument is meant as an encoder, where a number may stand too."""
    return value is not None and not isinstance(value, (int, float, str, bytes))


def _is_message_decoder(decoder: Any) -> bool:
    return all(callable(getattr(decoder, m, None)) for m in ("decode_message", "message_class"))
