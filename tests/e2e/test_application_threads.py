"""Threads of the application that never end hold up neither the start nor the end of the server."""

from pathlib import Path

import pytest
from harness import Client, Receiver, Serve, one_pipeline

FOR_EVER = """
import threading, time

def work():
    while True:
        time.sleep(0.01)

threading.Thread(target=work).start()
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_thread_for_ever_does_not_keep_the_server(
    serve: Serve, receiver: Receiver, workers: str
) -> None:
    server = serve(one_pipeline("", FOR_EVER), "--workers", workers, "--drain-timeout", "0.5")
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]
    assert server.terminate() == 0
    assert "threads that are no daemons (Thread-1 (work)), 0.5 s at most" in server.stderr


def test_check_ends_though_a_thread_goes_on(serve: Serve) -> None:
    server = serve(one_pipeline("", FOR_EVER), "--check", ready=False)
    assert server.wait() == 0
    assert "main" in server.stdout


def test_a_mistake_ends_the_start_though_a_thread_goes_on(serve: Serve) -> None:
    server = serve(one_pipeline("no_such_name", FOR_EVER), ready=False)
    assert server.wait() == 2
    assert "NameError" in server.stderr


def test_a_thread_that_ends_is_waited_for(serve: Serve, tmp_path: Path) -> None:
    defs = """
    import threading, time
    def work():
        threading.main_thread().join()
        time.sleep(1.5)
        open("done", "w").close()
    threading.Thread(target=work).start()
    """
    server = serve(one_pipeline("", defs))
    assert server.terminate() == 0
    assert (tmp_path / "done").exists()
