"""IntoTable on SQLite, through both drivers: rows, keys, tables that are made or looked up."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from wallaroo import AsyncBridge, Epoch, IntoSink, IntoTable, RejectedItems, SinkUnavailable
from wallaroo.storage.sessions import SessionManager
from wallaroo.storage.table_shape import WrongTable


@dataclass
class Order:
    id: int
    item: str
    price: float | None = None


@pytest.fixture(params=["sqlite", "sqlite+aiosqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Database"]:
    made = Database(request.param, tmp_path / "shop.db")
    yield made
    made.close()


class Database:
    """A SQLite file, the adapter's parts on it, and the partitions built."""

    def __init__(self, scheme: str, path: Path) -> None:
        self.path = path
        self.url = f"{scheme}:///{path}?timeout=0.5"
        self.bridge = AsyncBridge()
        self.sessions = SessionManager(self.url, self.bridge)

    def partition(self, sink: IntoTable[Any], **config: Any) -> Any:
        """Builds and opens a partition."""
        made = sink.build_partition({"url": self.url, **config}, 0, 1, self.bridge, self.sessions)
        made.open()
        return made

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Returns rows; each call sees what others have committed."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(sql).fetchall()

    def close(self) -> None:
        """Ends connections and bridge."""
        self.sessions.close()
        self.bridge.close()


def test_is_a_storage_sink() -> None:
    assert isinstance(IntoTable(Order, "orders"), IntoSink)
    assert IntoTable(Order).router_branch_safe is True


def test_table_is_made_of_a_dataclass(database: Database) -> None:
    orders = database.partition(IntoTable(Order, "orders", key=["id"]))
    orders.write_batch([Order(1, "tea", 2.5), Order(2, "cup")])
    assert database.ask("SELECT * FROM orders") == [(1, "tea", 2.5), (2, "cup", None)]
    columns = database.ask("SELECT name, type, \"notnull\", pk FROM pragma_table_info('orders')")
    assert [c[0] for c in columns] == ["id", "item", "price"]
    assert [(c[2], c[3]) for c in columns] == [(1, 1), (1, 0), (0, 0)]


class Point(NamedTuple):
    at: datetime
    amount: Decimal
    tags: list[str]


def test_named_tuples_and_richer_types(database: Database) -> None:
    points = database.partition(IntoTable(Point, "points"))
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    points.write_batch([Point(at, Decimal("1.50"), ["a", "b"])])
    ((when, amount, tags),) = database.ask("SELECT * FROM points")
    assert when.startswith("2026-01-02 03:04:05")
    assert (float(amount), tags) == (1.5, '["a", "b"]')


def test_mappings_need_columns_to_make_a_table(database: Database) -> None:
    with pytest.raises(WrongTable, match="give IntoTable\\(columns="):
        database.partition(IntoTable(dict, "orders"))
    orders = database.partition(IntoTable(dict, "orders", columns={"id": int, "item": str}))
    orders.write_batch([{"id": 1, "item": "tea"}, {"item": None, "id": 2}])
    assert database.ask("SELECT id, item FROM orders") == [(1, "tea"), (2, None)]


def test_existing_table_is_looked_up_and_keeps_its_defaults(database: Database) -> None:
    database.ask("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT DEFAULT 'none', n INT)")
    orders = database.partition(IntoTable(dict, "orders", create=False))
    orders.write_batch([{"n": 1}, {"n": 2, "item": "x"}, {"id": 7}])
    assert database.ask("SELECT * FROM orders") == [(1, "none", 1), (2, "x", 2), (7, "none", None)]


def test_missing_table_is_told_when_create_is_off(database: Database) -> None:
    with pytest.raises(WrongTable, match="there is no table orders, and create is off"):
        database.partition(IntoTable(Order, "orders"), create=False)


def test_existing_table_without_a_field_is_told(database: Database) -> None:
    database.ask("CREATE TABLE orders (id INTEGER)")
    with pytest.raises(WrongTable, match="the table orders lacks item, price of Order"):
        database.partition(IntoTable(Order, "orders"))


def test_upsert_replaces_by_key_and_the_last_one_wins(database: Database) -> None:
    orders = database.partition(IntoTable(Order, "orders", key=["id"], mode="upsert"))
    orders.write_batch([Order(1, "tea", 1), Order(2, "cup", 1), Order(1, "tea", 2)])
    orders.write_batch([Order(2, "cup", 9), Order(3, "pot", 1)])
    assert database.ask("SELECT id, price FROM orders ORDER BY id") == [(1, 2), (2, 9), (3, 1)]


def test_upsert_needs_a_unique_key_in_an_existing_table(database: Database) -> None:
    database.ask("CREATE TABLE orders (id INTEGER, item TEXT, price REAL)")
    sink = IntoTable(Order, "orders", key=["id"], mode="upsert")
    with pytest.raises(WrongTable, match="no primary key or unique constraint on id"):
        database.partition(sink)
    database.ask("CREATE UNIQUE INDEX by_id ON orders (id)")
    database.partition(sink)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_batch_size_only_cuts_statements(database: Database, size: int) -> None:
    orders = database.partition(IntoTable(Order, "orders", batch_size=size))
    orders.write_batch([Order(i, "x") for i in range(10)])
    assert database.ask("SELECT count(*), sum(id) FROM orders") == [(10, 45)]


