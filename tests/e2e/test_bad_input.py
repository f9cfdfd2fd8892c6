"""Bytes that make no sense cost the connection that they came on, and nothing else."""

import struct

import pytest
from harness import Client, Receiver, Serve, Server, frames, one_pipeline, wait_until

SIGNED = """\
@wallaroo.decoder(header_length=4, length_fmt=">i")
def signed(payload):
    return payload.decode()
"""


def expect_only_this_one_closed(server: Server, receiver: Receiver, data: bytes) -> str:
    """Sends data on one connection while another lives; returns the log line about the first."""
    with Client(server.address()) as good, Client(server.address()) as bad:
        good.send_frames("before")
        receiver.wait_lines(1)
        bad.send(data)
        bad.wait_closed()
        server.wait_for(lambda: server.log_lines(f":{bad.port}"), "a log line about the connection")
        good.send_frames("after")
        assert receiver.wait_lines(2) == ["before", "after"]
        with Client(server.address()) as fresh:
            fresh.send_frames("new")
            assert receiver.wait_lines(3)[2] == "new"
        assert server.terminate() == 0
        (line,) = server.log_lines(f":{bad.port}")
        assert not server.log_lines(f":{good.port}")
    return line


def test_frame_above_the_limit_closes_only_its_connection(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(), "--max-frame-bytes", "1_000")
    line = expect_only_this_one_closed(server, receiver, struct.pack(">I", 1001) + b"x" * 100)
    assert "1001" in line and "1000" in line


def test_frame_above_the_default_limit_closes_its_connection(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(one_pipeline())
    line = expect_only_this_one_closed(server, receiver, struct.pack(">I", 16_777_217))
    assert "16777217" in line


def test_records_before_a_bad_frame_count(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as client:
        client.send(frames("one", "two") + b"\xff\xff\xff\xff")
        assert receiver.wait_lines(2) == ["one", "two"]
        client.wait_closed()


def test_negative_length_closes_only_its_connection(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(defs=SIGNED, decoder="signed"))
    line = expect_only_this_one_closed(server, receiver, struct.pack(">i", -2) + b"xx")
    assert "-2" in line


def test_http_client_is_shown_out(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    expect_only_this_one_closed(server, receiver, request)


def test_huge_unsigned_length_closes_only_its_connection(serve: Serve, receiver: Receiver) -> None:
    huge = """\
    @wallaroo.decoder(header_length=8, length_fmt=">Q")
    def wide(payload):
        return payload.decode()
    """
    server = serve(one_pipeline(defs=huge, decoder="wide"))
    with Client(server.address()) as good, Client(server.address()) as bad:
        bad.send(b"\xff" * 8)
        bad.wait_closed()
        good.send_frames("fine", fmt=">Q")
        assert receiver.wait_lines(1) == ["fine"]


@pytest.mark.parametrize("cut", [2, 4, 7])
def test_connection_that_ends_inside_a_frame_costs_only_that_frame(
    serve: Serve, receiver: Receiver, cut: int
) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as good:
        with Client(server.address()) as bad:
            bad.send(frames("whole") + frames("cut off")[:cut])
            assert receiver.wait_lines(1) == ["whole"]
        server.wait_for(lambda: server.log_lines(f":{bad.port}"), "a log line about the connection")
        good.send_frames("after")
        assert receiver.wait_lines(2) == ["whole", "after"]
        assert server.terminate() == 0
        assert len(server.log_lines(f":{bad.port}")) == 1


def test_connections_that_end_between_frames_are_not_reported(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as client:
        client.send_frames("whole")
        receiver.wait_lines(1)
    with Client(server.address()) as silent:
        pass
    with Client(server.address()) as last:
        last.send_frames("last")
        receiver.wait_lines(2)
    assert server.terminate() == 0
    assert not server.log_lines(f":{client.port}")
    assert not server.log_lines(f":{silent.port}")


def test_closed_connections_are_counted_in_the_summary(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    for _ in range(3):
        with Client(server.address()) as bad:
            bad.send(b"\xff\xff\xff\xff")
            bad.wait_closed()
    with Client(server.address()) as good:
        good.send_frames("a", "b")
        receiver.wait_lines(2)
        assert server.terminate() == 0
    assert server.summary()["connections closed for bad input"] == 3
    assert server.summary()["records in"] == 2


@pytest.mark.parametrize(
    "body", ["return 1 // 0", "return 'four'", "return None", "return 1.5", "return 2**70"]
)
def test_payload_length_that_fails_closes_only_its_connection(
    serve: Serve, receiver: Receiver, body: str
) -> None:
    sometimes = f"""\
    class Sometimes:
        def header_length(self):
            return 1
        def payload_length(self, header):
            if header == b"!":
                {body}
            return header[0]
        def decode(self, payload):
            return payload.decode()
    """
    server = serve(one_pipeline(defs=sometimes, decoder="Sometimes()"))
    with Client(server.address()) as good, Client(server.address()) as bad:
        bad.send(b"\x02ok!xx")
        assert receiver.wait_lines(1) == ["ok"]
        bad.wait_closed()
        good.send_frames("fine", fmt="B")
        assert receiver.wait_lines(2) == ["ok", "fine"]
        wait_until(lambda: server.process.poll() is None, "a live server")
