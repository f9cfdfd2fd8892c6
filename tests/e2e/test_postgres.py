"""IntoTable on a real PostgreSQL, which is killed and started again under load."""

import time
from pathlib import Path
from typing import Any, Literal

import pytest
from harness import LETTERS, VENV, Serve, Survivor, Talker, send, storage_app, wait_letters
from harness.orders import Row, check_once, orders_application, wait_rows
from harness.postgres import Postgres

Driver = Literal["psycopg", "asyncpg"]
DRIVERS: list[Driver] = ["psycopg", "asyncpg"]
POINTS = {"psycopg": ["storage.write.after", "storage.write.before"], "asyncpg": []}
SHORT = ("--epoch-interval", "0.05")


class Shop:
    """An application that writes orders into a table of its own."""

    def __init__(
        self, postgres: Postgres, directory: Path, table: str, driver: Driver, per_s: int = 1000
    ) -> None:
        self.postgres = postgres
        self.table = table
        self.per_s = per_s
        (directory / "app.toml").write_text('[streaming.sinks.shop]\nurl = "${DATABASE}"\n')
        self.text = orders_application(f'wallaroo.IntoTable(Order, "{table}", name="shop")')
        self.args = ["--in", "127.0.0.1:0", "--config", "app.toml", *VENV]
        self.env = {"DATABASE": postgres.url(driver)}

    def rows(self) -> list[Row]:
        """Returns the table by connection and count; [] before it is made."""
        if self.postgres.ask("SELECT to_regclass(%s)", [self.table]) == [(None,)]:
            return []
        return self.postgres.ask(  # type: ignore[return-value]
            f"SELECT connection, number, count FROM {self.table} ORDER BY connection, count"
        )

    def kill_database(self, times: int) -> None:
        """Kills PostgreSQL under load; each time rows come again after it was started."""
        for _ in range(times):
            known = len(self.rows())
            self.postgres.kill()
            time.sleep(0.2)  # meanwhile orders come
            self.postgres.start()
            wait_rows(self.rows, known + 50)


@pytest.mark.parametrize("driver", DRIVERS)
def test_database_killed_under_load_has_every_row_once(
    serve: Serve, postgres: Postgres, tmp_path: Path, driver: Driver
) -> None:
    shop = Shop(postgres, tmp_path, f"plain_{driver}", driver)
    server = serve(shop.text, *shop.args, *SHORT, env=shop.env)
    talker = Talker(server.address(), shop.per_s)
    wait_rows(shop.rows, 1)
    shop.kill_database(2 if driver == "psycopg" else 1)
    talker.stop()
    assert server.terminate() == 0, server.stderr
    check_once(shop.rows(), talker)
    assert server.summary()["dead letters"] == 0
    assert postgres.password not in server.stderr + server.stdout
    assert server.log_lines("IntoTable 'shop': goes on")
    assert postgres.ask("SELECT sink FROM machida_epochs WHERE sink LIKE 'run-%'") == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_server_and_database_killed_under_load_have_every_row_once(
    postgres: Postgres, tmp_path: Path, driver: Driver
) -> None:
    shop = Shop(postgres, tmp_path, f"durable_{driver}", driver)
    with Survivor(shop.text, shop.args, tmp_path) as servers:
        start = servers.start
        servers.start = lambda *options, env=None: start(*options, env=shop.env | (env or {}))
        talker = Talker(servers.start_listening(), shop.per_s)
        wait_rows(shop.rows, 1, servers.describe)
        for point in POINTS[driver]:
            servers.servers[-1].kill()
            servers.start_to_die(point, 2)
            servers.start().ready()
            shop.kill_database(1)
        postgres.kill()
        servers.servers[-1].kill()  # both are away
        postgres.start()
        servers.start().ready()
        talker.stop()
        servers.drain()
        check_once(shop.rows(), talker)
        assert postgres.password not in servers.describe()


def test_sinks_that_make_their_tables_at_once_do_not_disturb_each_other(
    serve: Serve, postgres: Postgres, tmp_path: Path
) -> None:
    postgres.ask("DROP TABLE IF EXISTS machida_epochs")
    (tmp_path / "app.toml").write_text('[streaming.sinks.shop]\nurl = "${DATABASE}"\n')
    sinks = ", ".join('wallaroo.IntoTable(Order, "at_once", name="shop")' for _ in range(8))
    options = ("--config", "app.toml", *VENV, *SHORT)
    server = serve(orders_application(sinks), *options, env={"DATABASE": postgres.url()})
    send(server.address(), "0 0")
    assert server.terminate() == 0
    assert postgres.ask("SELECT count(*) FROM at_once") == [(8,)]


