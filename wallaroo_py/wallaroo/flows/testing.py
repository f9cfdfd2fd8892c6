"""Run dataflows in tests: sources and sinks in memory, and helpers to test your own.

from bytewax.testing import TestingSink, TestingSource, run_main

def test_flow():
    out = []
    flow = Dataflow()
    flow.input("inp", TestingSource([1, 2]))
    flow.map("double", lambda x: 2 * x)
    flow.output("out", TestingSink(out))
    run_main(flow)
    assert out == [2, 4]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from .arguments import MISSING, now_may_be_left_out, one_of, takes_leading
from .outputs import DynamicSink, StatelessSinkPartition
from .running import cluster_main, run_cluster, run_main
from .sources import (
    AbortExecution,
    FixedPartitionedSource,
    StatefulSourcePartition,
    StatelessSourcePartition,
)

__all__ = [
    "TestingSink",
    "TestingSource",
    "cluster_main",
    "ffwd_iter",
    "poll_next_batch",
    "run_main",
]


test_cluster = run_cluster


def ffwd_iter(it: Iterator[Any], n: int) -> None:
    """Take n items off an iterator, or all that it has if they are fewer.

    >>> from bytewax.testing import ffwd_iter
    >>> it = iter(range(5))
    >>> ffwd_iter(it, 3)
    >>> list(it)
    [3, 4]
    """
    next(islice(it, n, n), None)


class _Eof:
    """An item of a TestingSource at which the input ends; the next run goes on behind it."""


class _Abort:
    """An item of a TestingSource at which the run stops like a crash, but only once."""

    def __init__(self, _triggered: bool = False) -> None:
        self._triggered = _triggered


_END = object()


class _IterSourcePartition(StatefulSourcePartition):
    def __init__(self, ib: Iterable[Any], batch_size: int, resume_state: int | None) -> None:
        self._position = 0 if resume_state is None else resume_state
        self._batch_size = batch_size
        self._items = iter(ib)
        ffwd_iter(self._items, self._position)
        self._ending: Exception | None = None
        self._eof_count = 0

    def next_batch(self, sched: Any = None) -> list[Any]:
        chunk: list[Any] = []
        while self._ending is None and len(chunk) < self._batch_size:
            item = next(self._items, _END)
            if item is _END or isinstance(item, _Eof):
                self._ending = StopIteration()
                self._eof_count = int(item is not _END)
            elif isinstance(item, _Abort):
                if item._triggered:
                    self._position += 1
                else:
                    item._triggered = True
                    self._ending = AbortExecution()
            else:
                self._position += 1
                chunk.append(item)
        if chunk or self._ending is None:
            return chunk
        self._position += self._eof_count  # the next run goes on behind it
        self._eof_count = 0
        raise self._ending

    def snapshot(self) -> int:
        return self._position


class TestingSource(FixedPartitionedSource):
    """Read an iterable, on one worker. Its position is the number of items read.

    ib: iterated anew in each run. Two kinds of items in it are not data: `TestingSource.EOF()` ends
    the input of a run, the next one goes on behind it; `TestingSource.ABORT()` stops a run like a
    crash, once for each such object.
    batch_size: items read at once, an int of 1 or more; else ValueError.
    """

    __test__ = False  # no test for pytest to collect

    EOF = _Eof
    ABORT = _Abort

    def __init__(self, ib: Iterable[Any], batch_size: int = 1) -> None:
        if batch_size < 1:
            raise ValueError(f"argument 'batch_size': must be 1 or more, got {batch_size!r}")
        self._ib = ib
        self._batch_size = batch_size

    def list_parts(self) -> list[str]:
        """Return the name of the only partition."""
        return ["iterable"]

    @now_may_be_left_out
    def build_part(
        self, now: datetime, for_key: str, resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Iterate, from the position of the last snapshot on."""
        return _IterSourcePartition(self._ib, self._batch_size, resume_state)


class _ListSinkPartition(StatelessSinkPartition):
    def __init__(self, ls: list[Any]) -> None:
        self._ls = ls

    def write_batch(self, items: list[Any]) -> None:
        self._ls += items


class TestingSink(DynamicSink):
    """Append each item to a list. All workers append to the same.

    ls: the list; it is not emptied first.
    """

    __test__ = False  # no test for pytest to collect

    def __init__(self, ls: list[Any]) -> None:
        self._ls = ls

    def build(self, worker_index: int, worker_count: int) -> StatelessSinkPartition:
        """Build a worker's part."""
        return _ListSinkPartition(self._ls)


def poll_next_batch(
    part: StatefulSourcePartition | StatelessSourcePartition = MISSING,
    timeout: timedelta = timedelta(seconds=5),
    *,
    source: StatefulSourcePartition | StatelessSourcePartition = MISSING,
) -> list[Any]:
    """Call a source partition's `next_batch` until it returns items, and return them.

    It is called every millisecond, whatever its `next_awake` says, with or without `sched`, as it
    wants. `source=` is the keyword of release 0.17 for `part`.
    timeout: how long to try. Raises TimeoutError, and what next_batch raises.
    """
    part = one_of("poll_next_batch", "part", part, source)
    takes_sched = takes_leading(part.next_batch, "sched", 0)
    end = time.monotonic() + timeout.total_seconds()
    while True:
        sched = (datetime.now(UTC),) if takes_sched else ()
        found: list[Any] = list(part.next_batch(*sched))
        if found:
            return found
        if time.monotonic() >= end:
            raise TimeoutError(f"no items from {type(part).__name__}.next_batch within {timeout}")
        time.sleep(0.001)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a dataflow with several workers from the command line: `python -m bytewax.testing`."""
    from . import command

    parser = argparse.ArgumentParser(
        prog="python -m bytewax.testing",
        description="Run a bytewax dataflow with several workers on this machine, to test it",
    )
    parser.add_argument("import_str", help=command.IMPORT_HELP)
    command.add_recovery_flags(parser)
    command.add_scaling_flags(parser)
    options = parser.parse_args(arguments)
    command.run_workers(options, command.worker_count(options))
