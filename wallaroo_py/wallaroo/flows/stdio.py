"""Write to standard output."""

from __future__ import annotations

import sys
from typing import Any

from .outputs import DynamicSink, StatelessSinkPartition

__all__ = ["StdOutSink"]


class _PrintSinkPartition(StatelessSinkPartition):
    def write_batch(self, items: list[Any]) -> None:
        # One write, so that the lines of several workers don't get mixed up.
        sys.stdout.write("".join([f"{item}\n" for item in items]))
        sys.stdout.flush()


class StdOutSink(DynamicSink):
    """Print each item as a line, as `print` does. Every worker prints its own items."""

    def build(self, worker_index: int, worker_count: int) -> StatelessSinkPartition:
        """Build a worker's part."""
        return _PrintSinkPartition()
