"""A TCP source cuts frames right, however they are spelled and however they arrive."""

import struct

import pytest
from harness import Client, Receiver, Serve, frames, one_pipeline

LENGTHS = """\
@wallaroo.decoder(header_length={length}, length_fmt="{fmt}")
def counted(payload):
    return f"{{len(payload)}}:{{payload[:8].decode()}}"
"""

FORMATS = [
    (1, "B"),
    (1, "b"),
    (2, "<H"),
    (2, ">H"),
    (2, "!h"),
    (3, ">xH"),
    (3, "<Hx"),
    (4, ">I"),
    (4, "<I"),
    (4, "=L"),
    (4, ">i"),
    (4, "I"),
    (5, ">Ix"),
    (6, "<xIx"),
    (7, ">xxIx"),
    (8, ">Q"),
    (8, "<q"),
    (8, ">4xI"),
]


@pytest.mark.parametrize(("length", "fmt"), FORMATS)
def test_header_of_any_length_and_format(
    serve: Serve, receiver: Receiver, length: int, fmt: str
) -> None:
    server = serve(one_pipeline(defs=LENGTHS.format(length=length, fmt=fmt), decoder="counted"))
    with Client(server.address()) as client:
        client.send_frames("a", "", "b" * 100, "c", fmt=fmt)
        assert receiver.wait_lines(4) == ["1:a", "0:", "100:bbbbbbbb", "1:c"]


@pytest.mark.parametrize(
    ("fmt", "more"), [(">IB", (7,)), (">2H", (9,)), ("@BI", (2**32 - 1,)), ("<xHe2s", (0.5, b"ab"))]
)
def test_fields_behind_the_length_are_passed_over(
    serve: Serve, receiver: Receiver, fmt: str, more: tuple[object, ...]
) -> None:
    defs = LENGTHS.format(length=struct.calcsize(fmt), fmt=fmt)
    server = serve(one_pipeline(defs=defs, decoder="counted"))
    with Client(server.address()) as client:
        for payload in (b"a", b"", b"b" * 100):
            client.send(struct.pack(fmt, len(payload), *more) + payload)
        assert receiver.wait_lines(3) == ["1:a", "0:", "100:bbbbbbbb"]


def test_length_format_may_be_bytes(serve: Serve, receiver: Receiver) -> None:
    defs = LENGTHS.format(length=4, fmt=">I").replace('">I"', 'b">I"')
    server = serve(one_pipeline(defs=defs, decoder="counted"))
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        assert receiver.wait_lines(2) == ["1:a", "1:b"]


def test_decoder_has_default_header_of_four_bytes_big_endian(
    serve: Serve, receiver: Receiver
) -> None:
    plain = """\
    @wallaroo.decoder()
    def plain(payload):
        return payload.decode()
    """
    server = serve(one_pipeline(defs=plain, decoder="plain"))
    with Client(server.address()) as client:
        client.send_frames("one", "two")
        assert receiver.wait_lines(2) == ["one", "two"]


def test_hand_written_payload_length_is_called(serve: Serve, receiver: Receiver) -> None:
    text_length = """\
    class TextLength:
        def header_length(self):
            return 3
        def payload_length(self, header):
            return int(header)
        def decode(self, payload):
            return payload.decode()
    """
    server = serve(one_pipeline(defs=text_length, decoder="TextLength()"))
    with Client(server.address()) as client:
        client.send(b"003abc00000" + b"1x012" + b"y" * 12)
        assert receiver.wait_lines(4) == ["abc", "", "x", "y" * 12]


LENGTH_OF_ALL = """\
def length_of_all(header):
    return struct.unpack(">I", header)[0] - 4

class Foreign:
    length_fmt = ">I"
    def header_length(self):
        return 4
    def payload_length(self, header):
        return length_of_all(header)
    def decode(self, payload):
        return payload.decode()

class OddText(Foreign):
    length_fmt = "big endian"

class Derived(wallaroo.Decoder):
    def payload_length(self, header):
        return length_of_all(header)

class Wrapping:
    def payload_length(self, header):
        return length_of_all(header)
    def __getattr__(self, name):
        return getattr(decoder, name)

@wallaroo.decoder(header_length=4, length_fmt=">I")
def assigned(payload):
    return payload.decode()
assigned.payload_length = length_of_all
"""


