"""Runs coroutines for code that is not asynchronous."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

CLOSE_S_MAX = 5.0


class AsyncBridge:
    """One asyncio loop on a thread of its own; one per worker, shared by its sinks.

    The thread starts at the first use. Any thread but the loop's own may call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._running: set[concurrent.futures.Future[Any]] = set()
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine to its end on the loop; return its result or raise what it raises.

        timeout: seconds after which it is cancelled and TimeoutError raised; None waits for ever.
        Raises RuntimeError after `close()` and when called from the loop's own thread, and
        concurrent.futures.CancelledError when the worker stops meanwhile.
        """
        future: concurrent.futures.Future[T] | None = None
        try:
            with self._lock:
                if threading.current_thread() is self._thread:
                    raise RuntimeError("AsyncBridge.run() from within a coroutine: await it")
                if self._closed:
                    raise RuntimeError("AsyncBridge.run() after close()")
                future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
                self._running.add(future)
        finally:
            if future is None:
                coroutine.close()
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            if future.done():  # the coroutine itself raised it
                raise
            future.cancel()
            raise TimeoutError(f"the coroutine did not end within {timeout} s") from None
        except BaseException:
            future.cancel()
            raise
        finally:
            with self._lock:
                self._running.discard(future)

    def cancel_running(self) -> int:
        """Cancel what runs; whoever waits for it gets CancelledError. Return how much that was."""
        with self._lock:
            running = list(self._running)
        for future in running:
            future.cancel()
        return len(running)

    def close(self) -> None:
        """Cancel what runs and end the loop; nothing can be run afterwards. May be repeated.

        A coroutine that catches its cancellation and goes on is left after CLOSE_S_MAX seconds.
        """
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self.cancel_running()
        if not loop.is_closed():
            loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_S_MAX)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_serve, args=(self._loop,), name="async bridge", daemon=True
            )
            self._thread.start()
        return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=CLOSE_S_MAX / 2))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
