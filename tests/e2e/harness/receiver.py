"""Stands in for the system that a TCP sink writes to."""

import socket
import struct
import threading

from harness.deadline import wait_until

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class _Connection:
    """An accepted socket, the bytes that came over it, and the thread that reads them."""

    def __init__(self, sock: socket.socket, reading: threading.Event) -> None:
        self.socket = sock
        self.bytes = bytearray()
        self._reading = reading
        self.is_open = True
        self._dying = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wake(self) -> None:
        """Makes the reader end, once `reading` is set."""
        self._dying = True
        _shut(self.socket, socket.SHUT_RD)

    def reset(self) -> None:
        """Sends a reset: at once, because a thread in recv() that would defer it has ended."""
        self._reader.join()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()

    def _read(self) -> None:
        try:
            while self._reading.wait() and not self._dying:
                chunk = self.socket.recv(1 << 18)
                if not chunk:
                    break
                self.bytes += chunk
        except OSError:
            pass
        self.is_open = False


class Receiver:
    """A TCP server that keeps the bytes of every connection that it accepts.

    It holds its port from construction on, so that nobody else gets it, but accepts only between
    start() and stop(). rcvbuf_bytes: size of the sockets' receive buffer, for tests of slowness.
    """

    def __init__(
        self, host: str = "127.0.0.1", start: bool = True, rcvbuf_bytes: int | None = None
    ) -> None:
        self.host = host
        self.port = 0
        self._rcvbuf_bytes = rcvbuf_bytes
        self._reading = threading.Event()
        self._reading.set()
        self._open: list[_Connection] = []
        self._acceptor: threading.Thread | None = None
        self.connections: list[bytearray] = []
        self._listener = self._bind()
        if start:
            self.start()

    @property
    def address(self) -> str:
        """HOST:PORT, as --out takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_open(self) -> list[bool]:
        """Whether the peer has not closed, for each connection since start()."""
        return [connection.is_open for connection in list(self._open)]

    @property
    def data(self) -> bytes:
        """Everything received, one connection after the other."""
        return b"".join(bytes(connection) for connection in self.connections)

    @property
    def lines(self) -> list[str]:
        """Everything received as lines of text without their ends; the last must be complete."""
        data = self.data
        assert data == b"" or data.endswith(b"\n"), f"cut line: {data[-80:]!r}"
        return data.decode().splitlines()

    @property
    def lives(self) -> list[list[str]]:
        """The whole lines of each connection, which is one for each life of a server."""
        return [bytes(c).decode().split("\n")[:-1] for c in list(self.connections)]

    def start(self) -> None:
        """Accepts connections from now on."""
        self._listener.listen(16)
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def pause(self) -> None:
        """Stops reading, on connections old and new."""
        self._reading.clear()

    def resume(self) -> None:
        """Reads again."""
        self._reading.set()

    def say(self, data: bytes) -> None:
        """Sends bytes to whoever is connected."""
        for connection in self._open:
            connection.socket.sendall(data)

    def stop(self) -> None:
        """Dies: resets every connection, listens no more, but keeps the port. Then start().

        The peers' systems have the resets when this returns: no byte sent later is acknowledged.
        """
        self._close()
        self._listener = self._bind()

    def close(self) -> None:
        """Ends for good."""
        self._close()

    def wait_bytes(self, count: int) -> bytes:
        """Waits for at least count bytes; returns all there are."""
        wait_until(
            lambda: sum(map(len, self.connections)) >= count,
            lambda: f"{count} bytes; there are {len(self.data)}: {self.data[-200:]!r}",
        )
        return self.data

    def wait_lines(self, count: int) -> list[str]:
        """Waits for at least count lines; returns all there are, without their ends."""
        wait_until(
            lambda: sum(c.count(b"\n") for c in list(self.connections)) >= count,
            lambda: f"{count} lines; there are {self.data.count(10)}: {self.data[-200:]!r}",
        )
        wait_until(lambda: self.data.endswith(b"\n"), "the end of the last line")
        return self.lines

    def wait_sorted(self, expected: list[str]) -> None:
        """Waits for as many lines as expected, which must be those, in any order."""
        assert sorted(self.wait_lines(len(expected))) == sorted(expected)

    def wait_connections(self, count: int) -> None:
        """Waits until count connections have been accepted since construction."""
        wait_until(lambda: len(self.connections) >= count, f"{count} connections")

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._rcvbuf_bytes:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._rcvbuf_bytes)
        listener.bind((self.host, self.port))
        self.port = listener.getsockname()[1]
        return listener

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(_Connection(sock, self._reading))
            self.connections.append(self._open[-1].bytes)

    def _close(self) -> None:
        _shut(self._listener, socket.SHUT_RDWR)
        if self._acceptor:
            self._acceptor.join()
            self._acceptor = None
        self._listener.close()
        paused = not self._reading.is_set()
        for connection in self._open:
            connection.wake()
        self._reading.set()
        for connection in self._open:
            connection.reset()
        self._open.clear()
        if paused:
            self._reading.clear()


def _shut(sock: socket.socket, how: int) -> None:
    """Wakes a thread that is blocked in the socket."""
    try:
        sock.shutdown(how)
    except OSError:
        pass
