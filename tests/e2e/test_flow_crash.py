"""Dataflows that are killed at random times, and that find their disk full."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from harness import Kafka, wait_until
from harness.crash_flow import AS, FlowCrash
from harness.flow_processes import check_counts, counting
from harness.small_disk import fill

KILLS = 6
KILLS_WITH_KAFKA = 4

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("processes", AS)
def test_what_a_file_sink_writes_is_there_once_after_kills(tmp_path: Path, processes: str) -> None:
    crash = FlowCrash(tmp_path, random.Random(processes), *AS[processes])
    for _ in range(KILLS):
        crash.kill_sometime()
    crash.finish()


COPYING = """
import os
import time

from bytewax.connectors.kafka import KafkaSink, KafkaSource
from bytewax.dataflow import Dataflow


def keyed(message):
    time.sleep(0.001)
    key, value = message
    return key.decode(), value


def count(state, value):
    return state + 1, b"%d %s" % (state + 1, value)


flow = Dataflow()
brokers = [os.environ["BROKERS"]]
flow.input("in", KafkaSource(brokers, [os.environ["IN"]], tail="END" not in os.environ))
flow.map("keyed", keyed)
flow.stateful_map("count", int, count)
flow.map("message", lambda item: (item[0].encode(), item[1]))
flow.output("out", KafkaSink(brokers, os.environ["OUT"]))
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_kafka_to_kafka_is_at_least_once_after_kills(
    start_flow, kafka: Kafka, tmp_path: Path, workers: str
) -> None:
    rng = random.Random(workers)
    topic, out = kafka.new_topic("in", 3), kafka.new_topic("out", 2)
    messages = [(f"k{number % 10}", f"{number}") for number in range(3000)]
    topic.produce_keyed(messages)
    (tmp_path / "app.py").write_text(COPYING)
    (tmp_path / "recovery").mkdir()
    assert start_flow("bytewax.recovery", "recovery", "2").end()[0] == 0
    arguments = ("bytewax.run", "app", "-r", "recovery", "-w", workers)
    places = {"BROKERS": kafka.address, "IN": topic.name, "OUT": out.name}
    for interval in ["0", "1"] * (KILLS_WITH_KAFKA // 2):
        before = len(out.records())
        run = start_flow(*arguments, "-s", interval, **places)
        wait_until(lambda before=before: len(out.records()) > before, "outputs")
        time.sleep(rng.uniform(0, 0.3))
        run.kill()
    status, _, errors = start_flow(*arguments, **places, END="1").end()
    assert (status, errors) == (0, "")
    seen = Counter((record.key, record.value) for record in out.records())
    counts: Counter[str] = Counter()
    expected = set()
    for key, value in messages:
        counts[key] += 1
        expected.add((key.encode(), f"{counts[key]} {value}".encode()))
    assert set(seen) == expected
    assert max(seen.values()) > 1, "no kill was in an epoch"


def test_a_full_disk_is_said_once_and_waited_for(
    start_flow, tmp_path: Path, small_disk: Path
) -> None:
    counting(tmp_path)
    assert start_flow("bytewax.recovery", "recovery", "2").end()[0] == 0
    run = start_flow("bytewax.run", "app", "-r", "recovery", "-s", "0")
    wait_until(lambda: check_counts(tmp_path) > 50, "lines")
    filler = fill(small_disk)
    said = run.process.stderr.readline()
    assert "can't be stored" in said
    assert "tried again every second" in said
    time.sleep(2.5)  # for more attempts
    waiting = check_counts(tmp_path)
    filler.unlink()
    wait_until(lambda: check_counts(tmp_path) > waiting + 50, "lines")
    run.process.terminate()
    status, _, errors = run.end()
    assert status == 0, errors
    assert errors.count("is stored") == 1
    assert "can't be stored" not in errors
    total = check_counts(tmp_path)
    status, _, errors = start_flow("bytewax.run", "app", "-r", "recovery", LAST=str(total)).end()
    assert (status, errors) == (0, "")
    check_counts(tmp_path, total)
