"""Settings for tracing, accepted so that applications run unchanged: no traces are sent.

The server's log and metrics say what it does.
"""

from __future__ import annotations

from .arguments import check_str, wrong_type

__all__ = ["JaegerConfig", "OtlpTracingConfig", "TracingConfig", "setup_tracing"]

_LEVELS = ("ERROR", "WARN", "INFO", "DEBUG", "TRACE")


class TracingConfig:
    """Base class of the configs."""


class JaegerConfig(TracingConfig):
    """Where a Jaeger agent would be.

    service_name: of this application. endpoint: `host:port`, or None for the usual one.
    sampling_ratio: the part of the traces to keep, from 0 to 1.
    """

    def __init__(
        self, service_name: str, endpoint: str | None = None, sampling_ratio: float = 1.0
    ) -> None:
        self.service_name = check_str("service_name", service_name)
        self.endpoint = endpoint
        self.sampling_ratio = float(sampling_ratio)


class OtlpTracingConfig(TracingConfig):
    """Where an OpenTelemetry collector would be.

    service_name: of this application. url: of the collector, or None for the usual one.
    sampling_ratio: the part of the traces to keep, from 0 to 1.
    """

    def __init__(
        self, service_name: str, url: str | None = None, sampling_ratio: float = 1.0
    ) -> None:
        self.service_name = check_str("service_name", service_name)
        self.url = url
        self.sampling_ratio = float(sampling_ratio)


class BytewaxTracer:
    """What `setup_tracing` returns: keep it as long as tracing should go on."""


def setup_tracing(
    tracing_config: TracingConfig | None = None, log_level: str | None = None
) -> BytewaxTracer:
    """Accept settings for tracing; nothing is traced.

    log_level: one of ERROR, WARN, INFO, DEBUG, TRACE.
    Raises TypeError for another config, ValueError for another level.
    """
    if tracing_config is not None and not isinstance(tracing_config, TracingConfig):
        raise wrong_type("tracing_config", tracing_config, "TracingConfig")
    if log_level is not None and check_str("log_level", log_level).upper() not in _LEVELS:
        raise ValueError(f"Unknown log level: {log_level}; use one of {', '.join(_LEVELS)}")
    return BytewaxTracer()
