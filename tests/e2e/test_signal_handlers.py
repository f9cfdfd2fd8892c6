"""The application's own handlers of signals."""

import signal

from harness import Client, Receiver, Serve, one_pipeline

HANDLES = """
import os, signal, subprocess

def handler(number, frame):
    print("handled", number, flush=True)
    if number == signal.SIGUSR2:
        raise ValueError("from the handler")
    if number == signal.SIGHUP:
        sys.exit(3)

for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGALRM):
    signal.signal(number, handler)

@wallaroo.computation(name="alarm")
def alarm(data):
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    return data
"""


def test_handlers_are_called_while_the_server_waits(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline("ab.to(alarm)", HANDLES))
    server.send_signal(signal.SIGUSR1)
    server.wait_stdout(f"handled {signal.SIGUSR1:d}")
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]
    server.wait_stdout(f"handled {signal.SIGALRM:d}")
    assert server.terminate() == 0


def test_what_a_handler_raises_is_logged_and_sys_exit_ends_the_server(serve: Serve) -> None:
    server = serve(one_pipeline("ab.to(alarm)", HANDLES))
    server.send_signal(signal.SIGUSR2)
    server.wait_stderr("ValueError: from the handler")
    assert "a signal handler of the application failed" in server.stderr
    server.send_signal(signal.SIGHUP)
    assert server.wait() == 3
