"""Connect the processes that share a dataflow, on one machine, by their addresses.

An address `host:port` names a process; the connection itself is a Unix socket that only processes
of the same user can use, since what goes over it is pickled. Its name stands for the address, so
two dataflows with the same addresses are in each other's way as if they were ports.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_RETRY_S = 0.1
_QUIET_S = 5.0
_GREETING_S_MAX = 10.0
_GREETING_BYTES_MAX = 64 << 10
_LINE = b"."  # what the stop line comes with


class PeerFailedError(RuntimeError):
    """Another process of the dataflow has failed or is gone; its own errors say why."""


class Links(NamedTuple):
    """Descriptors that tie a process to the others; who uses them takes them over.

    sockets: to each process by its number, -1 at this one's place; empty if it is alone.
    stop_line: an eventfd that all share, not 0 when one was told to stop; -1 if it is alone.
    """

    sockets: list[int]
    stop_line: int


def new_stop_line() -> int:
    """Return an eventfd for all processes of a dataflow."""
    return os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)


@contextlib.contextmanager
def linked(
    addresses: Sequence[str], process: int, workers: int, place: int | None = None
) -> Iterator[Links]:
    """Wait until all processes are there, and give what ties this one to them.

    addresses: `host:port` of every process, of this machine. process: this one's index.
    workers: of each process. place: where each worker is a process of its own, this one's number
    among those of its address; then there are `workers` processes for each address.
    Raises ValueError for an address of another machine or processes that do not fit together,
    PeerFailedError when one ends meanwhile, OSError when another process has this address.
    """
    if process >= len(addresses):
        raise ValueError(f"there is no process {process}: there are {len(addresses)} addresses")
    for address in addresses:
        _check_local(address)
    members, own = list(addresses), process
    if place is not None:
        members = [f"{address} {number}" for address in addresses for number in range(workers)]
        own = process * workers + place
    greeting = {"addresses": list(addresses), "workers": workers, "process": own}
    found: dict[int, socket.socket] = {}
    waiting = _Waiting()
    with contextlib.ExitStack() as open_sockets:
        server = open_sockets.enter_context(_listener(members[own]))
        if own == 0:
            stop_line = new_stop_line()
            open_sockets.callback(os.close, stop_line)
        for peer in range(own):
            found[peer] = open_sockets.enter_context(_connected(members[peer], waiting))
            with _failing_as_gone(members[peer]):
                _send(found[peer], greeting)
                while not select.select([found[peer]], [], [], _QUIET_S)[0]:
                    waiting.look(members[peer])  # it waits for others itself
                said = _receive(found[peer])
            _check(said, greeting, peer)
            if peer == 0:
                with _failing_as_gone(members[peer]):
                    stop_line = _receive_line(found[peer])
                open_sockets.callback(os.close, stop_line)
        server.settimeout(_RETRY_S)
        while missing := [at for i, at in enumerate(members) if i != own and i not in found]:
            try:
                connection = open_sockets.enter_context(server.accept()[0])
            except TimeoutError:
                waiting.look(missing[0])
                continue
            with contextlib.suppress(OSError, EOFError):  # one that was gone again connects anew
                peer = _welcome(connection, greeting)
                if peer is not None:
                    found[peer] = connection
                    if own == 0:
                        socket.send_fds(connection, [_LINE], [stop_line])
        sockets = [found[peer].detach() if peer != own else -1 for peer in range(len(members))]
        yield Links(sockets, os.dup(stop_line))


@contextlib.contextmanager
def _failing_as_gone(address: str) -> Iterator[None]:
    """Raise PeerFailedError where the connection to the process at the address breaks."""
    try:
        yield
    except (OSError, EOFError) as error:
        raise PeerFailedError(
            f"the dataflow's process at {address} has failed or is gone: its own errors say why"
        ) from error


def _check_local(address: str) -> None:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise ValueError(f"argument 'addresses': {address!r} is no host:port")
    try:
        ends = {info[4][0] for info in socket.getaddrinfo(host.strip("[]"), None)}
    except OSError as error:
        raise ValueError(f"argument 'addresses': {host!r} can't be found: {error}") from None
    for end in ends:
        family = socket.AF_INET6 if ":" in str(end) else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((end, 0))
            return
    raise ValueError(
        f"argument 'addresses': {address!r} is another machine: the processes of a dataflow run on "
        "one; on several, let each run its own dataflow with a part of the input, as of Kafka"
    )


def _name(address: str) -> bytes:
    digest = hashlib.sha256(f"{os.getuid()} {address}".encode()).hexdigest()
    return b"\0machida-flow-" + digest[:32].encode()


def _listener(address: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        server.bind(_name(address))
        server.listen(128)
    except OSError as error:
        server.close()
        raise OSError(
            error.errno, f"{address} can't be listened on: {os.strerror(error.errno or 0)}"
        ) from None
    return server


class _Waiting:
    """Says once, when it takes long, who is waited for."""

    def __init__(self) -> None:
        self._say_at: float | None = time.monotonic() + _QUIET_S

    def look(self, address: str) -> None:
        if self._say_at is not None and time.monotonic() > self._say_at:
            self._say_at = None
            print(f"waiting for the dataflow's process at {address}", file=sys.stderr)


def _connected(address: str, waiting: _Waiting) -> socket.socket:
    """Return a connection to a process, which may not have started yet."""
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(_name(address))
            if _is_own_user(connection):
                return connection
        except (ConnectionRefusedError, BlockingIOError):
            pass
        connection.close()
        waiting.look(address)
        time.sleep(_RETRY_S)


def _is_own_user(connection: socket.socket) -> bool:
    size = struct.calcsize("3i")
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return struct.unpack("3i", peer)[1] == os.getuid()


def _welcome(connection: socket.socket, greeting: dict[str, object]) -> int | None:
    """Return which process has connected; None for a stranger."""
    if not _is_own_user(connection):
        return None
    said = _receive(connection)
    _send(connection, greeting)
    return _check(said, greeting, None)


def _check(said: dict[str, object], own: dict[str, object], expected: int | None) -> int:
    """Return the process of a greeting. Raises ValueError when it was started otherwise."""
    for name in ("addresses", "workers"):
        if said[name] != own[name]:
            raise ValueError(
                f"another process of the dataflow was started with {name} {said[name]!r}, this one "
                f"with {own[name]!r}"
            )
    process = said["process"]
    if not isinstance(process, int) or expected not in (None, process):
        raise ValueError(f"process {expected} of the dataflow says that it is process {process!r}")
    return process


def _send(connection: socket.socket, greeting: dict[str, object]) -> None:
    connection.sendall(json.dumps(greeting).encode() + b"\n")


def _receive(connection: socket.socket) -> dict[str, object]:
    """Return a greeting; what is behind it stays unread. Raises EOFError, OSError."""
    connection.settimeout(_GREETING_S_MAX)
    line = b""
    while not line.endswith(b"\n") and len(line) < _GREETING_BYTES_MAX:
        byte = connection.recv(1)
        if not byte:
            raise EOFError
        line += byte
    connection.settimeout(None)
    said: dict[str, object] = json.loads(line)
    return said


def _receive_line(connection: socket.socket) -> int:
    """Return the stop line that process 0 sends behind its greeting. Raises EOFError, OSError."""
    _, lines, *_ = socket.recv_fds(connection, len(_LINE), 1, socket.MSG_CMSG_CLOEXEC)
    if not lines:
        raise EOFError
    return lines[0]
