"""Several workers on one machine: `--workers N`."""

from collections import Counter

import pytest
from harness import READY, Client, Receiver, Serve, one_pipeline
from harness.workers import (
    COUNT_BY_KEY,
    KEYS,
    check_counts,
    children,
    numbered,
)


@pytest.mark.parametrize("workers", [2, 3])
def test_each_key_is_counted_by_one_worker_in_the_clients_order(
    serve: Serve, receiver: Receiver, workers: int
) -> None:
    server = serve(COUNT_BY_KEY, "--workers", str(workers))
    assert server.stdout.count(READY) == 1
    assert server.stdout.count("listening on") == 1
    assert len(children(server)) == workers
    clients = [Client(server.address()) for _ in range(6)]
    for first in range(0, 200, 50):
        for number, client in enumerate(clients):
            client.send_frames(*numbered(KEYS, first, first + 50, f"c{number}"))
    lines = receiver.wait_lines(6 * 200 * len(KEYS))
    by_connection = [bytes(c).decode().splitlines() for c in receiver.connections]
    processes = check_counts(
        [line for c in by_connection for line in c], dict.fromkeys(KEYS, 6 * 200)
    )
    assert len(lines) == 6 * 200 * len(KEYS)
    assert all(len(p) == 1 for p in processes.values())
    assert len(set().union(*processes.values())) == workers
    assert len(receiver.connections) == workers
    assert server.terminate() == 0


WHO_READ_IT = one_pipeline(
    "ab.to(who)",
    """\
    import os

    @wallaroo.computation(name="who")
    def who(data):
        return f"{data} {os.getpid()}"
    """,
)


def test_clients_that_connect_at_once_are_shared_out_evenly(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(WHO_READ_IT, "--workers", "2")
    clients = [Client(server.address()) for _ in range(8)]
    for number, client in enumerate(clients):
        client.send_frames(str(number))
    lines = receiver.wait_lines(8)
    read_by = Counter(line.split()[1] for line in lines)
    assert sorted(read_by.values()) == [4, 4], lines
    assert server.terminate() == 0


def test_sigterm_drains_what_is_on_its_way_between_workers(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(COUNT_BY_KEY, "--workers", "3")
    clients = [Client(server.address()) for _ in range(3)]
    for number, client in enumerate(clients):
        client.send_frames(*numbered(KEYS, 0, 300, f"c{number}"))
        client.finish()
    for client in clients:
        client.wait_closed()  # read to its end
    assert server.terminate() == 0
    check_counts(receiver.wait_lines(900 * len(KEYS)), dict.fromkeys(KEYS, 900))
