"""A TCP connection that is made again when it breaks, without losing what it was given."""

from __future__ import annotations

import fcntl
import logging
import select
import socket
import struct
import termios
import time
from collections import deque
from typing import Any

from ..addresses import host_port
from ..engine import load_engine
from ..places import describe, shorten
from .config_ends import instance_of
from .outputs import EpochSinkPartition

LOG = logging.getLogger("wallaroo.flows")
CLOSE_S_MAX = 30.0
"""How long the receiver may take to acknowledge the last outputs, or be away, at the end."""
_PAUSE_MIN_S, _PAUSE_MAX_S = 0.05, 2.0
_LOOK_S = 0.002
_READ_MS_MAX = 50  # how long a receiver that does not read is waited for between two looks
_CONNECT_S_MAX = 10.0


class TcpSender(EpochSinkPartition):
    """Writes what an encoder returns, in order, at least once.

    Outputs are kept until the receiver's system has acknowledged them, which the end of an epoch
    waits for. When the connection breaks it is made again, and begins with the first of those.
    A receiver that is away or does not read is waited for.

    host, port: the receiver's. encoder: has `encode(item)`, which returns bytes, a str or None.
    step_id: the output's. Waits for the receiver, CLOSE_S_MAX at most once the dataflow has been
    asked to end: then TimeoutError is raised, also by write_batch and end_epoch.
    """

    def __init__(self, host: str, port: int, encoder: Any, step_id: str) -> None:
        self._address = (host, port)
        self._encode = instance_of(encoder).encode
        self._step_id = step_id
        self._kept: deque[bytes] = deque()  # sent, in order, and not acknowledged
        self._kept_bytes = 0
        self._unsent_bytes = 0  # of those, what the system has not taken
        self._socket: socket.socket | None = None
        self._deadline: float | None = None  # of the wait that is under way
        self._stop_asked = load_engine().stop_asked
        self._connect()
        if self._socket is None:
            raise TimeoutError(f"{self._people()} could not be reached within {CLOSE_S_MAX:g} s")

    def write_batch(self, items: list[Any]) -> None:
        """Send the items' outputs. Raises TypeError when the encoder returns something else."""
        self._deadline = None
        outputs = [output for output in map(self._encoded, items) if output]
        self._kept.extend(outputs)
        self._kept_bytes += sum(map(len, outputs))
        self._send(b"".join(outputs))
        if self._socket is None or self._unsent_bytes:
            self._check_everything_sent()
        self._forget_acknowledged()

    def end_epoch(self) -> None:
        """Wait until everything is acknowledged. Called by the engine."""
        self._deadline = None
        self._wait_acknowledged()
        self._check_everything_sent()

    def close(self) -> None:
        """Wait until everything is acknowledged, CLOSE_S_MAX at most, and close the connection."""
        self._limit_waits()
        try:
            self._wait_acknowledged()
        finally:
            if self._kept:
                LOG.error(
                    "step %r: dropped %d outputs, the last of which %s may not have",
                    *(self._step_id, len(self._kept), self._people()),
                )
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _encoded(self, item: Any) -> bytes:
        encoded = self._encode(item)
        if isinstance(encoded, str):
            return encoded.encode()
        if encoded is None:
            return b""
        if isinstance(encoded, (bytes, bytearray, memoryview)):
            return bytes(encoded)
        raise TypeError(
            f"the encoder of a TCP sink, {describe(self._encode)}, must return bytes, str or None; "
            f"got {shorten(encoded)}"
        )

    def _send(self, data: bytes) -> None:
        try:
            self._give(data)
        except OSError as error:
            self._again(error)

    def _give(self, data: bytes) -> None:
        """Give it to the system, all of it unless that takes too long."""
        connection, rest = self._connected(), memoryview(data)
        self._unsent_bytes = len(rest)
        while rest:
            try:
                rest = rest[connection.send(rest, socket.MSG_DONTWAIT) :]
                self._unsent_bytes = len(rest)
            except BlockingIOError:
                if self._waited_enough():
                    return
                room = select.poll()
                room.register(connection, select.POLLOUT)
                room.poll(_READ_MS_MAX)

    def _wait_acknowledged(self) -> None:
        while self._kept:
            try:
                self._look_for_the_end()
                self._forget_acknowledged()
            except OSError as error:
                self._again(error)
            if not self._kept or self._waited_enough():
                return
            time.sleep(_LOOK_S)

    def _limit_waits(self) -> None:
        if self._deadline is None:
            self._deadline = time.monotonic() + CLOSE_S_MAX

    def _waited_enough(self) -> bool:
        if self._stop_asked():
            self._limit_waits()
        return self._deadline is not None and time.monotonic() > self._deadline

    def _check_everything_sent(self) -> None:
        if self._kept and self._waited_enough():
            raise TimeoutError(
                f"{self._people()} did not take the last outputs within {CLOSE_S_MAX:g} s"
            )

    def _look_for_the_end(self) -> None:
        """Raise ConnectionError when the receiver has closed the connection."""
        try:
            if self._connected().recv(1 << 16, socket.MSG_DONTWAIT) == b"":
                raise ConnectionResetError("closed by the receiver")
        except BlockingIOError:
            pass

    def _forget_acknowledged(self) -> None:
        waiting = bytearray(4)
        fcntl.ioctl(self._connected(), termios.TIOCOUTQ, waiting)
        (waiting_bytes,) = struct.unpack("i", waiting)
        waiting_bytes += self._unsent_bytes
        while self._kept and self._kept_bytes - len(self._kept[0]) >= waiting_bytes:
            self._kept_bytes -= len(self._kept.popleft())

    def _again(self, error: OSError) -> None:
        """Connect again, and send what was not acknowledged."""
        LOG.warning("step %r: the connection to %s broke: %s", self._step_id, self._people(), error)
        while not self._waited_enough():
            try:
                self._connect()
                if self._socket is not None:
                    self._give(b"".join(self._kept))
                return
            except OSError:
                time.sleep(_PAUSE_MIN_S)

    def _connect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        pause_s = _PAUSE_MIN_S
        while not self._waited_enough():
            try:
                self._socket = socket.create_connection(self._address, timeout=_CONNECT_S_MAX)
                self._socket.settimeout(None)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
            except OSError as error:
                if pause_s == _PAUSE_MIN_S:
                    LOG.warning(
                        "step %r: %s can't be reached: %s; trying again",
                        *(self._step_id, self._people(), error),
                    )
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _PAUSE_MAX_S)

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("there is no connection")
        return self._socket

    def _people(self) -> str:
        return host_port(*self._address)
