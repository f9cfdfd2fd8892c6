"""`machida scale N`: the number of workers changes while clients send and are connected."""

import re
import select
import subprocess
import threading
from pathlib import Path

import pytest
from harness import (
    BINARY,
    DEADLINE_S,
    READY,
    Client,
    Receiver,
    Serve,
    Server,
    frames,
    one_pipeline,
    wait_until,
)
from harness.workers import COUNT_BY_KEY, KEYS, check_counts, children, numbered


def scale(workers: int, channel: str | Path) -> subprocess.CompletedProcess[str]:
    """Asks a running server for another number of workers; waits for the answer."""
    return subprocess.run(
        [BINARY, "scale", str(workers), str(channel)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


class Steady:
    """A client with one connection that sends numbered records until it is told to stop.

    Frames are cut anywhere, so that a part of one may have been read at any moment. When the
    connection ends, or the server says something, it fails.
    """

    def __init__(self, address: tuple[str, int], number: int) -> None:
        self.client = Client(address)
        self.name = f"c{number}"
        self.sent = 0  # records of every key
        self.error: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Sends the last frame to its end; the connection stays open."""
        self._stop.set()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the server takes nothing"
        assert self.error is None, self.error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                records = [f"{key} {self.name} {self.sent}" for key in KEYS]
                data = frames(*records)
                cut = 1 + (self.sent * 7) % (len(data) - 1)
                for part in (data[:cut], data[cut:]):
                    self.client.send(part)
                    if select.select([self.client.socket], [], [], 0.005)[0]:
                        said = self.client.socket.recv(1)
                        raise ConnectionError(f"closed by the server, or it said {said!r}")
                self.sent += 1
        except OSError as error:
            self.error = f"{self.name} after {self.sent} records: {error}"


def wait_more(receiver: Receiver, lines: int) -> None:
    """Waits until so many lines more have come."""
    before = receiver.data.count(b"\n")
    wait_until(
        lambda: receiver.data.count(b"\n") >= before + lines,
        lambda: f"{lines} more lines; {receiver.data.count(10) - before} came",
    )


def finish(clients: list[Steady], receiver: Receiver) -> None:
    """Ends the clients; checks that each of their records was counted exactly once, in order."""
    for client in clients:
        client.finish()
    total = sum(client.sent for client in clients)
    wait_until(
        lambda: receiver.data.count(b"\n") >= total * len(KEYS),
        lambda: f"{total * len(KEYS)} lines; there are {receiver.data.count(10)}",
    )
    lines = [x for c in list(receiver.connections) for x in bytes(c).decode().splitlines()]
    lines.sort(key=lambda line: int(line.split()[3]))  # a key's worker, and connection, changes
    check_counts(lines, dict.fromkeys(KEYS, total))


def test_clients_and_sinks_stay_connected_through_grow_and_shrink_exactly_once(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    recovery = tmp_path / "recovery"
    server = serve(COUNT_BY_KEY, "--workers", "1", "--resilience-dir", str(recovery))
    clients = [Steady(server.address(), number) for number in range(5)]
    for workers, connections in ((3, 3), (2, 3), (1, 3), (2, 4)):
        wait_more(receiver, 500)
        before = set(children(server))
        answer = scale(workers, recovery)
        assert answer.stdout == f"{workers} workers are running\n", answer.stderr
        assert len(children(server)) == workers
        assert not before & set(children(server))
        wait_more(receiver, 500)
        # A worker that is there before and after has one connection all the time.
        assert len(receiver.connections) == connections
    clients.append(Steady(server.address(), len(clients)))
    wait_more(receiver, 500)
    wait_until(
        lambda: receiver.is_open == [True, False, False, True],
        lambda: f"the end of the sinks of workers that are no more; {receiver.is_open}",
    )
    finish(clients, receiver)
    assert server.stdout.count(READY) == 1
    assert server.terminate() == 0, server.describe()
    wait_until(lambda: not any(receiver.is_open), "the end of the sinks' connections")


def test_what_was_read_of_a_frame_goes_along_and_idle_clients_stay(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    recovery = tmp_path / "recovery"
    server = serve(COUNT_BY_KEY, "--workers", "2", "--resilience-dir", str(recovery))
    with Client(server.address()) as idle, Client(server.address()) as cut:
        large = frames("key " + "x" * 300_000 + " 0")
        cut.send(large[:200_000])
        with Client(server.address()) as other:
            other.send_frames("key0 c 0")
            receiver.wait_lines(1)  # a turn of some worker later
        assert scale(1, recovery).returncode == 0
        cut.send(large[200_000:])
        idle.send_frames("key0 c 1")
        lines = receiver.wait_lines(3)
        assert sorted(len(x) > 300_000 for x in lines) == [False, False, True]
        assert any(x.startswith("key0 c 1 2 ") for x in lines)
    assert server.terminate() == 0, server.describe()


def test_a_client_that_leaves_during_the_change_is_read_to_its_end(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    recovery = tmp_path / "recovery"
    server = serve(COUNT_BY_KEY, "--workers", "1", "--resilience-dir", str(recovery))
    clients = [Client(server.address()) for _ in range(20)]
    for client in clients:
        client.send_frames("key0 c 0")
    receiver.wait_lines(20)
    asking = threading.Thread(target=scale, args=(2, recovery))
    asking.start()
    for number, client in enumerate(clients):
        client.send_frames(f"key1 c{number} 0")
        client.finish()
    asking.join(DEADLINE_S)
    for client in clients:
        client.wait_closed()
    receiver.wait_lines(40)
    assert server.terminate() == 0, server.describe()


@pytest.mark.parametrize("when", ["workers are wanted", "its states go to", "now belong to"])
def test_a_stop_in_the_middle_of_the_change_is_graceful(
    serve: Serve, receiver: Receiver, tmp_path: Path, when: str
) -> None:
    recovery = tmp_path / "recovery"
    server: Server = serve(COUNT_BY_KEY, "--workers", "1", "--resilience-dir", str(recovery))
    with Client(server.address()) as client:
        client.send_frames("key0 c 0")
        receiver.wait_lines(1)
    asking = threading.Thread(target=scale, args=(2, recovery))
    asking.start()
    server.wait_stderr(when)
    assert server.terminate() == 0, server.describe()
    asking.join(DEADLINE_S)
    server = serve(COUNT_BY_KEY, "--workers", "2", "--resilience-dir", str(recovery))
    with Client(server.address()) as client:
        client.send_frames("key0 c 1")
        wait_until(
            lambda: b"key0 c 1 2 " in receiver.data,
            lambda: f"the second count; there is {receiver.data!r}",
        )
    assert server.terminate() == 0, server.describe()


def external_of(server: Server) -> str:
    """Returns the address that the server says may be asked at."""
    found = re.search(r"may ask at (\S+)", server.stderr)
    assert found, server.describe()
    return found[1]


def test_scale_may_ask_at_the_address_of_external(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    options = ["--workers", "2", "--external", "127.0.0.1:0"]
    server = serve(COUNT_BY_KEY, *options, "--resilience-dir", str(tmp_path / "recovery"))
    with Client(server.address()) as client:
        client.send_frames(*numbered(KEYS, 0, 10))
        receiver.wait_lines(10 * len(KEYS))
        answer = scale(1, external_of(server))
        assert answer.stdout == "1 workers are running\n", answer.stderr
        client.send_frames(*numbered(KEYS, 10, 20))
        lines = receiver.wait_lines(20 * len(KEYS))
    lines.sort(key=lambda line: int(line.split()[3]))
    check_counts(lines, dict.fromkeys(KEYS, 20))
    assert server.terminate() == 0


def test_scale_is_refused_where_states_would_be_lost_and_nothing_changes(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(COUNT_BY_KEY, "--workers", "2", "--external", "127.0.0.1:0")
    before = children(server)
    answer = scale(3, external_of(server))
    assert answer.returncode == 1
    assert "--resilience-dir" in answer.stderr
    assert children(server) == before
    assert server.terminate() == 0


def test_scale_needs_no_directory_for_an_application_without_states(
    serve: Serve, receiver: Receiver
) -> None:
    text = one_pipeline(
        "ab.to_parallel(same)",
        """\
        @wallaroo.computation(name="same")
        def same(data):
            return data
        """,
    )
    server = serve(text, "--workers", "1", "--external", "127.0.0.1:0")
    with Client(server.address()) as client:
        client.send_frames("before")
        receiver.wait_lines(1)
        assert scale(3, external_of(server)).stdout == "3 workers are running\n"
        client.send_frames("a", "b", "c")
        assert sorted(receiver.wait_lines(4)) == ["a", "b", "before", "c"]
    assert server.terminate() == 0


def test_an_external_address_in_use_is_told(serve: Serve, receiver: Receiver) -> None:
    server = serve(COUNT_BY_KEY, "--workers", "2", "--external", receiver.address, ready=False)
    assert server.wait() == 1
    assert server.stderr.count("can't be listened on") == 1
