"""SIGTERM and SIGINT: what was read is processed and written, then the server ends with 0."""

import signal

import pytest
from harness import RAW, Client, NewReceiver, Receiver, Serve, one_pipeline, wait_until

SLOW_STEP = """\
import time

@wallaroo.computation(name="slow")
def slow(data):
    if data == "0":
        print("begun")
    time.sleep(0.003)
    return data
"""
BLOCKING_STEP = """\
import time

@wallaroo.computation(name="block")
def block(data):
    print("blocked")
    time.sleep(3600)
"""
SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


@SIGNALS
def test_idle_server_ends_with_0(serve: Serve, number: signal.Signals) -> None:
    server = serve(one_pipeline())
    server.send_signal(number)
    assert server.wait() == 0
    assert "KeyboardInterrupt" not in server.stderr


@SIGNALS
def test_what_was_read_is_processed_and_written(
    serve: Serve, receiver: Receiver, number: signal.Signals
) -> None:
    server = serve(one_pipeline("ab.to(slow)", SLOW_STEP))
    numbers = [str(i) for i in range(200)]
    with Client(server.address()) as client:
        client.send_frames(*numbers)  # so small that one read has them all
        server.wait_stdout("begun")
        server.send_signal(number)
        assert server.wait() == 0
    assert receiver.wait_lines(200) == numbers


def test_drain_waits_for_a_slow_sink(serve: Serve, new_receiver: NewReceiver) -> None:
    receiver = new_receiver(rcvbuf_bytes=65536)
    receiver.pause()
    server = serve(one_pipeline(defs=RAW, decoder="raw", encoder="same"), out=receiver)
    with Client(server.address()) as client:
        client.send_frames(b"x" * 4096)
        sent = client.send_until_blocked((b"\x00\x00\x10\x00" + b"y" * 4096) * 8192)
        assert sent < 8192 * 4100
        server.send_signal(signal.SIGTERM)
        server.wait_stderr("drain")
        receiver.resume()
        assert server.wait() == 0
    assert receiver.data[:4096] == b"x" * 4096
    assert len(receiver.data) > 4096
    assert server.summary()["outputs"] == server.summary()["records in"]
    assert len(receiver.data) == server.summary()["outputs"] * 4096


def test_drain_waits_for_a_sink_that_is_away(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as client:
        client.send_frames("a")
        receiver.wait_lines(1)
        before = len(server.log_lines(receiver.address))
        receiver.stop()
        server.wait_for(
            lambda: len(server.log_lines(receiver.address)) > before, "news of the loss"
        )
        receiver.connections.clear()
        client.send_frames("b")
        client.finish()
        client.wait_closed()  # by now it has been read
        server.send_signal(signal.SIGTERM)
        server.wait_stderr("drain")
        receiver.start()
        assert server.wait() == 0
    assert receiver.wait_lines(1)[-1] == "b"


def test_drain_timeout_gives_up_and_says_what_was_lost(
    serve: Serve, new_receiver: NewReceiver
) -> None:
    receiver = new_receiver(rcvbuf_bytes=65536)
    receiver.pause()
    text = one_pipeline(defs=RAW, decoder="raw", encoder="same")
    server = serve(text, "--drain-timeout", "1", out=receiver)
    with Client(server.address()) as client:
        client.send_until_blocked((b"\x00\x00\x10\x00" + b"y" * 4096) * 8192)
        server.send_signal(signal.SIGTERM)
        assert server.wait() == 1
    assert receiver.address in "\n".join(server.stderr.splitlines()[-10:])


@SIGNALS
def test_second_signal_ends_a_drain_at_once(
    serve: Serve, new_receiver: NewReceiver, number: signal.Signals
) -> None:
    receiver = new_receiver(rcvbuf_bytes=65536)
    receiver.pause()
    text = one_pipeline(defs=RAW, decoder="raw", encoder="same")
    server = serve(text, "--drain-timeout", "3600", out=receiver)
    with Client(server.address()) as client:
        client.send_until_blocked((b"\x00\x00\x10\x00" + b"y" * 4096) * 8192)
        server.send_signal(number)
        server.wait_stderr("drain")
        server.send_signal(number)
        server.wait()


def test_second_signal_ends_a_server_that_is_stuck_in_user_code(serve: Serve) -> None:
    server = serve(one_pipeline("ab.to(block)", BLOCKING_STEP), "--drain-timeout", "3600")
    with Client(server.address()) as client:
        client.send_frames("a")
        server.wait_stdout("blocked")
        server.send_signal(signal.SIGTERM)

        def ended_by_another() -> bool:  # signals that are pending together count once
            server.send_signal(signal.SIGTERM)
            return server.process.poll() is not None

        wait_until(ended_by_another, "the end")


def test_drained_server_listens_no_more(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline("ab.to(slow)", SLOW_STEP))
    address = server.address()
    with Client(address) as client:
        client.send_frames("0", "1")
        receiver.wait_lines(2)
        assert server.terminate() == 0
        client.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        Client(address)


def test_summary_counts_records_in_and_out(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.computation_multi(name="some")
    def some(data):
        if data == "bad":
            raise ValueError(data)
        return [data] * int(data)
    """
    server = serve(one_pipeline("ab.to(some)", defs))
    with Client(server.address()) as client:
        client.send_frames("3", "0", "bad", "4")
        receiver.wait_lines(7)
        assert server.terminate() == 0
    assert server.summary() == {
        "records in": 4,
        "outputs": 7,
        "dead letters": 1,
        "unknown keys": 0,
        "connections closed for bad input": 0,
    }


def test_restart_on_the_same_port_works_at_once(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    host, port = server.address()
    with Client((host, port)) as client:
        client.send_frames("a")
        receiver.wait_lines(1)
        assert server.terminate() == 0
    again = serve(one_pipeline(), inputs=f"{host}:{port}")
    with Client(again.address()) as client:
        client.send_frames("b")
        wait_until(lambda: receiver.data == b"a\nb\n", "the second record")