@pytest.mark.parametrize(
    "decoder",
    ["Foreign()", "OddText()", "Derived(4, '>I', bytes.decode)", "Wrapping()", "assigned"],
)
def test_own_payload_length_counts_beside_a_length_fmt(
    serve: Serve, receiver: Receiver, decoder: str
) -> None:
    server = serve(one_pipeline(defs=LENGTH_OF_ALL, decoder=decoder))
    with Client(server.address()) as client:
        client.send(struct.pack(">I", 6) + b"hi" + struct.pack(">I", 5) + b"!")
        assert receiver.wait_lines(2) == ["hi", "!"]


def test_zero_length_frames_are_records(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as client:
        client.send_frames("", "", "x", "")
        assert receiver.wait_lines(4) == ["", "", "x", ""]


def test_frames_that_arrive_byte_by_byte(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as client:
        for byte in frames("slow", "", "stream", "x" * 50):
            client.send(bytes([byte]))
        assert receiver.wait_lines(4) == ["slow", "", "stream", "x" * 50]


def test_frames_that_are_cut_at_every_place(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    stream = frames("ab", "", "cde")
    expected = []
    for cut in range(len(stream) + 1):
        with Client(server.address()) as client:
            client.send(stream[:cut])
            client.send(stream[cut:])
            expected += ["ab", "", "cde"]
            assert receiver.wait_lines(len(expected)) == expected


def test_a_thousand_frames_in_one_write(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    numbers = [str(i) for i in range(1000)]
    with Client(server.address()) as client:
        client.send_frames(*numbers)
        assert receiver.wait_lines(1000) == numbers


def test_a_frame_of_ten_mebibytes(serve: Serve, receiver: Receiver) -> None:
    bytes_through = """\
    @wallaroo.decoder(header_length=4, length_fmt=">I")
    def raw(payload):
        assert type(payload) is bytes
        return payload
    @wallaroo.encoder
    def same(data):
        return data
    """
    server = serve(one_pipeline(defs=bytes_through, decoder="raw", encoder="same"))
    big = bytes(range(256)) * (10 * 4096)
    with Client(server.address()) as client:
        client.send_frames("before", big, "after")
        assert receiver.wait_bytes(len(big) + 11) == b"before" + big + b"after"


def test_frames_of_two_connections_do_not_mix(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as one, Client(server.address()) as two:
        first, second = frames("one" * 10), frames("two" * 10)
        one.send(first[:11])
        two.send(second[:7])
        one.send(first[11:])
        assert receiver.wait_lines(1) == ["one" * 10]
        two.send(second[7:])
        assert receiver.wait_lines(2) == ["one" * 10, "two" * 10]


def test_order_of_one_connection_is_kept(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    numbers = [str(i) for i in range(50_000)]
    with Client(server.address()) as client:
        client.send_frames(*numbers)
        assert receiver.wait_lines(len(numbers)) == numbers


def test_frames_before_the_end_of_a_connection_count(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    for number in range(20):
        with Client(server.address()) as client:
            client.send_frames(f"last words {number}")
    assert sorted(receiver.wait_lines(20)) == sorted(f"last words {n}" for n in range(20))


def test_half_closed_client_gets_everything_through(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        client.finish()
        assert receiver.wait_lines(2) == ["a", "b"]
        client.wait_closed()


def test_a_frame_of_exactly_the_limit_passes(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(), "--max-frame-bytes", "1_000")
    with Client(server.address()) as client:
        client.send_frames("x" * 1000)
        assert receiver.wait_lines(1) == ["x" * 1000]
        client.send(struct.pack(">I", 1001))
        client.wait_closed()
