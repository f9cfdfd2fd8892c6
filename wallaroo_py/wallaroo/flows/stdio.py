"""Write to standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from .outputs import DynamicSink, StatelessSinkPartition

__all__ = ["StdOutSink"]


# PIPE_BUF: so much goes into a pipe undivided, whoever else writes to it.
_BYTES_AT_ONCE = 4096


def _written_at_once(lines: Iterable[str]) -> Iterator[str]:
    """Join lines to texts that a pipe takes whole; a longer line is one by itself."""
    joined: list[str] = []
    size = 0
    for line in lines:
        line_size = len(line) if line.isascii() else len(line.encode(errors="surrogateescape"))
        if joined and size + line_size > _BYTES_AT_ONCE:
            yield "".join(joined)
            joined, size = [], 0
        joined.append(line)
        size += line_size
    if joined:
        yield "".join(joined)


class _PrintSinkPartition(StatelessSinkPartition):
    def write_batch(self, items: list[Any]) -> None:
        # In one write each, so that the lines of several workers don't get mixed up.
        for text in _written_at_once([f"{item}\n" for item in items]):
            print(text, end="", flush=hasattr(sys.stdout, "flush"))


class StdOutSink(DynamicSink):
    """Print each item as a line, as `print` does. Every worker prints its own items.

    The lines of several processes do not mix unless one is longer than 4096 bytes.
    """

    def build(self, worker_index: int, worker_count: int) -> StatelessSinkPartition:
        """Build a worker's part."""
        return _PrintSinkPartition()
