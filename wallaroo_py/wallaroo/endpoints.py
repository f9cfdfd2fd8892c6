"""Reads what an application gives as a source or a sink."""

from __future__ import annotations

from .places import shorten
from .tcp import TCPSinkConfig, TCPSourceConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Role = Literal["source", "sink"]


_STORAGE_HINT = ", nor a storage sink with payload, name, router_branch_safe and build_partition()"


def read_endpoint(config: Any, role: Role) -> tuple[Any, str]:
    """Return a configuration's tuple as the topology holds it, and what is wrong with it.

    config: an object with `to_tuple()`, or a hand-made tuple. TCP and Kafka ones are checked.
    A sink may also be anything that has the members of a storage sink, a tuple too.
    The second item is "" when nothing is wrong.
    """
    is_config = isinstance(config, tuple) or hasattr(config, "to_tuple")
    if role == "sink" and (not is_config or hasattr(config, "build_partition")):
        from .storage import recognise  # not loaded for TCP alone

        if recognise.is_meant_as_sink(config):
            return ("storage", config), "; ".join(recognise.sink_mistakes(config))
    endpoint = config
    if not isinstance(config, (tuple, type)) and callable(getattr(config, "to_tuple", None)):
        endpoint = config.to_tuple()
    if not isinstance(endpoint, tuple) or not endpoint or not isinstance(endpoint[0], str):
        kind = "SourceConfig" if role == "source" else "SinkConfig"
        return endpoint, (
            f"{shorten(config)} is not a TCP{kind} or Kafka{kind} (nor a tuple like "
            '("tcp", host, port, ...)'
            f"{_STORAGE_HINT if role == 'sink' else ''})"
        )
    if endpoint[0] == "tcp":
        return _tcp(endpoint, role)
    if endpoint[0] == "kafka":
        return _kafka(endpoint, role)
    return endpoint, ""


def _tcp(endpoint: tuple[Any, ...], role: Role) -> tuple[Any, str]:
    config = TCPSourceConfig if role == "source" else TCPSinkConfig
    if len(endpoint) != 4:
        return endpoint, (
            f'A TCP tuple has four items, ("tcp", host, port, ...), got {shorten(endpoint)}'
        )
    kind, host, port, codec = endpoint
    mistake = config.mistake_in(host, port, codec)
    return endpoint if mistake else (kind, host, str(port), codec), mistake


def _kafka(endpoint: tuple[Any, ...], role: Role) -> tuple[Any, str]:
    from .kafka import KafkaSinkConfig, KafkaSourceConfig  # not loaded for TCP alone

    config = KafkaSourceConfig if role == "source" else KafkaSinkConfig
    mistake = config.mistake_in_tuple(endpoint)
    return endpoint if mistake else config.from_tuple(endpoint).to_tuple(), mistake
