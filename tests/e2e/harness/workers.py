"""An application whose records change worker, and what its outputs must say."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from harness.apptext import one_pipeline
from harness.deadline import wait_until
from harness.server import Server

COUNT_BY_KEY = one_pipeline(
    """\
    ab.to_state_partition(count, Count, "counts", by_key)
    """,
    """\
    import os


    class Count:
        def __init__(self):
            self.n = 0


    @wallaroo.partition
    def by_key(data):
        return data.split()[0]


    @wallaroo.state_computation(name="count")
    def count(data, state):
        state.n += 1
        return f"{data} {state.n} {os.getpid()}", True
    """,
)


KEYS = [f"key{i}" for i in range(23)]


def numbered(keys: Iterable[str], first: int, last: int, client: str = "c") -> list[str]:
    """Returns records "KEY CLIENT NUMBER", every key with every number, the numbers ascending."""
    return [f"{key} {client} {n}" for n in range(first, last) for key in keys]


def check_counts(lines: Iterable[str], expected: dict[str, int]) -> dict[str, set[str]]:
    """Checks outputs of COUNT_BY_KEY: every key was counted as often as expected, each count once.

    Also that each client's numbers came in order per key. Returns key -> processes that counted it.
    """
    counts: dict[str, list[int]] = defaultdict(list)
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    processes: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        key, client, number, count, process = line.split()
        counts[key].append(int(count))
        numbers[key, client].append(int(number))
        processes[key].add(process)
    for key, values in counts.items():
        assert values == list(range(1, expected[key] + 1)), f"{key}: {values}"
    assert set(counts) == set(expected)
    for place, values in numbers.items():
        assert values == sorted(values), f"{place}: {values}"
    return processes


def children(server: Server) -> list[int]:
    """Returns the processes that the server has started, oldest first."""
    number = server.process.pid
    text = Path(f"/proc/{number}/task/{number}/children").read_text()
    return sorted(int(child) for child in text.split())


def worker_of(port: int, server: Server) -> int:
    """Returns the worker that has accepted the client with this local port, once one has."""
    found: list[int] = []

    def look() -> bool:
        for worker in children(server):
            if port in _peers(worker):
                found.append(worker)
        return bool(found)

    wait_until(look, lambda: f"a worker to accept the client at port {port}")
    return found[0]


def _peers(process: int) -> set[int]:
    """Returns the ports at the other ends of a process's IPv4 connections."""
    sockets = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            sockets.add(os.readlink(entry))
        except FileNotFoundError:
            continue
    lines = Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {int(x[2].split(":")[1], 16) for x in fields if f"socket:[{x[9]}]" in sockets}


def is_alive(process: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kill(process: int, number: int = signal.SIGKILL) -> None:
    """Sends the signal to a process that a server under test has started."""
    os.kill(process, number)
