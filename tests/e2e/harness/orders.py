"""An application that counts frames by connection and stores each count in every storage at hand.

The oracle: each storage has the counts 1, 2, 3, ... of each connection, each once.
"""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from harness.apptext import PRELUDE
from harness.crash_tcp import COUNT_FRAMES, Talker, check_frames
from harness.deadline import wait_until
from harness.sequences import Sequences
from harness.storage_app import RECORDER

Row = tuple[int, int, int]

ORDERS = """\
@dataclass(frozen=True)
class Order:
    connection: int
    number: int
    count: int


@wallaroo.computation(name="order")
def order(text):
    return Order(*map(int, text.split()))


class Orders(Partition):
    def write_batch(self, items):
        self.note("write", items=[[x.connection, x.number, x.count] for x in items])


class OrderRecorder(Recorder):
    partition = Orders


"""
SQLITE = "shop.db"
FILES = "files"


def orders_application(sinks: str) -> str:
    """Returns a module that counts frames and ends in the sinks, expressions with commas between.

    There are Order, OrderRecorder and wallaroo's own.
    """
    setup = f"""\
def application_setup(args):
    ab = wallaroo.ApplicationBuilder("orders")
    ab.new_pipeline("main", source(args))
    ab.to_state_partition(count, Count, "counts", by_connection)
    ab.to(order)
    ab.to_sinks([{sinks}])
    return ab.build()
"""
    return f"{PRELUDE}{RECORDER}{COUNT_FRAMES}{ORDERS}{setup}"


def sqlite_rows(directory: Path) -> list[Row]:
    """Returns the rows of SQLite's table in the order they were written."""
    path = directory / SQLITE
    with closing(sqlite3.connect(path, timeout=20)) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'orders'").fetchall():
            return []
        return database.execute("SELECT * FROM orders ORDER BY rowid").fetchall()


def file_rows(directory: Path) -> list[Row]:
    """Returns the rows of all files, by epoch."""
    rows: list[Row] = []
    for path in sorted((directory / FILES).glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            rows.append((row["connection"], row["number"], row["count"]))
    return rows


def check_once(rows: Iterable[Row], talker: Talker) -> None:
    """Fails unless the rows are the whole counts of what was sent, each once and in order."""
    outputs = Sequences()
    for connection, number, count in rows:
        assert count == number + 1, f"the state does not fit: {(connection, number, count)}"
        outputs.add(connection, count)
    check_frames(talker, outputs.last)


def wait_rows(ask: object, count: int, describe: object = lambda: "") -> None:
    """Waits until ask() gives at least so many rows."""
    assert callable(ask)
    assert callable(describe)
    wait_until(lambda: len(ask()) >= count, lambda: f"{count} rows, of {len(ask())}{describe()}")
