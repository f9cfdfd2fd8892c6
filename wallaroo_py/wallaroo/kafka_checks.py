"""What is wrong with one argument of a Kafka configuration: "" when nothing is.

Sources: Kafka's rules for topic names, and librdkafka's CONFIGURATION.md for names and ranges.
"""

from __future__ import annotations

from .addresses import PORT_MAX, is_port
from .places import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOG_LEVELS = ("Fine", "Info", "Warn", "Error")
STARTS = ("earliest", "latest", "error")
TOPIC_CHARS_MAX = 249
PRODUCE_BUFFER_MS_MAX = 900_000
MESSAGE_BYTES_MAX = 999_000_000  # librdkafka's limit is 10**9, which has to hold headers as well

_TOPIC_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_FALSE = ("false", "f", "0")
_TRUE = ("true", "t", "1")
_COMMITS = (
    "leave it out: the server commits the offsets of records whose outputs were delivered "
    "(its option --commit-interval sets how often)"
)
_OWNED = {
    "bootstrap.servers": "use the argument brokers",
    "metadata.broker.list": "use the argument brokers",
    "group.id": "use the argument group of KafkaSourceConfig",
    "auto.offset.reset": "use the argument start of KafkaSourceConfig",
    "enable.auto.commit": _COMMITS,
    "auto.commit.enable": _COMMITS,
    "enable.auto.offset.store": _COMMITS,
    "message.max.bytes": "use the argument max_message_size of KafkaSinkConfig",
    "linger.ms": "use the argument max_produce_buffer_ms of KafkaSinkConfig",
    "queue.buffering.max.ms": "use the argument max_produce_buffer_ms of KafkaSinkConfig",
    "transactional.id": "leave it out: the sink delivers at least once, without transactions",
}


def topic_problem(topic: Any) -> str:
    """Check a topic's name: 1 to 249 of the characters that Kafka allows."""
    if not isinstance(topic, str) or not topic:
        return f"topic must be a non-empty str, got {shorten(topic)}"
    if len(topic) > TOPIC_CHARS_MAX:
        return f"topic must have {TOPIC_CHARS_MAX} characters or fewer, got {len(topic)}"
    if topic in (".", ".."):
        return f"topic must not be {topic!r}, which Kafka reserves"
    if not _TOPIC_CHARS.issuperset(topic):
        return f"topic may have ASCII letters, digits, '.', '_' and '-', got {topic!r}"
    return ""


def brokers_problem(brokers: Any) -> str:
    """Check a list of (host, port) pairs."""
    expected = 'brokers must be a list of (host, port) pairs, as in [("127.0.0.1", "9092")]'
    if not isinstance(brokers, (list, tuple)):
        return f"{expected}, got {shorten(brokers)}"
    if not brokers:
        return f"{expected}, got an empty one"
    for index, broker in enumerate(brokers):
        if not isinstance(broker, (list, tuple)) or len(broker) != 2:
            return f"{expected}, got {shorten(broker)} at index {index}"
        host, port = broker
        if not isinstance(host, str) or not _is_host(host):
            return (
                f"brokers: the host at index {index} must be a host name or an address, without "
                f"port, got {shorten(host)}"
            )
        is_text = isinstance(port, (int, str)) and not isinstance(port, bool)
        if not is_text or not is_port(str(port)) or int(port) == 0:
            return (
                f"brokers: the port at index {index} must be a number from 1 to {PORT_MAX}, "
                f"as a str, got {shorten(port)}"
            )
    return ""


def choice_problem(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Check that a value is one of some words."""
    if isinstance(value, str) and value in choices:
        return ""
    return f"{name} must be one of {', '.join(choices)}, got {shorten(value)}"


def number_problem(name: str, value: Any, least: int, most: int, unit: str) -> str:
    """Check that a value is an int (bool is none) from `least` to `most`."""
    if type(value) is int and least <= value <= most:
        return ""
    return f"{name} must be an int from {least} to {most} ({unit}), got {shorten(value)}"


def group_problem(group: Any) -> str:
    """Check a consumer group's id: a str, or None for the application's name."""
    if group is None or (isinstance(group, str) and group and "\0" not in group):
        return ""
    return (
        f"group must be a non-empty str, or None for the application's name, got {shorten(group)}"
    )


def properties_problem(properties: Any) -> str:
    """Check librdkafka properties; a message never shows a value, which may be a secret."""
    if properties is None:
        return ""
    if isinstance(properties, (str, bytes)) or not hasattr(properties, "items"):
        return f"properties must be a dict of str to str, got a {type(properties).__name__}"
    for name, value in properties.items():
        if not isinstance(name, str) or not name or "\0" in name:
            return f"properties: a name must be a non-empty str, got {shorten(name)}"
        if not isinstance(value, (str, int, float)):
            return (
                f"properties: {name} must be a str, int, float or bool, "
                f"got a {type(value).__name__}"
            )
        text = property_text(value)
        if "\0" in text:
            return f"properties: {name} must not contain a NUL character"
        advice = _OWNED.get(name) or _value_advice(name, text.strip().lower())
        if advice:
            return f"properties: {name} belongs to the server: {advice}"
    return ""


def property_text(value: str | float) -> str:
    """Return a property's value as librdkafka reads it: a bool is "true" or "false"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _value_advice(name: str, value: str) -> str:
    """Return what to do about a property of which only some values are refused."""
    if name == "enable.idempotence" and value in _FALSE:
        return "leave it out, as the sink neither repeats nor reorders what it retries"
    if name in ("acks", "request.required.acks") and value not in ("all", "-1"):
        return "leave it out or use all: offsets are committed once every replica has the outputs"
    if name == "delivery.report.only.error" and value in _TRUE:
        return "leave it out: offsets are committed once the outputs are reported as delivered"
    if name == "partition.assignment.strategy" and "cooperative-sticky" in value:
        return "use range or roundrobin in place of cooperative-sticky"
    return ""


def _is_host(host: str) -> bool:
    """Tell whether `host` may be one: not `host:port`, no list, no URL. IPv6 has no brackets."""
    wrong = any(char in ",/[]\0" or char.isspace() for char in host)
    return bool(host) and not wrong and host.count(":") != 1
