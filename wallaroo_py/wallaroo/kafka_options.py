"""Reads `--kafka_source_*` and `--kafka_sink_*` from the arguments of `application_setup`."""

from __future__ import annotations

from .errors import WallarooParameterError
from .kafka import DEFAULT_MESSAGE_BYTES_MAX, DEFAULT_PRODUCE_BUFFER_MS
from .kafka_checks import LOG_LEVELS, brokers_problem, choice_problem, topic_problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Brokers = list[tuple[str, str]]

DEFAULT_PORT = "9092"
DEFAULT_LOG_LEVEL = "Warn"
SOURCE = "kafka_source"
SINK = "kafka_sink"


def kafka_parse_source_options(args: Sequence[str]) -> tuple[str, Brokers, str]:
    """Return `(topic, brokers, log_level)`, the first arguments of KafkaSourceConfig.

    They are the values of `--kafka_source_topic T`, `--kafka_source_brokers H1:P1,H2` and
    `--kafka_source_log_level` (Fine, Info, Warn or Error; "Warn" without the option).

    args: what `application_setup` got; other options in it are passed over, `--opt=value` is fine,
    and of several the last counts. brokers is `[(host, port), ...]`, all str; a broker without port
    has "9092", an IPv6 host stands in brackets: `[::1]:9092`.
    Raises WallarooParameterError when topic or brokers are missing, or a value is malformed.
    """
    return read_options(args, SOURCE).target()


def kafka_parse_sink_options(args: Sequence[str]) -> tuple[str, Brokers, str, int, int]:
    """Return `(topic, brokers, log_level, max_produce_buffer_ms, max_message_size)`.

    They are the first arguments of KafkaSinkConfig. The first three are read as in
    `kafka_parse_source_options`, from `--kafka_sink_topic` and so on; the others are ints, of
    `--kafka_sink_max_produce_buffer_ms` (milliseconds, 0 without the option) and
    `--kafka_sink_max_message_size` (bytes, 100000 without it).
    Raises WallarooParameterError as `kafka_parse_source_options` does, or for no number.
    """
    options = read_options(args, SINK)
    return (
        *options.target(),
        options.number("max_produce_buffer_ms", DEFAULT_PRODUCE_BUFFER_MS),
        options.number("max_message_size", DEFAULT_MESSAGE_BYTES_MAX),
    )


class Options:
    """The options `--<name>_<flag>` of one source or sink, by flag."""

    def __init__(self, name: str, values: dict[str, str]) -> None:
        self._name = name
        self._values = values

    def target(self) -> tuple[str, Brokers, str]:
        """Return topic, brokers and log level. Raises WallarooParameterError without one."""
        topic = self._needed("topic", "my-topic")
        brokers = [_broker(text.strip()) for text in self._needed("brokers", "h1:9092").split(",")]
        log_level = self.word("log_level", DEFAULT_LOG_LEVEL, LOG_LEVELS)
        self._raise("topic", topic_problem(topic))
        self._raise("brokers", brokers_problem(brokers))
        return topic, brokers, log_level

    def text(self, flag: str) -> str | None:
        """Return an option's value, None without the option, "" for one without value."""
        return self._values.get(flag)

    def number(self, flag: str, default: int) -> int:
        """Return an option as an int (`_` allowed). Raises WallarooParameterError for no number."""
        value = self.text(flag)
        if value is None:
            return default
        try:
            return int(value)
        except ValueError:
            raise self.mistake(flag, f"it must be a whole number, got {value!r}") from None

    def word(self, flag: str, default: str, words: tuple[str, ...]) -> str:
        """Return an option that is one of some words. Raises WallarooParameterError for others."""
        value = self.text(flag)
        if value is None:
            return default
        self._raise(flag, choice_problem("it", value, words))
        return value

    def mistake(self, flag: str, problem: str) -> WallarooParameterError:
        """Return the error that says what is wrong with an option."""
        return WallarooParameterError(f"The option --{self._name}_{flag}: {problem}")

    def _needed(self, flag: str, example: str) -> str:
        value = self.text(flag)
        if value is None:
            option = f"--{self._name}_{flag}"
            raise WallarooParameterError(
                f"The option {option} is missing: add for example {option} {example}"
            )
        return value

    def _raise(self, flag: str, problem: str) -> None:
        if problem:
            raise self.mistake(flag, problem)


def read_options(args: Sequence[str], name: str) -> Options:
    """Return all `--<name>_<flag> V` and `--<name>_<flag>=V` of the arguments.

    Raises WallarooParameterError when `args` is no list.
    """
    if not isinstance(args, (list, tuple)):
        raise WallarooParameterError(
            f"The arguments must be the list that application_setup got, got {args!r}"
        )
    prefix = f"--{name}_"
    values: dict[str, str] = {}
    pending = ""
    for arg in map(str, args):
        if arg == "--":
            break
        if pending and not arg.startswith("--"):  # a value may be negative
            values[pending], pending = arg, ""
        elif arg.startswith(prefix):
            flag, equals, value = arg.removeprefix(prefix).partition("=")
            values[flag] = value
            pending = "" if equals else flag
        else:
            pending = ""
    return Options(name, values)


def _broker(text: str) -> tuple[str, str]:
    """Split `host`, `host:port`, `[v6]` or `[v6]:port`; what remains wrong is checked later."""
    if text.startswith("["):
        host, bracket, port = text[1:].partition("]")
        return (host, port.removeprefix(":") or DEFAULT_PORT) if bracket else (text, DEFAULT_PORT)
    host, colon, port = text.partition(":")
    return host, (port if colon else DEFAULT_PORT)
