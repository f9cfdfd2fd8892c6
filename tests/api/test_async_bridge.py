"""AsyncBridge runs coroutines for code that is not asynchronous."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator

import pytest
from wallaroo import AsyncBridge

DEADLINE_S = 20


@pytest.fixture
def bridge() -> Iterator[AsyncBridge]:
    made = AsyncBridge()
    yield made
    made.close()


def test_returns_the_result(bridge: AsyncBridge) -> None:
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    assert bridge.run(double(21)) == 42


def test_raises_what_the_coroutine_raises(bridge: AsyncBridge) -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        bridge.run(fail())


def test_timeout_cancels_the_coroutine(bridge: AsyncBridge) -> None:
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(TimeoutError, match=r"did not end within 0\.01 s"):
        bridge.run(wait(), timeout=0.01)
    assert cancelled.wait(DEADLINE_S)


def test_timeout_error_of_the_coroutine_is_its_own(bridge: AsyncBridge) -> None:
    async def fail() -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        bridge.run(fail(), timeout=100)


def test_runs_for_several_threads_on_one_loop(bridge: AsyncBridge) -> None:
    async def where() -> tuple[int, int]:
        await asyncio.sleep(0.001)
        return threading.get_ident(), id(asyncio.get_running_loop())

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda _: bridge.run(where()), range(50)))
    assert len(seen) == 1
    assert threading.get_ident() not in {thread for thread, _ in seen}


def test_cancel_running_wakes_who_waits(bridge: AsyncBridge) -> None:
    started = threading.Event()

    async def hang() -> None:
        started.set()
        await asyncio.sleep(1000)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bridge.run, hang())
        assert started.wait(DEADLINE_S)
        assert bridge.cancel_running() == 1
        with pytest.raises(concurrent.futures.CancelledError):
            waiting.result(DEADLINE_S)


def test_close_cancels_what_hangs_and_may_be_repeated() -> None:
    bridge = AsyncBridge()
    started = threading.Event()

    async def hang() -> None:
        started.set()
        await asyncio.sleep(1000)

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bridge.run, hang())
        assert started.wait(DEADLINE_S)
        bridge.close()
        with pytest.raises(concurrent.futures.CancelledError):
            waiting.result(DEADLINE_S)
    bridge.close()
    with pytest.raises(RuntimeError, match=r"after close\(\)"):
        bridge.run(hang())


def test_close_without_use_starts_nothing() -> None:
    before = threading.active_count()
    AsyncBridge().close()
    assert threading.active_count() == before


def test_run_from_its_own_loop_is_refused(bridge: AsyncBridge) -> None:
    async def inner() -> None: ...

    async def outer() -> None:
        bridge.run(inner())

    with pytest.raises(RuntimeError, match="await it"):
        bridge.run(outer())