def test_server_that_starts_before_its_database_waits_for_it(
    serve: Serve, postgres: Postgres, tmp_path: Path
) -> None:
    shop = Shop(postgres, tmp_path, "early", "psycopg")
    postgres.kill()
    server = serve(shop.text, *shop.args, *SHORT, env=shop.env, ready=False)
    server.wait_stderr("trying again until it is there, the sources open then")
    assert server.addresses == {}
    postgres.start()
    server.ready()
    assert server.terminate() == 0


TYPES = """
import enum
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Item:
    id: int
    name: str | None
    price: Decimal
    weight: float
    sold: bool
    at: datetime
    day: date
    code: uuid.UUID
    raw: bytes
    tags: list[str]
    more: dict
    colour: Colour


@wallaroo.computation(name="item")
def item(text):
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    return Item(int(text), None, Decimal("1.50"), 0.5, True, at, at.date(),
                uuid.UUID(int=7), b"\\0\\xff", ["a"], {"b": [1]}, Colour.RED)
"""


def table_app(table: str, defs: str, step: str, arguments: str) -> str:
    return storage_app(
        f'ab.to(step)\n    ab.to_sink(wallaroo.IntoTable({arguments}, name="shop"))',
        f"{defs}\nstep = {step}\n",
    ).replace("TABLE", table)


def run(
    serve: Serve, postgres: Postgres, directory: Path, app: str, driver: Driver, *payloads: str
) -> Any:
    """Runs an application on the payloads, to the end; returns the server."""
    (directory / "app.toml").write_text('[streaming.sinks.shop]\nurl = "${DATABASE}"\n')
    options = ("--config", "app.toml", *VENV, *LETTERS, *SHORT)
    server = serve(app, *options, env={"DATABASE": postgres.url(driver)})
    send(server.address(), *payloads)
    assert server.terminate() == 0, server.stderr
    return server


@pytest.mark.parametrize("driver", DRIVERS)
def test_types_of_a_dataclass_make_a_table(
    serve: Serve, postgres: Postgres, tmp_path: Path, driver: Driver
) -> None:
    table = f"types_{driver}"
    app = table_app(table, TYPES, "item", 'Item, "TABLE", key=["id"]')
    server = run(serve, postgres, tmp_path, app, driver, "1")
    assert server.summary()["dead letters"] == 0, server.stderr
    ((row),) = postgres.ask(
        f"SELECT id, name, price::text, weight, sold, at AT TIME ZONE 'UTC', day::text, code::text,"
        f" encode(raw, 'hex'), tags::text, more::text, colour FROM {table}"
    )
    assert [str(x) for x in row] == [
        *("1", "None", "1.50", "0.5", "True", "2026-01-02 03:04:05", "2026-01-02"),
        *("00000000-0000-0000-0000-000000000007", "00ff", '["a"]', '{"b": [1]}', "red"),
    ]


PAIR = """
@wallaroo.computation(name="pair")
def pair(text):
    key, value = text.split()
    return {"key": key, "value": int(value) if value.isdecimal() else value}
"""


@pytest.mark.parametrize("driver", DRIVERS)
def test_upsert_into_an_existing_table_in_a_schema(
    serve: Serve, postgres: Postgres, tmp_path: Path, driver: Driver
) -> None:
    postgres.ask("CREATE SCHEMA IF NOT EXISTS stock")
    table = f"stock.upsert_{driver}"
    postgres.ask(f"CREATE TABLE {table} (key text UNIQUE, value int, note text DEFAULT 'new')")
    postgres.ask(f"INSERT INTO {table} VALUES ('a', 0, 'old')")
    app = table_app(table, PAIR, "pair", 'dict, "TABLE", key=["key"], mode="upsert", batch_size=2')
    run(serve, postgres, tmp_path, app, driver, "a 1", "b 1", "b 2", "b 3", "c 1", "a 2")
    assert sorted(postgres.ask(f"SELECT * FROM {table}")) == [
        ("a", 2, "old"),
        ("b", 3, "new"),
        ("c", 1, "new"),
    ]


@pytest.mark.parametrize("driver", DRIVERS)
def test_rows_that_the_database_refuses_become_dead_letters(
    serve: Serve, postgres: Postgres, tmp_path: Path, driver: Driver
) -> None:
    table = f"refused_{driver}"
    postgres.ask(f"CREATE TABLE {table} (key text PRIMARY KEY, value int CHECK (value < 10))")
    app = table_app(table, PAIR, "pair", 'dict, "TABLE"')
    run(serve, postgres, tmp_path, app, driver, "a 1", "b 10", "a 2", "c many", "d 4")
    assert sorted(postgres.ask(f"SELECT * FROM {table}")) == [("a", 1), ("d", 4)]
    letters = wait_letters(tmp_path, 3)
    assert sorted(letter["input"] for letter in letters) == [
        "{'key': 'a', 'value': 2}",
        "{'key': 'b', 'value': 10}",
        "{'key': 'c', 'value': 'many'}",
    ]
    assert all(letter["error"].startswith("RejectedItems: ") for letter in letters)
    assert all(letter["step"] == "sink" for letter in letters)
