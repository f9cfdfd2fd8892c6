"""The server kills itself at every named point of an epoch: nothing is lost, nothing repeated."""

from pathlib import Path

import _machida
import pytest
from harness import Counting, Kafka, ServeKafka, kafka_pipeline

POINTS = [
    "snapshot.before",
    "snapshot.after",
    "store.commit.before",
    "store.commit.after",
    "produce.before",
    "produce.after",
    "offsets.before",
    "offsets.after",
    "transaction.before",
    "transaction.after",
    "epoch.close.before",
    "epoch.close.after",
    "compaction.before",
    "compaction.middle",
    "compaction.after",
    "storage.write.before",
    "storage.write.after",
]
OF_AN_EPOCH = [p for p in POINTS if p.partition(".")[0] not in ("compaction", "storage")]
"""Storage sinks have their points tested in test_storage_recovery.py."""
TIMES = (3, 1, 2)


def test_list_of_points_is_complete() -> None:
    assert _machida.crash_points() == POINTS


@pytest.mark.parametrize("point", OF_AN_EPOCH)
def test_killed_at_a_point_of_an_epoch(kafka: Kafka, tmp_path: Path, point: str) -> None:
    with Counting(kafka, tmp_path) as counting:
        for times in TIMES:
            counting.start_to_die(point, times)
            counting.check_new_outputs()
        counting.finish()


@pytest.mark.parametrize("point", [p for p in POINTS if p.startswith("compaction.")])
def test_killed_at_a_point_of_a_compaction(kafka: Kafka, tmp_path: Path, point: str) -> None:
    with Counting(kafka, tmp_path, words=3000, per_s=20_000) as counting:
        for _ in TIMES:
            counting.start_to_die(point)
            counting.check_new_outputs()
        counting.finish()


def test_outputs_of_a_sink_that_a_changed_application_lacks_are_dropped_with_a_warning(
    serve_kafka: ServeKafka, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, options = kafka_pipeline("", ""), ("--resilience-dir", "recovery")
    source, first, second = (kafka.new_topic(name) for name in ("in", "first", "second"))
    source.produce(["a"])
    monkeypatch.setenv("MACHIDA_CRASH_AT", "store.commit.after")
    server = serve_kafka(text, *options, source=source, sink=first, ready=False)
    assert server.wait() != 0
    monkeypatch.delenv("MACHIDA_CRASH_AT")
    server = serve_kafka(text, *options, source=source, sink=second)
    assert server.log_lines("outputs of epoch 1 for", first.name, "dropped")
    source.produce(["b"])
    assert second.wait_values(1) == [b"b"]
    assert server.terminate() == 0
