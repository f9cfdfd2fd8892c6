"""Stops, changes and failures that come while several workers are not all at work."""

import resource
import socket
import subprocess
from pathlib import Path

from harness import BINARY, Client, Receiver, Serve, Server, wait_until
from harness.workers import COUNT_BY_KEY, check_counts, children, kill, numbered

KEYS = [f"key{i}" for i in range(10)]
RARELY = ("--epoch-interval", "600", "--resilience-dir", "recovery")


def journaled(serve: Serve, receiver: Receiver) -> None:
    """Leaves a directory of two workers with records in the journal alone, and no receiver."""
    server = serve(COUNT_BY_KEY, "--workers", "2", *RARELY)
    with Client(server.address()) as client:
        client.send_frames(*numbered(KEYS, 0, 5))
        receiver.wait_lines(5 * len(KEYS))
        server.kill()
    receiver.stop()


def check_nothing_is_lost(server: Server, receiver: Receiver) -> None:
    """The journal is processed again, and counts go on behind it."""

    def lines() -> list[str]:
        return [line for life in receiver.lives[2:] for line in life]  # of later lives

    with Client(server.address()) as client:
        client.send_frames(*numbered(KEYS, 5, 6))
        wait_until(lambda: len(lines()) >= 6 * len(KEYS), lambda: f"all counts: {lines()}")
    assert server.terminate() == 0, server.describe()
    check_counts(lines(), dict.fromkeys(KEYS, 6))


def test_scale_while_the_workers_wait_for_their_sink_is_refused_and_drops_no_journal(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    journaled(serve, receiver)
    server = serve(COUNT_BY_KEY, "--workers", "2", *RARELY, ready=False)
    server.wait_stderr("trying again")
    command = [BINARY, "scale", "3", str(tmp_path / "recovery")]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "ask later" in refused.stderr
    receiver.start()
    server.ready()
    check_nothing_is_lost(server, receiver)


def test_stop_while_a_start_with_other_workers_settles_keeps_the_journal_and_stops(
    serve: Serve, receiver: Receiver
) -> None:
    journaled(serve, receiver)
    server = serve(COUNT_BY_KEY, "--workers", "3", *RARELY, ready=False)
    server.wait_stderr("trying again")
    assert server.terminate() == 0, server.describe()
    receiver.start()
    check_nothing_is_lost(serve(COUNT_BY_KEY, "--workers", "3", *RARELY), receiver)


def test_stop_while_a_killed_worker_is_replaced_and_its_sink_is_away_ends_in_time(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(COUNT_BY_KEY, "--workers", "2", "--drain-timeout", "0.5")
    receiver.wait_connections(2)
    receiver.stop()
    before = children(server)
    kill(before[1])
    wait_until(lambda: len(set(children(server)) - set(before)) == 1, lambda: "a replacement")
    server.wait_stderr("trying again")
    assert server.terminate() == 1, server.describe()
    assert server.log_lines("have not ended in time")


def test_port_that_another_takes_while_the_sink_is_away_is_named_and_ends_the_server(
    serve: Serve, receiver: Receiver
) -> None:
    """Two servers may both bind a port; only one can listen."""
    receiver.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{other.getsockname()[1]}"
        server = serve(COUNT_BY_KEY, "--workers", "2", inputs=address, ready=False)
        server.wait_stderr("trying again")
        other.listen()
        receiver.start()
        assert server.wait() == 1, server.describe()
    assert server.log_lines(f"{address} can't be listened on", "in use")


def test_scale_with_more_connections_than_one_process_may_have_closes_them_and_goes_on(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    options = ("--workers", "3", "--resilience-dir", "recovery")
    server = serve(COUNT_BY_KEY, *options)
    clients = [Client(server.address()) for _ in range(120)]
    for client in clients:
        client.send_frames("key0 c 0")
    receiver.wait_lines(len(clients))
    _, most = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (96, most))
    command = [BINARY, "scale", "2", str(tmp_path / "recovery")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stdout == "2 workers are running\n", (answer.stderr, server.describe())
    assert server.log_lines("are closed instead of handed on", "limit of open files")
    with Client(server.address()) as late:
        late.send_frames(f"key0 c {len(clients)}")
        assert receiver.wait_lines(len(clients) + 1)[-1].startswith("key0 ")
    for client in clients:
        client.close()
    assert server.terminate() == 0, server.describe()
    counts = [int(line.split()[3]) for line in receiver.data.decode().splitlines()]
    assert sorted(counts) == list(range(1, len(clients) + 2))
