"""What is wrong with the header of a frame, as `@wallaroo.decoder` describes it."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HEADER_BYTES_MAX = 8


def header_mistake(header_length: Any, length_fmt: Any) -> str:
    """Return why no payload's size can be read from such a header, "" when it can."""
    if type(header_length) is not int or not 1 <= header_length <= HEADER_BYTES_MAX:
        return (
            f"header_length must be an int from 1 to {HEADER_BYTES_MAX} (bytes), "
            f"got {header_length!r}"
        )
    if not isinstance(length_fmt, (str, bytes)):
        return f"length_fmt must be a str, got {length_fmt!r}"
    try:
        format_bytes = struct.calcsize(length_fmt)
    except (struct.error, UnicodeError) as error:
        return f"length_fmt {length_fmt!r} is not a struct format: {error}"
    if format_bytes != header_length:
        return (
            f"header_length is {header_length}, but length_fmt {length_fmt!r} reads "
            f"{format_bytes} bytes: make them agree"
        )
    fields = struct.unpack(length_fmt, bytes(format_bytes))
    if not fields or type(fields[0]) is not int:
        return (
            f"length_fmt {length_fmt!r} must have an integer (the payload's size) as its first "
            f"field, it reads {fields!r}"
        )
    return ""
