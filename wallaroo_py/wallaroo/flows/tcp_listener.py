"""A TCP port whose connections are read without waiting, and cut into frames."""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable

from ..addresses import host_port

LOG = logging.getLogger("wallaroo.flows")
FRAME_BYTES_MAX = 16 << 20
READ_BYTES_MAX = 64 << 10
_BACKLOG = 128


class BadFrame(Exception):
    """The bytes of a connection make no sense."""


class Framing:
    """A frame is a header, which holds the payload's length, and the payload.

    header_bytes: its size. payload_length: header -> the payload's size in bytes.
    """

    def __init__(self, header_bytes: int, payload_length: Callable[[bytes], int]) -> None:
        self._header_bytes = header_bytes
        self._payload_length = payload_length

    def cut(self, data: bytearray) -> list[bytes]:
        """Take all whole frames off the front; return their payloads.

        Raises BadFrame for a length that is negative, too large, or can't be read.
        """
        payloads, begin, header_bytes = [], 0, self._header_bytes
        while len(data) - begin >= header_bytes:
            end_of_header = begin + header_bytes
            size = self._size(bytes(data[begin:end_of_header]))
            if len(data) - end_of_header < size:
                break
            begin = end_of_header + size
            payloads.append(bytes(data[end_of_header:begin]))
        del data[:begin]
        return payloads

    def _size(self, header: bytes) -> int:
        try:
            size = int(self._payload_length(header))
        except Exception as error:
            raise BadFrame(f"payload_length() raised {type(error).__name__}: {error}") from None
        if not 0 <= size <= FRAME_BYTES_MAX:
            raise BadFrame(f"a frame says that it has {size} bytes, {FRAME_BYTES_MAX} are allowed")
        return size


class TcpListener:
    """Listens, and reads what has come over any number of connections.

    A connection whose other side has ended is closed one call later: its frames have been processed
    then. Raises OSError when the port can't be had.
    """

    def __init__(self, host: str, port: int, framing: Framing) -> None:
        self._framing = framing
        self._selector = selectors.DefaultSelector()
        self._ended: list[socket.socket] = []
        (family, kind, protocol, _, address) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            self._socket.listen(_BACKLOG)
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, f"listening on {host}:{port}: {error.strerror}") from None
        self._socket.setblocking(False)
        self._selector.register(self._socket, selectors.EVENT_READ, None)

    @property
    def address(self) -> str:
        """Where it listens, HOST:PORT."""
        return host_port(*self._socket.getsockname()[:2])

    def take(self) -> list[bytes]:
        """Return the payloads of the frames that have come; reads each connection once."""
        for ended in self._ended:
            ended.close()
        self._ended.clear()
        payloads: list[bytes] = []
        for key, _ in self._selector.select(0):
            if key.data is None:
                self._accept()
            else:
                assert isinstance(key.fileobj, socket.socket)
                payloads += self._read(key.fileobj, key.data)
        return payloads

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # it has gone already, or there are no descriptors left
            return
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, bytearray())

    def _read(self, connection: socket.socket, data: bytearray) -> list[bytes]:
        try:
            read = connection.recv(READ_BYTES_MAX)
        except BlockingIOError:
            return []
        except OSError:
            read = b""
        data += read
        try:
            payloads = self._framing.cut(data)
            if not read and data:
                raise BadFrame(f"the connection ended inside a frame, behind {len(data)} bytes")
        except BadFrame as error:
            LOG.warning("a connection to %s is closed: %s", self.address, error)
            read, payloads = b"", []
        if not read:
            self._selector.unregister(connection)
            self._ended.append(connection)
        return payloads

    def close(self) -> None:
        """Close the port and all connections."""
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        for ended in self._ended:
            ended.close()
        self._ended.clear()
        self._selector.close()
