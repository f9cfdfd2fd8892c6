"""A storage sink that writes rows into a table of a database, through SQLAlchemy 2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from .settings import Key, Settings

if TYPE_CHECKING:
    from .async_bridge import AsyncBridge
    from .sessions import SessionManager
    from .table_partition import TablePartition

EventT = TypeVar("EventT")
Mode = Literal["insert", "upsert"]

MODES = ("insert", "upsert")
KEYS = (
    Key("url", str, "the database"),
    Key("table", str, "its table"),
    Key("mode", str, "insert or upsert", choices=MODES),
    Key("create", bool, "whether a missing table is made"),
    Key("batch_size", int, "rows per statement"),
)


@dataclass(frozen=True)
class IntoTable(Generic[EventT]):
    """Writes the records of each epoch into a table, in one transaction.

    payload: the type of the records: dataclasses, NamedTuples, msgspec structs or mappings, whose
    names are the table's columns. table: its name, with its schema in front if it has one
    ("shop.orders"). key: the columns that tell rows apart; the primary key of a table that is made.
    mode: "insert", or "upsert": a row whose key is there replaces it. create: whether a missing
    table is made, with columns as the payload's type hints or `columns` say; otherwise it must be
    there. columns: name -> type (int, str, datetime, ... or an SQLAlchemy type), where the payload
    does not tell. batch_size: rows per statement.
    name: the section `streaming.sinks.<name>` with the database's `url`, such as
    `postgresql://user:${PASSWORD}@host/shop` (with the first driver that is installed),
    `postgresql+asyncpg://...` or `sqlite:///file`; its `table`, `mode`, `create` and `batch_size`
    win over these fields.

    With the rows the transaction stores the epoch's number, in the table `machida_epochs` beside
    the rows' one: with `--resilience-dir` a record is there exactly once, whatever dies when. A
    database that is away is waited for. Rows that it refuses (a constraint, a value that does not
    fit, an unknown column) become dead letters, the others are written.

    Needs SQLAlchemy 2 and a driver in the application's environment: psycopg or asyncpg for
    PostgreSQL, nothing or aiosqlite for SQLite.
    """

    payload: type[EventT]
    table: str = ""
    key: Sequence[str] = ()
    mode: Mode = "insert"
    create: bool = True
    columns: Mapping[str, Any] | None = None
    batch_size: int = 1000
    name: str = ""
    router_branch_safe: ClassVar[bool] = True

    def config_mistakes(self, config: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
        """Yield what is wrong with a section: the key, None for all of it, and why."""
        settings = Settings(KEYS, config)
        yield from settings.mistakes()
        if "url" not in config:
            yield None, "IntoTable needs the url of a database"
        elif isinstance(config["url"], str):
            from .sessions import url_mistake

            problem = url_mistake(config["url"])
            if problem:
                yield "url", problem
        if not settings.text("table", self.table):
            yield None, "IntoTable needs a table"
        if settings.text("mode", self.mode) == "upsert" and not self.key:
            yield None, "IntoTable in the mode upsert needs the key: IntoTable(..., key=[...])"

    def build_partition(
        self,
        config: Mapping[str, Any],
        worker_index: int,
        worker_count: int,
        bridge: AsyncBridge | None = None,
        session_manager: SessionManager | None = None,
    ) -> TablePartition:
        """Return a worker's partition. Raises ValueError for a section that is of no use."""
        for _, text in self.config_mistakes(config):
            raise ValueError(text)
        assert session_manager is not None  # there is a url
        from .table_partition import TablePartition
        from .table_shape import TableShape

        settings = Settings(KEYS, config)
        schema, _, table = settings.text("table", self.table).rpartition(".")
        shape = TableShape(
            table=table,
            schema=schema or None,
            key=tuple(self.key),
            upsert=settings.text("mode", self.mode) == "upsert",
            create=settings.flag("create", self.create),
            types=dict(self.columns or {}),
            payload=self.payload,
        )
        size = settings.number("batch_size", self.batch_size)
        return TablePartition(shape, size, session_manager, bridge)
