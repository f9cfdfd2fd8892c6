"""Partition functions may use hash(): states are found again by what it returns."""

import pytest
from harness import Client, Receiver, Serve, Server, one_pipeline, wait_until

RESILIENT = ("--resilience-dir", "recovery", "--epoch-interval", "0.02")
BY_HASH = """\
@wallaroo.partition
def by_hash(word):
    return hash(word) % 10

@wallaroo.state_computation(name="count")
def count(word, counts):
    counts[word] = counts.get(word, 0) + 1
    return f"{word} {counts[word]}", True
"""
ON_DEMAND = one_pipeline('ab.to_state_partition(count, dict, "counts", by_hash)', BY_HASH)
LISTED = one_pipeline(
    'ab.to_state_partition(count, dict, "counts", by_hash, list(range(10)))', BY_HASH
)
WORDS = ("apple", "pear", "fig", "kiwi", "plum", "lime")


def check_counts(server: Server, receiver: Receiver, count: int) -> None:
    """Sends every word; each has been sent so often now. Outputs may come twice after a kill."""
    expected = {f"{word} {count}" for word in WORDS}
    with Client(server.address()) as client:
        client.send_frames(*WORDS)
        wait_until(lambda: expected <= set(receiver.lines), lambda: f"{receiver.lines}")
    assert {int(line.split()[1]) for line in receiver.lines} == set(range(1, count + 1))


@pytest.mark.parametrize("text", [ON_DEMAND, LISTED], ids=["on demand", "listed"])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("seed", [None, "random", "42"])
def test_states_are_found_again_after_a_kill_and_after_a_stop(
    serve: Serve, receiver: Receiver, text: str, workers: str, seed: str | None
) -> None:
    for count in (1, 2, 3, 4):
        server = serve(text, *RESILIENT, "--workers", workers, env={"PYTHONHASHSEED": seed})
        check_counts(server, receiver, count)
        if count % 2:
            server.kill()
        else:
            assert server.terminate() == 0
        assert not server.log_lines("PYTHONHASHSEED")


def test_states_are_found_again_by_another_number_of_workers(
    serve: Serve, receiver: Receiver
) -> None:
    for count, workers in enumerate(("1", "3", "2", "1"), start=1):
        server = serve(ON_DEMAND, *RESILIENT, "--workers", workers, env={"PYTHONHASHSEED": None})
        check_counts(server, receiver, count)
        assert server.terminate() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_another_seed_than_the_states_were_made_with_is_warned_of(
    serve: Serve, workers: str
) -> None:
    for seed, warnings in (("7", 0), ("8", 1), ("7", 0), (None, 1)):
        server = serve(ON_DEMAND, *RESILIENT, "--workers", workers, env={"PYTHONHASHSEED": seed})
        assert server.terminate() == 0
        lines = server.log_lines("PYTHONHASHSEED=7", "recovery", "hash()")
        assert len(lines) == warnings, server.describe()


def test_a_number_of_the_user_is_the_seed(serve: Serve, receiver: Receiver) -> None:
    text = one_pipeline(
        "ab.to(seed)",
        """\
import os

@wallaroo.computation(name="seed")
def seed(data):
    return os.environ["PYTHONHASHSEED"] + f" {hash('a')}"
""",
    )
    hashes = []
    for given, used in ((None, "0"), ("5", "5"), ("random", "0")):
        server = serve(text, env={"PYTHONHASHSEED": given})
        before = len(receiver.lines)
        with Client(server.address()) as client:
            client.send_frames("a")
            seed, value = receiver.wait_lines(before + 1)[-1].split()
        assert seed == used
        hashes.append(value)
        assert server.terminate() == 0
    assert hashes[0] == hashes[2] != hashes[1]
