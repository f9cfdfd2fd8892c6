"""Helpers for sources: items of an iterator, a getter or an async iterator, in batches."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any


def batch(ib: Iterable[Any], batch_size: int) -> Iterator[list[Any]]:
    """Yield the items of an iterable in lists of `batch_size`, the last one maybe shorter.

    >>> from bytewax.inputs import batch
    >>> list(batch(range(5), 2))
    [[0, 1], [2, 3], [4]]
    """
    items = iter(ib)
    while chunk := list(islice(items, batch_size)):
        yield chunk


class _Pause(Exception):
    """There is nothing at the moment."""


def batch_getter(
    getter: Callable[[], Any], batch_size: int, yield_on: Any = None
) -> Iterator[list[Any]]:
    """Yield lists of what a function returns, without end.

    A list ends when it has `batch_size` items, or when the function returns `yield_on`, which
    means that there is nothing at the moment; it may be empty. What the function raises comes out
    after the items that it gave before; StopIteration ends the iteration.
    """

    def get() -> Any:
        item = getter()
        if item == yield_on:
            raise _Pause
        return item

    return _batches(get, batch_size, _Pause)


def batch_getter_ex(
    getter: Callable[[], Any], batch_size: int, yield_ex: type[Exception] = queue.Empty
) -> Iterator[list[Any]]:
    """Yield lists of what a function returns, without end.

    A list ends when it has `batch_size` items, or when the function raises `yield_ex`, which means
    that there is nothing at the moment; it may be empty. What else it raises comes out after the
    items that it gave before; StopIteration ends the iteration.
    """
    return _batches(getter, batch_size, yield_ex)


def _batches(
    getter: Callable[[], Any], batch_size: int, pause: type[Exception]
) -> Iterator[list[Any]]:
    while True:
        chunk: list[Any] = []
        error: Exception | None = None
        try:
            while len(chunk) < batch_size:
                chunk.append(getter())
        except pause:
            pass
        except Exception as raised:  # it belongs behind the items collected so far
            error = raised
        if error is None:
            yield chunk
            continue
        if chunk:
            yield chunk
        if isinstance(error, StopIteration):
            return
        raise error


def batch_async(
    aib: AsyncIterable[Any],
    timeout: timedelta,
    batch_size: int,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Iterator[list[Any]]:
    """Yield the items of an async iterable in lists, from code that is not async.

    A list ends when it has `batch_size` items, or when `timeout` has passed since it began; it
    may be empty. An item that is on its way when the time is over is in a later list.
    loop: runs the iterable; a new one unless given, closed when the iteration ends.
    What the iterable raises comes out after the items that it gave before.
    """
    own_loop = loop is None
    running = asyncio.new_event_loop() if loop is None else loop
    collector = _Collector(aiter(aib), timeout, batch_size)
    try:
        while not collector.ended:
            chunk = running.run_until_complete(collector.collect())
            if chunk or not collector.ended:
                yield chunk
        if collector.error is not None:
            raise collector.error
    finally:
        running.run_until_complete(collector.cancel())
        if own_loop:
            running.close()


class _Collector:
    """Takes items from an async iterator, keeping the request for the next one between lists."""

    def __init__(self, items: AsyncIterator[Any], timeout: timedelta, batch_size: int) -> None:
        self._items = items
        self._timeout_s = timeout.total_seconds()
        self._batch_size = batch_size
        self._next: asyncio.Future[Any] | None = None
        self.ended = False
        self.error: BaseException | None = None

    async def collect(self) -> list[Any]:
        """Return the next list, and set `ended` behind the last."""
        clock = asyncio.get_running_loop()
        end = clock.time() + self._timeout_s
        chunk: list[Any] = []
        while len(chunk) < self._batch_size:
            if self._next is None:
                self._next = asyncio.ensure_future(anext(self._items))
            left_s = max(0.0, end - clock.time())
            done, _ = await asyncio.wait([self._next], timeout=left_s)
            if not done:
                break
            finished, self._next = self._next, None
            try:
                chunk.append(finished.result())
            except StopAsyncIteration:
                self.ended = True
                break
            except Exception as error:  # it belongs behind the items collected so far
                self.ended, self.error = True, error
                break
        return chunk

    async def cancel(self) -> None:
        """Give up the request for the next item."""
        if self._next is not None:
            self._next.cancel()
            await asyncio.wait([self._next])
            self._next = None