def test_epoch_that_comes_again_is_skipped(database: Database) -> None:
    orders = database.partition(IntoTable(Order, "orders"))
    orders.write_epoch([Order(1, "a")], Epoch("machida-s-0-main", 4))
    orders.write_epoch([Order(1, "a")], Epoch("machida-s-0-main", 4))
    orders.write_epoch([Order(9, "z")], Epoch("machida-s-0-main", 3))
    orders.write_epoch([Order(2, "b")], Epoch("machida-s-0-main", 7))
    orders.write_epoch([Order(3, "c")], Epoch("machida-s-1-main", 1))  # another worker's
    assert database.ask("SELECT id FROM orders") == [(1,), (2,), (3,)]
    again = database.partition(IntoTable(Order, "orders"))  # after a restart
    again.write_epoch([Order(2, "b")], Epoch("machida-s-0-main", 7))
    assert database.ask("SELECT count(*) FROM orders") == [(3,)]
    assert database.ask("SELECT * FROM machida_epochs ORDER BY sink") == [
        ("machida-s-0-main", 7),
        ("machida-s-1-main", 1),
    ]


def test_rows_and_number_are_written_together_or_not_at_all(database: Database) -> None:
    orders = database.partition(IntoTable(Order, "orders"))
    database.ask(
        "CREATE TRIGGER no BEFORE INSERT ON machida_epochs WHEN NEW.number = 2 "
        "BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    with pytest.raises(Exception, match="not this one"):
        orders.write_epoch([Order(1, "a")], Epoch("s", 2))
    assert database.ask("SELECT count(*) FROM orders") == [(0,)]


def test_rows_that_the_database_refuses_are_named_and_nothing_is_written(
    database: Database,
) -> None:
    database.ask(
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT, price REAL CHECK(price>0))"
    )
    database.ask("INSERT INTO orders VALUES (2, 'there', 1)")
    orders = database.partition(IntoTable(Order, "orders"))
    rows = [Order(1, "a", 1), Order(2, "b", 1), Order(3, "c", -1), Order(4, "d", 1)]
    with pytest.raises(RejectedItems) as caught:
        orders.write_epoch(rows, Epoch("s", 1))
    assert sorted(caught.value.reasons) == [1, 2]
    assert "UNIQUE" in caught.value.reasons[1]
    assert "CHECK" in caught.value.reasons[2]
    assert database.ask("SELECT id FROM orders") == [(2,)]
    orders.write_epoch([rows[0], rows[3]], Epoch("s", 1))
    assert database.ask("SELECT id FROM orders") == [(1,), (2,), (4,)]


def test_records_that_are_no_rows_are_named(database: Database) -> None:
    orders = database.partition(IntoTable(Order, "orders"))
    with pytest.raises(RejectedItems) as caught:
        orders.write_batch([Order(1, "a"), "text", {"id": 2, "colour": "red"}])
    assert caught.value.reasons == {
        1: "a str is no row: give a dataclass or a mapping",
        2: "the table orders has no column colour",
    }


def test_locked_database_is_unavailable(database: Database, monkeypatch) -> None:
    orders = database.partition(IntoTable(Order, "orders"))
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SinkUnavailable, match="locked"):
            orders.write_batch([Order(1, "a")])
        other.execute("ROLLBACK")
    orders.write_batch([Order(1, "a")])
    assert database.ask("SELECT count(*) FROM orders") == [(1,)]


def test_close_forgets_the_numbers_of_the_run(database: Database) -> None:
    orders = database.partition(IntoTable(Order, "orders"))
    orders.write_batch([Order(1, "a")])
    assert len(database.ask("SELECT * FROM machida_epochs")) == 1
    orders.close()
    orders.close()
    assert database.ask("SELECT * FROM machida_epochs") == []


@pytest.mark.parametrize(
    ("sink", "config", "mistakes"),
    [
        (IntoTable(Order, "t"), {}, [(None, "IntoTable needs the url of a database")]),
        (IntoTable(Order), {"url": "sqlite://"}, [(None, "IntoTable needs a table")]),
        (
            IntoTable(Order, "t"),
            {"url": "no url, but secret"},
            [("url", "url is no database URL, such as postgresql+psycopg://...")],
        ),
        (
            IntoTable(Order, "t"),
            {"url": "sqlite://", "tabel": 1, "batch_size": "many", "mode": "merge"},
            [
                ("tabel", "unknown key 'tabel'; known: batch_size, create, mode, table, url"),
                ("batch_size", "batch_size (rows per statement) must be an integer"),
                ("mode", "mode (insert or upsert) must be one of insert, upsert"),
            ],
        ),
        (
            IntoTable(Order, "t"),
            {"url": "sqlite://", "mode": "upsert"},
            [(None, "IntoTable in the mode upsert needs the key: IntoTable(..., key=[...])")],
        ),
    ],
)
def test_mistakes_of_a_section(sink, config, mistakes) -> None:
    assert list(sink.config_mistakes(config)) == mistakes


def test_missing_driver_is_told() -> None:
    (mistake,) = IntoTable(Order, "t").config_mistakes({"url": "mysql+mysqldb://u:secret@h/d"})
    assert mistake[0] == "url"
    assert "MySQLdb" in mistake[1]
    assert "secret" not in mistake[1]
