"""Servers with storage sinks are killed: the built-in ones have each record exactly once."""

from pathlib import Path

import pytest
from harness import LETTERS, VENV, Sequences, Survivor, Talker, calls, wait_letters, wait_until
from harness.orders import (
    SQLITE,
    check_once,
    file_rows,
    orders_application,
    sqlite_rows,
    wait_rows,
)

POINTS = [
    "snapshot.before",
    "store.commit.before",
    "store.commit.after",
    "storage.write.before",
    "storage.write.after",
    "epoch.close.before",
    "epoch.close.after",
]
SINKS = (
    'wallaroo.IntoTable(Order, "orders", name="table"), wallaroo.IntoFiles(Order, "files"), '
    "OrderRecorder()"
)
CONFIG = f'[streaming.sinks.table]\nurl = "sqlite:///{SQLITE}"\n'


def survivor(directory: Path) -> Survivor:
    (directory / "app.toml").write_text(CONFIG)
    args = ["--in", "127.0.0.1:0", "--config", "app.toml", *VENV]
    return Survivor(orders_application(SINKS), args, directory)


def check_at_least_once(directory: Path) -> int:
    """Checks what the recorder got, life by life; returns how many records came again."""
    outputs = Sequences()
    for call in calls(directory):
        if call["call"] == "build":
            outputs.begin_life()
        for connection, _, count in call.get("items", ()):
            outputs.add_again(connection, count)
    return outputs.repeated


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_of_an_epoch(tmp_path: Path, point: str) -> None:
    with survivor(tmp_path) as shop:
        talker = Talker(shop.start_listening())
        wait_rows(lambda: sqlite_rows(tmp_path), 1, shop.describe)
        shop.servers[-1].kill()
        for times in (2, 1):
            shop.start_to_die(point, times)
        shop.start().ready()
        talker.stop()
        shop.drain()
        check_once(sqlite_rows(tmp_path), talker)
        check_once(file_rows(tmp_path), talker)
        check_at_least_once(tmp_path)
        before = len(sqlite_rows(tmp_path)), len(file_rows(tmp_path)), len(calls(tmp_path, "write"))
        shop.start().ready()
        shop.drain()
        assert before == (
            *(len(sqlite_rows(tmp_path)), len(file_rows(tmp_path))),
            len(calls(tmp_path, "write")),
        ), "a restart after a stop repeats nothing"


def test_an_epoch_that_was_stored_and_not_written_comes_again_as_it_was(tmp_path: Path) -> None:
    app = orders_application("OrderRecorder()")
    with Survivor(app, ["--in", "127.0.0.1:0"], tmp_path) as shop:
        talker = Talker(shop.start_listening())
        wait_until(lambda: calls(tmp_path, "write"), "a write")
        shop.servers[-1].kill()
        shop.start_to_die("storage.write.after")
        last = calls(tmp_path, "write")[-1]
        known = len(calls(tmp_path, "write"))
        shop.start().ready()
        wait_until(lambda: len(calls(tmp_path, "write")) > known, "the next write")
        assert calls(tmp_path, "write")[known]["items"] == last["items"]
        talker.stop()
        shop.drain()


def test_a_storage_that_is_away_keeps_its_epoch_until_it_is_back(tmp_path: Path) -> None:
    app = orders_application("GoneRecorder()").replace(
        "def application_setup",
        """\
class Gone(Orders):
    def write_batch(self, items):
        if not Path("go").exists():
            raise wallaroo.SinkUnavailable("away")
        super().write_batch(items)


class GoneRecorder(Recorder):
    partition = Gone


def application_setup""",
    )
    args = ["--in", "127.0.0.1:0", "--drain-timeout", "0.2"]
    with Survivor(app, args, tmp_path) as shop:
        talker = Talker(shop.start_listening(), per_s=500)
        shop.servers[-1].wait_stderr("away")
        assert shop.servers[-1].terminate() == 1  # it can't be drained
        (tmp_path / "go").touch()
        shop.start().ready()
        talker.stop()
        shop.drain()
        assert check_at_least_once(tmp_path) == 0
        rows = [tuple(item) for call in calls(tmp_path, "write") for item in call["items"]]
        check_once(rows, talker)


def test_record_that_can_not_be_pickled_is_a_dead_letter(tmp_path: Path) -> None:
    app = orders_application("OrderRecorder()").replace(
        "    return Order(*map(int, text.split()))",
        "    made = Order(*map(int, text.split()))\n"
        "    if made.number == 1: object.__setattr__(made, 'no', lambda: 0)\n"
        "    return made",
    )
    args = ["--in", "127.0.0.1:0", *LETTERS]
    with Survivor(app, args, tmp_path) as shop:
        talker = Talker(shop.start_listening(), per_s=500)
        (letter,) = wait_letters(tmp_path, 1)[:1]
        assert letter["step"] == "sink"
        assert "local object" in letter["error"]  # whose lambda pickle does not take
        wait_until(lambda: calls(tmp_path, "write"), "a write")
        talker.stop()
        shop.drain()
        numbers = [item[1] for call in calls(tmp_path, "write") for item in call["items"]]
        assert 1 not in numbers
        assert {0, 2} <= set(numbers)


def test_serialize_of_the_application_is_used_for_records_too(tmp_path: Path) -> None:
    app = orders_application("OrderRecorder()") + (
        "\n\ndef serialize(thing):\n"
        "    if isinstance(thing, Count):\n"
        "        return json.dumps(thing.count).encode()\n"
        "    return json.dumps([thing.connection, thing.number, thing.count]).encode()\n"
        "\n\ndef deserialize(data):\n"
        "    read = json.loads(data)\n"
        "    if isinstance(read, int):\n"
        "        made = Count()\n"
        "        made.count = read\n"
        "        return made\n"
        "    return Order(*read)\n"
    )
    with Survivor(app, ["--in", "127.0.0.1:0"], tmp_path) as shop:
        talker = Talker(shop.start_listening(), per_s=500)
        wait_until(lambda: calls(tmp_path, "write"), "a write")
        shop.servers[-1].kill()
        shop.start_to_die("storage.write.before")
        shop.start().ready()
        talker.stop()
        shop.drain()
        check_at_least_once(tmp_path)
        written = {tuple(item) for call in calls(tmp_path, "write") for item in call["items"]}
        check_once(sorted(written), talker)
