"""A sink that stops reading pauses the sources; memory stays bounded and nothing is dropped."""

import threading

import pytest
from harness import RAW, SANITIZED, Client, NewReceiver, Receiver, Serve, one_pipeline

PAYLOAD_BYTES = 4096
TOTAL_BYTES = 64 << 20
RSS_BYTES_MAX = 150 << 20


def numbered(count: int) -> tuple[bytes, bytes]:
    """Returns count payloads that begin with their number: as frames, and as outputs."""
    payloads = [number.to_bytes(8, "big") * (PAYLOAD_BYTES // 8) for number in range(count)]
    header = PAYLOAD_BYTES.to_bytes(4, "big")
    return b"".join(header + payload for payload in payloads), b"".join(payloads)


@pytest.fixture
def slow(new_receiver: NewReceiver) -> Receiver:
    """A receiver that reads nothing until it is resumed."""
    receiver = new_receiver(rcvbuf_bytes=65536)
    receiver.pause()
    return receiver


def test_slow_sink_blocks_the_client_and_loses_nothing(serve: Serve, slow: Receiver) -> None:
    server = serve(one_pipeline(defs=RAW, decoder="raw", encoder="same"), out=slow)
    stream, outputs = numbered(TOTAL_BYTES // PAYLOAD_BYTES)
    with Client(server.address()) as client:
        sent = client.send_until_blocked(stream)
        assert sent < TOTAL_BYTES // 2, "the client was not held back"
        if not SANITIZED:
            assert server.rss_bytes() < RSS_BYTES_MAX
        slow.resume()
        rest = threading.Thread(target=client.send, args=(stream[sent:],), daemon=True)
        rest.start()
        arrived = slow.wait_bytes(len(outputs))
        rest.join()
    assert arrived == outputs
    if not SANITIZED:
        assert server.rss_bytes() < RSS_BYTES_MAX


def test_many_clients_of_a_slow_sink_stay_within_memory(serve: Serve, slow: Receiver) -> None:
    server = serve(one_pipeline(defs=RAW, decoder="raw", encoder="same"), out=slow)
    stream, outputs = numbered(1024)
    clients = [Client(server.address()) for _ in range(20)]
    senders = [
        threading.Thread(target=client.send, args=(stream,), daemon=True) for client in clients
    ]
    for sender in senders:
        sender.start()
    # One more client is held back as well: the sources are paused as a whole.
    with Client(server.address()) as probe:
        assert probe.send_until_blocked(stream * 8) < 8 * len(stream)
    if not SANITIZED:
        assert server.rss_bytes() < RSS_BYTES_MAX
    slow.resume()
    for sender in senders:
        sender.join()
    slow.wait_bytes(20 * len(outputs))
    for client in clients:
        client.close()


def test_sink_that_is_away_pauses_the_sources_too(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(defs=RAW, decoder="raw", encoder="same"))
    stream, outputs = numbered(TOTAL_BYTES // PAYLOAD_BYTES)
    receiver.wait_connections(1)
    before = len(server.log_lines(receiver.address))
    receiver.stop()
    server.wait_for(lambda: len(server.log_lines(receiver.address)) > before, "news of the loss")
    with Client(server.address()) as client:
        sent = client.send_until_blocked(stream)
        assert sent < TOTAL_BYTES // 2, "the client was not held back"
        if not SANITIZED:
            assert server.rss_bytes() < RSS_BYTES_MAX
        receiver.start()
        client.send(stream[sent:])
        assert receiver.wait_bytes(len(outputs)) == outputs


def test_clients_that_leave_while_the_sources_are_paused_lose_nothing(
    serve: Serve, slow: Receiver
) -> None:
    server = serve(one_pipeline(defs=RAW, decoder="raw", encoder="same"), out=slow)
    stream, _ = numbered(TOTAL_BYTES // PAYLOAD_BYTES)
    with Client(server.address()) as flood:
        sent = flood.send_until_blocked(stream)
        for number in range(50):
            with Client(server.address()) as client:
                client.send_frames(f"<farewell {number}>")
        slow.resume()
        flood.send(stream[sent:])
        slow.wait_bytes(TOTAL_BYTES + sum(len(f"<farewell {n}>") for n in range(50)))
    data = slow.data
    assert all(f"<farewell {n}>".encode() in data for n in range(50))


def test_step_that_multiplies_records_stays_within_memory(serve: Serve, slow: Receiver) -> None:
    multiply = (
        RAW
        + """
@wallaroo.computation_multi(name="multiply")
def multiply(data):
    return [data] * 100
"""
    )
    text = one_pipeline("ab.to(multiply)", multiply, decoder="raw", encoder="same")
    server = serve(text, out=slow)
    stream, outputs = numbered(256)
    with Client(server.address()) as client:
        sent = client.send_until_blocked(stream)
        if not SANITIZED:
            assert server.rss_bytes() < RSS_BYTES_MAX
        slow.resume()
        client.send(stream[sent:])
        slow.wait_bytes(100 * len(outputs))


def test_other_pipelines_end_up_paused_not_broken(
    serve: Serve, slow: Receiver, new_receiver: NewReceiver
) -> None:
    text = one_pipeline(
        'ab.to_sink(sink(args, 1, same))\nab.new_pipeline("second", source(args, 1, raw))',
        RAW,
        decoder="raw",
        encoder="same",
    )
    fast = new_receiver()
    server = serve(text, inputs="127.0.0.1:0,127.0.0.1:0", out=f"{slow.address},{fast.address}")
    stream, outputs = numbered(8192)
    with Client(server.address("main")) as main, Client(server.address("second")) as second:
        sent = second.send_until_blocked(stream)
        slow.resume()
        rest = threading.Thread(target=second.send, args=(stream[sent:],), daemon=True)
        rest.start()
        main.send(stream)
        assert slow.wait_bytes(len(outputs)) == outputs
        assert fast.wait_bytes(len(outputs)) == outputs
        rest.join()
