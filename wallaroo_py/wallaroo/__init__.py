"""Write streaming applications in Python, run by the machida server.

An application is a module with a function `application_setup(args)` that returns a topology, which
an ApplicationBuilder makes of decorated functions:

    import wallaroo

    def application_setup(args):
        in_host, in_port = wallaroo.tcp_parse_input_addrs(args)[0]
        out_host, out_port = wallaroo.tcp_parse_output_addrs(args)[0]
        ab = wallaroo.ApplicationBuilder("Reverse")
        ab.new_pipeline("reverse", wallaroo.TCPSourceConfig(in_host, in_port, decode))
        ab.to(reverse)
        ab.to_sink(wallaroo.TCPSinkConfig(out_host, out_port, encode))
        return ab.build()

    @wallaroo.decoder
    def decode(payload):
        return payload.decode()

    @wallaroo.computation(name="reverse")
    def reverse(text):
        return text[::-1]

    @wallaroo.encoder
    def encode(text):
        return text.encode() + b"\\n"

In place of TCP, a pipeline may begin in a KafkaSourceConfig and end in a KafkaSinkConfig, whose
encoder returns `(value, key)`:

        topic, brokers, log_level = wallaroo.kafka_parse_source_options(args)
        source = wallaroo.KafkaSourceConfig(topic, brokers, log_level, decode)

Records of one key are grouped by time with `ApplicationBuilder.to_window`, an EventClockConfig or
SystemClockConfig, and a TumblingWindow, SlidingWindow or SessionWindow.

It may also end in a storage sink: IntoTable, IntoFiles, or any object with the members of
IntoSink, whose partition gets the records themselves, an epoch at a time.

The package needs no server: decorated functions are called in plain tests like any function, and
`wallaroo.testing` runs whole applications there.
"""

from .addresses import tcp_parse_input_addrs, tcp_parse_output_addrs
from .application import ApplicationBuilder
from .decorated import (
    Computation,
    ComputationMulti,
    Decoder,
    Encoder,
    MessageDecoder,
    Partition,
    StateComputation,
    StateComputationMulti,
)
from .decorators import (
    computation,
    computation_multi,
    decoder,
    encoder,
    message_decoder,
    partition,
    state_computation,
    state_computation_multi,
)
from .errors import WallarooParameterError
from .serialization import deserialize, serialize
from .state import StateBuilder
from .tcp import TCPSinkConfig, TCPSourceConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .flows.window import (
        EventClockConfig,
        SessionWindow,
        SlidingWindow,
        SystemClockConfig,
        TumblingWindow,
        WindowMetadata,
    )
    from .kafka import KafkaSinkConfig, KafkaSourceConfig
    from .kafka_message import KafkaMessage
    from .kafka_options import kafka_parse_sink_options, kafka_parse_source_options
    from .kafka_parsers import (
        CustomKafkaSinkCLIParser,
        CustomKafkaSourceCLIParser,
        DefaultKafkaSinkCLIParser,
        DefaultKafkaSourceCLIParser,
    )
    from .storage.async_bridge import AsyncBridge
    from .storage.epoch import Epoch
    from .storage.errors import RejectedItems, SinkUnavailable
    from .storage.into_files import IntoFiles
    from .storage.into_table import IntoTable
    from .storage.protocols import IntoSink, SinkPartition
else:
    # Loaded when first used, so that an application without Kafka and storage starts sooner.
    _LAZY = {
        "AsyncBridge": "storage.async_bridge",
        "CustomKafkaSinkCLIParser": "kafka_parsers",
        "CustomKafkaSourceCLIParser": "kafka_parsers",
        "DefaultKafkaSinkCLIParser": "kafka_parsers",
        "DefaultKafkaSourceCLIParser": "kafka_parsers",
        "Epoch": "storage.epoch",
        "EventClockConfig": "flows.window",
        "IntoFiles": "storage.into_files",
        "IntoSink": "storage.protocols",
        "IntoTable": "storage.into_table",
        "KafkaMessage": "kafka_message",
        "KafkaSinkConfig": "kafka",
        "KafkaSourceConfig": "kafka",
        "RejectedItems": "storage.errors",
        "SessionWindow": "flows.window",
        "SinkPartition": "storage.protocols",
        "SinkUnavailable": "storage.errors",
        "SlidingWindow": "flows.window",
        "SystemClockConfig": "flows.window",
        "TumblingWindow": "flows.window",
        "WindowMetadata": "flows.window",
        "kafka_parse_sink_options": "kafka_options",
        "kafka_parse_source_options": "kafka_options",
    }

    def __getattr__(name: str) -> object:
        """Return a name of the package that is loaded on first use."""
        if name not in _LAZY:
            from .hints import did_you_mean

            raise AttributeError(
                f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, __all__)}"
            )
        import importlib

        thing = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
        globals()[name] = thing
        return thing

    def __dir__() -> list[str]:
        """Return all names, loaded or not."""
        return sorted({*globals(), *_LAZY})


__version__ = "0.1.0"

__all__ = [
    "ApplicationBuilder",
    "AsyncBridge",
    "Computation",
    "ComputationMulti",
    "CustomKafkaSinkCLIParser",
    "CustomKafkaSourceCLIParser",
    "Decoder",
    "DefaultKafkaSinkCLIParser",
    "DefaultKafkaSourceCLIParser",
    "Encoder",
    "Epoch",
    "EventClockConfig",
    "IntoFiles",
    "IntoSink",
    "IntoTable",
    "KafkaMessage",
    "KafkaSinkConfig",
    "KafkaSourceConfig",
    "MessageDecoder",
    "Partition",
    "RejectedItems",
    "SessionWindow",
    "SinkPartition",
    "SinkUnavailable",
    "SlidingWindow",
    "StateBuilder",
    "StateComputation",
    "StateComputationMulti",
    "SystemClockConfig",
    "TCPSinkConfig",
    "TCPSourceConfig",
    "TumblingWindow",
    "WallarooParameterError",
    "WindowMetadata",
    "computation",
    "computation_multi",
    "decoder",
    "deserialize",
    "encoder",
    "kafka_parse_sink_options",
    "kafka_parse_source_options",
    "message_decoder",
    "partition",
    "serialize",
    "state_computation",
    "state_computation_multi",
    "tcp_parse_input_addrs",
    "tcp_parse_output_addrs",
]
