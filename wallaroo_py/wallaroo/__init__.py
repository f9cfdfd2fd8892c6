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
    Partition,
    StateComputation,
    StateComputationMulti,
)
from .decorators import (
    computation,
    computation_multi,
    decoder,
    encoder,
    partition,
    state_computation,
    state_computation_multi,
)
from .errors import WallarooParameterError
from .serialization import deserialize, serialize
from .state import StateBuilder
from .tcp import TCPSinkConfig, TCPSourceConfig

__version__ = "0.1.0"

__all__ = [
    "ApplicationBuilder",
    "Computation",
    "ComputationMulti",
    "Decoder",
    "Encoder",
    "Partition",
    "StateBuilder",
    "StateComputation",
    "StateComputationMulti",
    "TCPSinkConfig",
    "TCPSourceConfig",
    "WallarooParameterError",
    "computation",
    "computation_multi",
    "decoder",
    "deserialize",
    "encoder",
    "partition",
    "serialize",
    "state_computation",
    "state_computation_multi",
    "tcp_parse_input_addrs",
    "tcp_parse_output_addrs",
]
