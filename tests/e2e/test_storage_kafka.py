"""From Kafka into storage sinks: offsets wait for the storage, and epochs are written once."""

import sqlite3
from contextlib import closing
from pathlib import Path

from harness import (
    COUNT_PAIRS,
    COUNT_STEP,
    VENV,
    Kafka,
    Load,
    Sequences,
    Survivor,
    calls,
    expected_counts,
    failing,
    kafka_arguments,
    kafka_pipeline,
    wait_until,
    wait_written,
)
from harness.orders import wait_rows
from harness.server import Server
from harness.storage_app import RECORDER

AWAY = failing("if not Path('go').exists(): raise wallaroo.SinkUnavailable('away')")
ROWS = """
@wallaroo.computation(name="row")
def row(counted):
    return {"word": counted[0], "count": counted[1]}


INTO = wallaroo.IntoTable(dict, "counts", columns={"word": str, "count": int}, name="counts")
"""
WORDS = 50


def test_offsets_are_not_committed_before_the_storage_has_the_records(
    kafka: Kafka, tmp_path: Path
) -> None:
    topic = kafka.new_topic("in", 2)
    topic.produce([str(i) for i in range(500)])
    (tmp_path / "app.py").write_text(kafka_pipeline(defs=RECORDER + AWAY, sink="FailingRecorder()"))
    args = ["--application-module", "app", *kafka_arguments(topic), "--commit-interval", "0.05"]
    args += ["--epoch-interval", "0.05"]
    first = Server(args, tmp_path).ready()
    try:
        wait_until(lambda: len(calls(tmp_path, "try")) > 2, "several tries")
    finally:
        first.kill()
    (tmp_path / "go").touch()
    second = Server(args, tmp_path).ready()
    try:
        written = wait_written(tmp_path, 500)
        assert sorted(map(int, written)) == list(range(500))
        assert second.terminate() == 0
        third = Server(args, tmp_path).ready()  # everything is committed
        assert third.terminate() == 0
        assert len(wait_written(tmp_path, 500)) == 500
    finally:
        second.close()


def test_table_has_each_count_once_whatever_is_killed(kafka: Kafka, tmp_path: Path) -> None:
    topic = kafka.new_topic("in", 3)
    (tmp_path / "app.toml").write_text('[streaming.sinks.counts]\nurl = "sqlite:///counts.db"\n')
    app = kafka_pipeline(
        f"{COUNT_STEP}\nab.to(row)", COUNT_PAIRS + ROWS, sink="INTO", name="counting"
    )

    def rows() -> list[tuple[str, int]]:
        with closing(sqlite3.connect(tmp_path / "counts.db", timeout=20)) as database:
            try:
                return database.execute("SELECT word, count FROM counts ORDER BY rowid").fetchall()
            except sqlite3.OperationalError:  # it is not made yet
                return []

    args = [*kafka_arguments(topic), "--config", "app.toml", *VENV]
    with Survivor(app, args, tmp_path) as servers:
        load = Load(topic, 1000, WORDS)
        servers.start().ready()
        wait_rows(rows, 1, servers.describe)
        for point in ("storage.write.before", "storage.write.after", "store.commit.after"):
            servers.servers[-1].kill()
            servers.start_to_die(point, 2)
        messages = load.stop()
        servers.start().ready()
        wait_rows(rows, messages, servers.describe)
        servers.drain()
    outputs = Sequences()
    for word, count in rows():
        outputs.add(word, count)
    assert outputs.last == expected_counts(messages, WORDS)
