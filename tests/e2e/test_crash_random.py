"""The server is killed at random times: nothing is lost, nothing comes twice unless it may."""

import random
import time
from pathlib import Path

import pytest
from harness import (
    Counting,
    Kafka,
    Reader,
    Receiver,
    Sequences,
    Survivor,
    Talker,
    ask_store,
    check_frames,
    frames_application,
    kafka_arguments,
    parse_frame,
    positions_total,
    wait_until,
)

SEEDS = (1, 2, 3)
KILLS = 12
KILLS_OF_ONE_MORE_KIND = 8
PLAIN_STATES = """

def serialize(data):
    return b"%d" % data.count


def deserialize(data):
    state = Count()
    state.count = int(data)
    return state
"""
pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("seed", SEEDS)
def test_kafka_to_kafka_is_exactly_once(kafka: Kafka, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with Counting(kafka, tmp_path) as counting:
        for _ in range(KILLS):
            counting.kill_sometime(rng)
            counting.check_new_outputs()
        assert counting.outputs.total > 0
        counting.finish()


def test_kafka_to_tcp_is_at_least_once(kafka: Kafka, tmp_path: Path, receiver: Receiver) -> None:
    rng = random.Random(4)
    with Counting(kafka, tmp_path, out=receiver) as counting:
        for _ in range(KILLS_OF_ONE_MORE_KIND):
            counting.kill_sometime(rng)
            counting.check_new_outputs()
        counting.finish()
        assert counting.outputs.repeated > 0, "no kill was in an epoch"


def test_kafka_to_tcp_repeats_only_what_came_after_the_newest_epoch(
    kafka: Kafka, tmp_path: Path, receiver: Receiver
) -> None:
    with Counting(kafka, tmp_path, out=receiver, interval_s=0.3, words=10) as counting:
        counting.start_to_die("epoch.close.after", 2)
        counting.check_new_outputs()
        in_epochs = positions_total(counting.store)
        before = counting.outputs.total
        assert in_epochs <= before
        counting.finish()
        assert counting.outputs.repeated == before - in_epochs


def test_tcp_to_kafka_is_exactly_once(kafka: Kafka, tmp_path: Path) -> None:
    rng = random.Random(5)
    topic_out = kafka.new_topic("out", 2)
    arguments = ["--in", "127.0.0.1:0", *kafka_arguments(sink=topic_out)]
    outputs = Sequences()
    committed, all_there_is = Reader(topic_out), Reader(topic_out, "read_uncommitted")
    processed: dict[int, int] = {}

    def look() -> None:
        for record in all_there_is.read_new():
            connection, count = parse_frame((record.value or b"").decode())
            processed[connection] = max(count, processed.get(connection, 0))
        for record in committed.read_new():
            outputs.add(*parse_frame((record.value or b"").decode()))

    with Survivor(frames_application("kafka_sink(args)"), arguments, tmp_path) as survivor:
        talker = Talker(survivor.start_listening())
        survivor.servers[-1].kill()
        for _ in range(KILLS_OF_ONE_MORE_KIND):
            survivor.kill_sometime(rng)
            look()
        survivor.start().ready()
        talker.stop()
        survivor.drain()
        look()
        check_frames(talker, outputs.last)
        assert {c: outputs.last[c] for c in processed} == processed
        survivor.start().ready()
        survivor.drain()
        assert not committed.read_new()


def test_tcp_to_tcp_is_at_least_once(tmp_path: Path, receiver: Receiver) -> None:
    rng = random.Random(6)
    arguments = ["--in", "127.0.0.1:0", "--out", receiver.address]
    with Survivor(frames_application("sink(args)"), arguments, tmp_path) as survivor:
        talker = Talker(survivor.start_listening())
        survivor.servers[-1].kill()
        for _ in range(KILLS_OF_ONE_MORE_KIND):
            survivor.kill_sometime(rng)
        survivor.start().ready()
        talker.stop()
        survivor.drain()
        connections = len(receiver.connections)
        survivor.start().ready()
        survivor.drain()
    assert not any(receiver.lives[connections:]), "a restart after a stop repeats nothing"
    outputs = Sequences()
    for life in receiver.lives:
        outputs.add_life(map(parse_frame, life))
    assert outputs.repeated > 0, "no kill was in an epoch"
    check_frames(talker, outputs.last)


def test_tcp_to_tcp_repeats_exactly_what_came_after_the_newest_epoch(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Per connection, a life begins with the frame behind the last one that was stored."""
    rng = random.Random(7)
    text = frames_application("sink(args)") + PLAIN_STATES
    arguments = ["--in", "127.0.0.1:0", "--out", receiver.address]
    stored: list[dict[int, int]] = [{}]  # when each life began
    with Survivor(text, arguments, tmp_path) as survivor:
        talker = Talker(survivor.start_listening())
        for _ in range(KILLS_OF_ONE_MORE_KIND):
            wait_until(lambda: len(receiver.lives) == len(stored), "a connection")
            wait_until(lambda: receiver.lives[-1], "outputs")
            time.sleep(rng.uniform(0, 0.3))
            survivor.servers[-1].kill()
            rows = ask_store(survivor.store, "SELECT key, value FROM snap ORDER BY id")
            stored.append({int(connection): int(value) for connection, value in rows})
            survivor.start().ready()
        talker.stop()
        survivor.drain()
    outputs = Sequences()
    sent: dict[int, int] = {}
    repeated = 0
    for lines, known in zip(receiver.lives, stored, strict=True):
        assert all(sent[c] >= count for c, count in known.items()), "stored, not delivered"
        repeated += sum(max(0, count - known.get(c, 0)) for c, count in sent.items())
        said = [parse_frame(line) for line in lines]
        for connection, count in dict(reversed(said)).items():
            assert count == known.get(connection, 0) + 1, (connection, count, known)
        for connection, count in said:
            sent[connection] = max(count, sent.get(connection, 0))
        outputs.add_life(said)
    assert 0 < outputs.repeated <= repeated
    check_frames(talker, outputs.last)
