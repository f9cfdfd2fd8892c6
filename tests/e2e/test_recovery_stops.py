"""SIGTERM under load, again and again: exit status 0, and a restart repeats nothing."""

from pathlib import Path

import pytest
from harness import (
    Counting,
    Kafka,
    Receiver,
    Sequences,
    Survivor,
    Talker,
    check_frames,
    frames_application,
    parse_frame,
    wait_until,
)

STOPS = 20

pytestmark = pytest.mark.timeout(240)


def test_kafka_to_kafka(kafka: Kafka, tmp_path: Path) -> None:
    with Counting(kafka, tmp_path) as counting:
        for _ in range(STOPS):
            counting.start()
            counting.wait_more()
            counting.drain()
        counting.finish()


def test_kafka_to_tcp(kafka: Kafka, tmp_path: Path, receiver: Receiver) -> None:
    with Counting(kafka, tmp_path, out=receiver) as counting:
        for _ in range(STOPS):
            counting.start()
            counting.wait_more()
            counting.drain()
        counting.finish()
    assert counting.outputs.repeated == 0


def test_tcp_to_tcp(tmp_path: Path, receiver: Receiver) -> None:
    arguments = ["--in", "127.0.0.1:0", "--out", receiver.address]
    with Survivor(frames_application("sink(args)"), arguments, tmp_path) as survivor:
        talker = Talker(survivor.start_listening())
        for i in range(STOPS):
            if i > 0:
                survivor.start().ready()
            goal = len(receiver.data) + 1
            wait_until(lambda goal=goal: len(receiver.data) >= goal, "an output")
            survivor.drain()
        survivor.start().ready()
        talker.stop()
        survivor.drain()
    outputs = Sequences()
    for life in receiver.lives:
        outputs.add_life(map(parse_frame, life))
    assert outputs.repeated == 0
    check_frames(talker, outputs.last)
