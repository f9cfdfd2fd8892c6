"""Addresses and message framing, shared by the `send` and `receive` tools beside this file."""

import struct
from typing import Any

LINE_END = b"\n"
FRAME_BYTES_MAX = 64 * 1024 * 1024
"""A frame that claims to be longer is taken for a mistake in the framing."""


class FramingError(ValueError):
    """Bytes that cannot be cut into messages."""


def parse_address(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `[IPV6]:PORT` to `(host, port)`. ValueError if it is neither."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def format_address(address: tuple[Any, ...]) -> str:
    """A socket's address as `HOST:PORT`, with brackets around an IPv6 host."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Header:
    """The length in front of a payload: `length_fmt` is a `struct` format of one integer.

    ValueError if the format is not one integer in exactly `length_bytes` bytes.
    """

    def __init__(self, length_bytes: int, length_fmt: str) -> None:
        try:
            self._struct = struct.Struct(length_fmt)
            (probe,) = self._struct.unpack(bytes(self._struct.size))
        except (struct.error, ValueError) as error:
            raise ValueError(f"{length_fmt!r} is not a struct format of one integer") from error
        if not isinstance(probe, int) or isinstance(probe, bool):
            raise ValueError(f"{length_fmt!r} is not a struct format of one integer")
        if self._struct.size != length_bytes:
            raise ValueError(
                f"{length_fmt!r} takes {self._struct.size} bytes, the header has {length_bytes}"
            )
        self.size = length_bytes
        self.unpack_from = self._struct.unpack_from

    def frame(self, payload: bytes) -> bytes:
        """`payload` behind its length. FramingError if the length does not fit the format."""
        try:
            return self._struct.pack(len(payload)) + payload
        except struct.error as error:
            raise FramingError(
                f"a message of {len(payload)} bytes is too long for {self._struct.format!r}"
            ) from error


class LineCutter:
    """Cuts a stream of bytes into lines; the newline is not part of a line."""

    def __init__(self) -> None:
        self._rest = b""

    def cut(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes."""
        *done, self._rest = (self._rest + data).split(LINE_END)
        return done

    def rest(self) -> bytes:
        """The beginning of a line that is not complete yet."""
        return self._rest


class FrameCutter:
    """Cuts a stream of bytes into payloads, each behind a header."""

    def __init__(self, header: Header, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self._header = header
        self._frame_bytes_max = frame_bytes_max
        self._rest = bytearray()
        self._wanted_bytes = header.size

    def cut(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes. FramingError on a negative or absurd length."""
        rest = self._rest
        rest += data
        if len(rest) < self._wanted_bytes:
            return []
        buffer = bytes(rest)
        done = []
        start, available, size = 0, len(buffer), self._header.size
        self._wanted_bytes = size
        while available - start >= size:
            (length,) = self._header.unpack_from(buffer, start)
            if not 0 <= length <= self._frame_bytes_max:
                raise FramingError(f"a frame claims to have {length} bytes")
            end = start + size + length
            if end > available:
                self._wanted_bytes = size + length
                break
            done.append(buffer[start + size : end])
            start = end
        del rest[:start]
        return done

    def rest(self) -> bytes:
        """The beginning of a frame that is not complete yet, header included."""
        return bytes(self._rest)
