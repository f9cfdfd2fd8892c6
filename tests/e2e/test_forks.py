"""Processes that user code forks: signals end them as ever, and they keep nothing of the server."""

import signal
from pathlib import Path

import pytest
from harness import Client, Receiver, Serve, one_pipeline
from harness.workers import is_alive

BOTH_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def descendants(process: int) -> list[int]:
    """Returns the processes below this one."""
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    below = [int(child) for child in text.split()]
    return below + [x for child in below for x in descendants(child)]


POOLS = """\
import functools
import multiprocessing

def square(n):
    return n * n

@functools.cache
def pool_for_all():
    return multiprocessing.Pool(2)

@wallaroo.computation(name="short")
def short(data):
    with multiprocessing.Pool(2) as pool:
        return str(pool.map(square, [1, 2, 3]))

@wallaroo.computation(name="long")
def long(data):
    return str(pool_for_all().map(square, [int(data)]))
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_pool_ends_within_a_step(serve: Serve, receiver: Receiver, workers: str) -> None:
    server = serve(one_pipeline("ab.to(short)", POOLS), "--workers", workers)
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        assert receiver.wait_lines(2) == ["[1, 4, 9]"] * 2
        assert server.terminate() == 0


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("terminate()", -signal.SIGTERM),  # also before Python has noticed that it was forked
        ("kill()", -signal.SIGKILL),
        (
            "is_alive() and begun.wait() and os.kill(child.pid, signal.SIGINT)",
            1,
        ),  # KeyboardInterrupt
    ],
)
def test_signals_end_a_fork_and_not_the_server(
    serve: Serve, receiver: Receiver, call: str, status: int
) -> None:
    text = one_pipeline(
        "ab.to(step)",
        f"""\
        import multiprocessing, os, signal, time

        fork = multiprocessing.get_context("fork")

        def sleep(begun):
            begun.set()
            time.sleep(3600)

        @wallaroo.computation(name="step")
        def step(data):
            begun = fork.Event()
            child = fork.Process(target=sleep, args=(begun,))
            child.start()
            child.{call}
            child.join()
            return str(child.exitcode)
        """,
    )
    server = serve(text)
    with Client(server.address()) as client:
        client.send_frames("a", "b", "c")
        assert receiver.wait_lines(3) == [str(status)] * 3
        assert server.process.poll() is None
        assert server.terminate() == 0


@BOTH_SIGNALS
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_ends_a_pool_that_has_stayed(
    serve: Serve, receiver: Receiver, number: signal.Signals, workers: str
) -> None:
    server = serve(one_pipeline("ab.to(long)", POOLS), "--workers", workers)
    with Client(server.address()) as client:
        client.send_frames("3", "4")
        assert sorted(receiver.wait_lines(2)) == ["[16]", "[9]"]
        forks = descendants(server.process.pid)
        assert len(forks) >= 2
        server.send_signal(number)
        assert server.wait() == 0
    assert not [fork for fork in forks if is_alive(fork)]


@pytest.mark.parametrize(
    ("leave", "status"), [("sys.exit(3)", 3), ("del sys.stdout; sys.exit(3)", 3), ("1 / 0", 1)]
)
def test_an_exception_that_leaves_a_fork_ends_it_and_not_the_server(
    serve: Serve, receiver: Receiver, leave: str, status: int
) -> None:
    text = one_pipeline(
        "ab.to(step)",
        f"""\
        import os, sys

        @wallaroo.computation(name="step")
        def step(data):
            child = os.fork()
            if child == 0:
                {leave}
            return str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    )
    server = serve(text)
    with Client(server.address()) as client:
        for n in range(1, 4):
            client.send_frames("a")
            assert receiver.wait_lines(n) == [str(status)] * n
        assert server.terminate() == 0, server.describe()
    if status == 1:
        assert "ZeroDivisionError" in server.stderr


def test_a_client_that_is_cut_off_sees_the_end_although_a_fork_lives(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(one_pipeline("ab.to(long)", POOLS))
    with Client(server.address()) as client, Client(server.address()) as bad:
        bad.send_frames("3")
        assert receiver.wait_lines(1) == ["[9]"]
        assert descendants(server.process.pid)
        bad.send(b"\xff\xff\xff\xff")
        bad.wait_closed()
        client.send_frames("4")
        assert receiver.wait_lines(2) == ["[9]", "[16]"]
