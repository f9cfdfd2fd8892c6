"""Stands in for the system that feeds a TCP source."""

import select
import socket
import struct

from harness.closing import Closing
from harness.deadline import DEADLINE_S


def frames(*payloads: bytes | str, fmt: str = ">I") -> bytes:
    """Returns the payloads (text as UTF-8), each behind its length packed with fmt."""
    encoded = [x.encode() if isinstance(x, str) else x for x in payloads]
    return b"".join(struct.pack(fmt, len(x)) + x for x in encoded)


class Client(Closing):
    """One connection to a source. Operations that hang fail after DEADLINE_S."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=DEADLINE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self.socket.getsockname()[1]

    def send(self, data: bytes) -> None:
        """Sends the bytes as they are, in one write if the kernel takes them."""
        self.socket.sendall(data)

    def send_frames(self, *payloads: bytes | str, fmt: str = ">I") -> None:
        """Sends the payloads as frames, in one write if the kernel takes them."""
        self.send(frames(*payloads, fmt=fmt))

    def send_until_blocked(self, data: bytes, quiet_s: float = 2.0) -> int:
        """Sends until the connection has taken nothing for quiet_s; returns the bytes taken."""
        self.socket.setblocking(False)
        sent = 0
        view = memoryview(data)
        while sent < len(data):
            if not select.select([], [self.socket], [], quiet_s)[1]:
                break
            sent += self.socket.send(view[sent : sent + 65536])
        self.socket.settimeout(DEADLINE_S)
        return sent

    def finish(self) -> None:
        """Says that nothing more comes; the server may still answer."""
        self.socket.shutdown(socket.SHUT_WR)

    def wait_closed(self) -> None:
        """Waits until the server closes the connection; fails when it sends something."""
        try:
            data = self.socket.recv(1)
        except TimeoutError:
            raise AssertionError("the server keeps the connection open") from None
        except OSError:
            return
        assert data == b"", f"the server sent {data!r}"

    def close(self) -> None:
        """Closes the connection."""
        self.socket.close()
