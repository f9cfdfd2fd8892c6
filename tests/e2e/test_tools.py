"""scripts/send and scripts/receive, joined to each other or to a bare socket; no server."""

import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
TIMEOUT_SECONDS = 30


class Receive:
    """A running scripts/receive."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, SCRIPTS / "receive", "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        first = self.process.stderr.readline().decode()
        self.address = re.fullmatch(r"listening on (\S+)\n", first)[1]

    def connect(self) -> socket.socket:
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS)

    def finish(self) -> tuple[bytes, str]:
        """Waits for the end; returns standard output and the rest of standard error."""
        out, err = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return out, err.decode()

    def stop(self, number: int = signal.SIGTERM) -> tuple[bytes, str]:
        self.process.send_signal(number)
        return self.finish()


@pytest.fixture
def receive() -> Iterator[Callable[..., Receive]]:
    """A function (*options) -> Receive; all are killed after the test."""
    running: list[Receive] = []

    def begin(*options: str) -> Receive:
        running.append(Receive(*options))
        return running[-1]

    yield begin
    for tool in running:
        tool.process.kill()
        tool.process.communicate()


def send(
    address: str, *options: str | Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, SCRIPTS / "send", "--host", address, *options],
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )


def frame(payload: bytes, length_fmt: str = ">I") -> bytes:
    return struct.pack(length_fmt, len(payload)) + payload


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def closed_port() -> str:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("end", [b"\n", b""])
def test_each_line_is_one_message(receive, tmp_path: Path, end: bytes) -> None:
    file = write(tmp_path / "f", "one\n\nzwölf".encode() + end)
    tool = receive("--framing", "raw")
    sent = send(tool.address, "--file", file)
    assert sent.returncode == 0
    assert b"sent 3 messages, 21 bytes" in sent.stderr
    out, _ = tool.stop()
    assert out == frame(b"one") + frame(b"") + frame("zwölf".encode())


def test_a_line_longer_than_a_read_is_one_message(receive, tmp_path: Path) -> None:
    line = b"x" * 3_000_000
    tool = receive("--framing", "u32", "--quiet", "--count", "2")
    assert send(tool.address, "--file", write(tmp_path / "f", line + b"\n" + line)).returncode == 0
    assert "received 2 messages, 6,000,008 bytes" in tool.finish()[1]


def test_framed_files_are_sent_as_they_are(receive, tmp_path: Path) -> None:
    content = frame(b"\x00\n") + frame(b"") + frame(b"z" * 30_000)
    tool = receive("--framing", "raw")
    sent = send(tool.address, "--format", "framed", "--file", write(tmp_path / "f", content))
    assert b"sent 3 messages" in sent.stderr
    assert tool.stop()[0] == content


def test_binary_files_are_sent_as_they_are(receive, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10
    tool = receive("--framing", "raw")
    assert (
        send(
            tool.address, "--format", "binary", "--file", write(tmp_path / "f", content)
        ).returncode
        == 0
    )
    assert tool.stop()[0] == content


@pytest.mark.parametrize(("length_bytes", "length_fmt"), [(1, "B"), (2, ">H"), (8, "<q")])
def test_the_length_has_the_format_asked_for(
    receive, tmp_path: Path, length_bytes: int, length_fmt: str
) -> None:
    tool = receive("--framing", "raw")
    header = ["--header-length", str(length_bytes), "--length-fmt", length_fmt]
    assert send(tool.address, "--file", write(tmp_path / "f", b"a\nbc\n"), *header).returncode == 0
    assert tool.stop()[0] == frame(b"a", length_fmt) + frame(b"bc", length_fmt)


def test_files_are_sent_in_order_and_repeated(receive, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", b"1\n2"), write(tmp_path / "b", b"3\n")
    tool = receive("--framing", "u32", "--unpack", "1s")
    sent = send(tool.address, "--file", a, "--file", b, "--repeat", "3")
    assert b"sent 9 messages, 45 bytes" in sent.stderr
    assert tool.stop()[0] == b"1\n2\n3\n" * 3


def test_repeating_a_little_very_often_loses_nothing(receive, tmp_path: Path) -> None:
    tool = receive("--framing", "u32", "--quiet")
    sent = send(tool.address, "--file", write(tmp_path / "f", b"1\n22\n"), "--repeat", "100003")
    assert b"sent 200,006 messages" in sent.stderr
    assert "received 200,006 messages, 1,100,033 bytes" in tool.stop()[1]


@pytest.mark.parametrize("options", [["--rate", "1000"], ["--batch", "7"]])
def test_a_rate_or_batch_changes_nothing_in_what_arrives(
    receive, tmp_path: Path, options: list[str]
) -> None:
    lines = [str(i).encode() for i in range(100)]
    tool = receive("--framing", "u32", "--unpack", "2s")
    file = write(tmp_path / "f", b"\n".join(b"%2s" % line for line in lines))
    assert send(tool.address, "--file", file, *options).returncode == 0
    assert tool.stop()[0].split() == lines


def test_standard_input_is_sent_while_it_is_written(receive) -> None:
    tool = receive("--framing", "u32")
    sender = subprocess.Popen(
        [sys.executable, SCRIPTS / "send", "--host", tool.address, "--file", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        for text in (b"first", b"second"):
            sender.stdin.write(text + b"\n")
            sender.stdin.flush()
            assert tool.process.stdout.readline() == b"b'%s'\n" % text
        sender.stdin.close()
        assert sender.wait(TIMEOUT_SECONDS) == 0
    finally:
        sender.kill()
        sender.wait()


def test_a_missing_file_is_an_error_before_anything_is_sent(receive, tmp_path: Path) -> None:
    tool = receive()
    there = write(tmp_path / "there", b"x\n")
    sent = send(tool.address, "--file", there, "--file", tmp_path / "missing")
    assert sent.returncode == 1
    assert b"missing is not a file" in sent.stderr
    assert "over 0 connections" in tool.stop()[1]


def test_a_framed_file_that_ends_inside_a_frame_is_an_error(receive, tmp_path: Path) -> None:
    tool = receive("--framing", "u32")
    file = write(tmp_path / "f", frame(b"whole") + frame(b"cut off")[:-1])
    sent = send(tool.address, "--format", "framed", "--file", file)
    assert sent.returncode == 1
    assert b"ends inside a frame, 10 bytes are left over" in sent.stderr
    assert tool.stop()[0] == b"b'whole'\n"


def test_a_line_too_long_for_its_header_is_an_error(receive, tmp_path: Path) -> None:
    tool = receive()
    file = write(tmp_path / "f", b"x" * 256)
    sent = send(tool.address, "--file", file, "--header-length", "1", "--length-fmt", "B")
    assert sent.returncode == 1
    assert b"256 bytes is too long" in sent.stderr


def test_nobody_listening_is_an_error_after_the_timeout(tmp_path: Path) -> None:
    sent = send(closed_port(), "--file", write(tmp_path / "f", b"x"), "--connect-timeout", "0.3")
    assert sent.returncode == 1
    assert b"cannot connect" in sent.stderr


def test_the_sender_waits_for_a_listener_that_comes_late(tmp_path: Path) -> None:
    address = closed_port()
    sender = subprocess.Popen(
        [sys.executable, SCRIPTS / "send", "--host", address, "--file", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        host, port = address.split(":")
        with socket.create_server((host, int(port))) as listener:
            listener.settimeout(TIMEOUT_SECONDS)
            sender.stdin.close()
            connection, _ = listener.accept()
            connection.close()
        assert sender.wait(TIMEOUT_SECONDS) == 0
    finally:
        sender.kill()
        sender.wait()


def test_the_sender_ends_when_the_other_side_has_read_everything(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_SECONDS)
        sender = subprocess.Popen(
            [sys.executable, SCRIPTS / "send", "--file", write(tmp_path / "f", b"x")]
            + ["--host", f"127.0.0.1:{listener.getsockname()[1]}"],
            stderr=subprocess.DEVNULL,
        )
        try:
            connection, _ = listener.accept()
            connection.settimeout(TIMEOUT_SECONDS)
            with connection:
                while connection.recv(100):
                    pass
                assert sender.poll() is None
            assert sender.wait(TIMEOUT_SECONDS) == 0
        finally:
            sender.kill()
            sender.wait()


def test_a_side_that_never_closes_does_not_hold_the_sender(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        file = write(tmp_path / "f", b"x")
        sent = send(address, "--file", file, "--close-timeout", "0.2")
        assert sent.returncode == 0
        assert b"did not close" in sent.stderr
        assert b"did not close" not in send(address, "--file", file, "--close-timeout", "0").stderr


def test_a_connection_closed_in_the_middle_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_SECONDS)
        sender = subprocess.Popen(
            [sys.executable, SCRIPTS / "send", "--file", write(tmp_path / "f", b"x" * 100)]
            + ["--host", f"127.0.0.1:{listener.getsockname()[1]}", "--repeat", "1000000"],
            stderr=subprocess.PIPE,
        )
        listener.accept()[0].close()
        _, err = sender.communicate(timeout=TIMEOUT_SECONDS)
    assert sender.returncode == 1
    assert b"the other side closed the connection" in err


@pytest.mark.parametrize(
    "options",
    [
        ["--host", "nowhere"],
        ["--host", "127.0.0.1:x"],
        ["--length-fmt", ">II"],
        ["--length-fmt", ">f"],
        ["--length-fmt", "nonsense"],
        ["--length-fmt", ">H"],
        ["--repeat", "0"],
        ["--format", "binary", "--rate", "5"],
    ],
)
def test_wrong_sender_options_end_with_status_2(options: list[str]) -> None:
    sent = send("127.0.0.1:1", "--file", "-", *options)
    assert sent.returncode == 2
    assert b"error:" in sent.stderr


def test_lines_of_several_connections_do_not_mix(receive) -> None:
    tool = receive("--count", "2")
    with tool.connect() as a, tool.connect() as b:
        a.sendall(b"a1")
        b.sendall(b"b1b2\n")
        assert tool.process.stdout.readline() == b"b1b2\n"
        a.sendall(b"a2\n")
        out, err = tool.finish()
    assert out == b"a1a2\n"
    assert "received 2 messages, 10 bytes over 2 connections" in err
    assert tool.process.returncode == 0


def test_frames_are_cut_wherever_reads_end(receive) -> None:
    tool = receive("--framing", "u32")
    with tool.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(b"ab") + frame(b"") + frame(b"\xff"):
            connection.sendall(bytes([byte]))
    shown = [tool.process.stdout.readline() for _ in range(3)]
    assert shown == [b"b'ab'\n", b"b''\n", b"b'\\xff'\n"]


def test_frames_are_unpacked_or_shown_as_they_are(receive) -> None:
    tool = receive("--framing", "u32", "--unpack", ">1sQ", "--count", "2")
    with tool.connect() as connection:
        connection.sendall(frame(struct.pack(">1sQ", b"q", 2**40)) + frame(b"odd"))
        out, err = tool.finish()
    assert out == b"q 1099511627776\nb'odd'\n"
    assert "does not fit --unpack" in err


def test_exactly_the_counted_messages_are_printed(receive, tmp_path: Path) -> None:
    output = tmp_path / "out"
    tool = receive("--count", "3", "--output", str(output))
    with tool.connect() as connection:
        connection.sendall(b"1\n2\n3\n4\n5\n")
        out, err = tool.finish()
    assert out == b""
    assert output.read_bytes() == b"1\n2\n3\n"
    assert "received 3 messages" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_receiver_after_what_has_arrived(receive, number: int) -> None:
    tool = receive()
    with tool.connect() as connection:
        connection.sendall(b"x\n" * 1000)
        out, err = tool.stop(number)
    assert tool.process.returncode == 0
    assert out == b"x\n" * 1000
    assert "received 1,000 messages" in err


def test_a_message_that_is_cut_off_is_reported(receive) -> None:
    tool = receive()
    with tool.connect() as connection:
        connection.sendall(b"whole\npart")
    assert tool.process.stdout.readline() == b"whole\n"
    assert tool.process.stdout.readline() == b"part\n"
    assert "ended inside a message, after 4 bytes" in tool.stop()[1]


def test_wrong_framing_closes_that_connection_only(receive) -> None:
    tool = receive("--framing", "u32", "--count", "1")
    with tool.connect() as wrong, tool.connect() as right:
        wrong.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionResetError):
            assert wrong.recv(1) == b""
        right.sendall(frame(b"fine"))
        out, err = tool.finish()
    assert out == b"b'fine'\n"
    assert "is --framing right?" in err


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        tool = subprocess.run(
            [sys.executable, SCRIPTS / "receive", "--listen", address],
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
        )
    assert tool.returncode == 1
    assert f"cannot open {address}".encode() in tool.stderr
