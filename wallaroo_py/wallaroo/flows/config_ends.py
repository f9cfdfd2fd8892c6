"""The configurations of Wallaroo's sources and sinks as ends of a dataflow."""

from __future__ import annotations

from typing import Any

from ..tcp import TCPSinkConfig, TCPSourceConfig
from .outputs import Sink
from .sources import Source


def source_of(config: Any, step_id: str) -> Source | None:
    """Return the Source of a TCPSourceConfig or KafkaSourceConfig, None for anything else."""
    if isinstance(config, TCPSourceConfig):
        from .tcp_config import TcpConfigSource

        return TcpConfigSource(config, step_id)
    if _is_kafka(config, "KafkaSourceConfig"):
        from .kafka_config import KafkaConfigSource

        return KafkaConfigSource(config, step_id)
    return None


def sink_of(config: Any, step_id: str) -> Sink | None:
    """Return the Sink of a TCPSinkConfig or KafkaSinkConfig, None for anything else."""
    if isinstance(config, TCPSinkConfig):
        from .tcp_config import TcpConfigSink

        return TcpConfigSink(config, step_id)
    if _is_kafka(config, "KafkaSinkConfig"):
        from .kafka_config import KafkaConfigSink

        return KafkaConfigSink(config)
    return None


def instance_of(given: Any) -> Any:
    """Return a decoder or encoder, which may have been given as its class."""
    return given() if isinstance(given, type) else given


def _is_kafka(config: Any, name: str) -> bool:
    # By the name first: the module is loaded if there is one, and by nobody else.
    if all(base.__name__ != name for base in type(config).__mro__):
        return False
    from .. import kafka

    return isinstance(config, getattr(kafka, name))
