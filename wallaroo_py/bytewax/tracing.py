"""Settings for tracing, accepted so that applications run unchanged.

Implemented in `wallaroo.flows.tracing`, which has the whole story.
"""

from wallaroo.flows.tracing import (
    JaegerConfig,
    OtlpTracingConfig,
    TracingConfig,
    setup_tracing,
)

__all__ = [
    "JaegerConfig",
    "OtlpTracingConfig",
    "TracingConfig",
    "setup_tracing",
]
