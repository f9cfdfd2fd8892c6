"""The configuration of a TCP source and of a TCP sink."""

from __future__ import annotations

from .addresses import PORT_MAX, is_port
from .checks import codec_mistake
from .decorated import Decoder
from .errors import WallarooParameterError
from .places import caller_place, describe, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class TCPConfig:
    """What a TCP source and a TCP sink have in common: a host, a port, a decoder or encoder."""

    _role: ClassVar[str]
    _methods: ClassVar[tuple[str, ...]]
    _port_min: ClassVar[int]

    host: str
    port: str

    def _check(self, host: str, port: str | int, codec: Any) -> None:
        mistake = self.mistake_in(host, port, codec)
        if mistake:
            raise WallarooParameterError(f"{mistake} ({caller_place()})")
        self.host = host
        self.port = str(port)

    @classmethod
    def mistake_in(cls, host: Any, port: Any, codec: Any) -> str:
        """Return what is wrong with the arguments, "" when nothing is."""
        if not isinstance(host, str) or not host:
            return f"{cls.__name__}: host must be a non-empty str, got {shorten(host)}"
        is_text = isinstance(port, (int, str)) and not isinstance(port, bool)
        if not is_text or not is_port(str(port)) or int(port) < cls._port_min:
            return (
                f"{cls.__name__}: port must be a number from {cls._port_min} to {PORT_MAX}, "
                f"as a str, got {shorten(port)}"
            )
        return codec_mistake(cls.__name__, cls._role, cls._methods, codec) or cls._header_mistake(
            codec
        )

    @classmethod
    def _header_mistake(cls, codec: Any) -> str:
        """Return what keeps frames from being cut by a decoder's header, "" when nothing does."""
        mistake = codec.header_mistake if isinstance(codec, Decoder) else ""
        return f"{cls.__name__}: the decoder {describe(codec)}: {mistake}" if mistake else ""


class TCPSourceConfig(TCPConfig):
    """A source that listens on a TCP port, for any number of connections.

    host: the address to listen on, a str: IPv4, IPv6 (without brackets) or a host name.
    port: the port, a str (an int is accepted), 0 to 65535; 0 lets the system choose.
    decoder: made by `@wallaroo.decoder`, or an object (or class) with the methods
    `header_length()`, `payload_length(bytes)` and `decode(bytes)`.
    One made by `@wallaroo.message_decoder` is for Kafka sources only.
    Raises WallarooParameterError for an argument that is none of these.
    """

    _role = "decoder"
    _methods = ("header_length", "payload_length", "decode")
    _port_min = 0

    def __init__(self, host: str, port: str | int, decoder: Any) -> None:
        self._check(host, port, decoder)
        self.decoder = decoder

    def to_tuple(self) -> tuple[str, str, str, Any]:
        """Return `("tcp", host, port, decoder)`, as the topology holds it."""
        return ("tcp", self.host, self.port, self.decoder)

    def __repr__(self) -> str:
        return f"TCPSourceConfig({self.host!r}, {self.port!r}, {self.decoder!r})"


class TCPSinkConfig(TCPConfig):
    """A sink that connects to a TCP port and writes what the encoder returns, as it is.

    host: the address to connect to, a str: IPv4, IPv6 (without brackets) or a host name.
    port: the port, a str (an int is accepted), 1 to 65535.
    encoder: made by `@wallaroo.encoder`, or an object (or class) with the method `encode(data)`.
    Raises WallarooParameterError for an argument that is none of these.
    """

    _role = "encoder"
    _methods = ("encode",)
    _port_min = 1

    def __init__(self, host: str, port: str | int, encoder: Any) -> None:
        self._check(host, port, encoder)
        self.encoder = encoder

    def to_tuple(self) -> tuple[str, str, str, Any]:
        """Return `("tcp", host, port, encoder)`, as the topology holds it."""
        return ("tcp", self.host, self.port, self.encoder)

    def __repr__(self) -> str:
        return f"TCPSinkConfig({self.host!r}, {self.port!r}, {self.encoder!r})"
