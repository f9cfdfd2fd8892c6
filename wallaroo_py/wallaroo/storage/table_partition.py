"""One worker's end of IntoTable: each epoch is one transaction, with its number in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .database_errors import is_about_a_row, is_unavailable, reason, was_made_meanwhile
from .epoch import Epoch
from .errors import RejectedItems, SinkUnavailable
from .rows import Row, rows_of
from .table_shape import TableShape

if TYPE_CHECKING:
    from .async_bridge import AsyncBridge
    from .sessions import SessionManager

T = TypeVar("T")

EPOCHS = "machida_epochs"
CLOSE_S_MAX = 3.0
MAKE_TRIES = 10  # of making tables while other sinks and workers make them


class TablePartition:
    """Writes epochs into one table.

    Without `--resilience-dir` batches are numbered under a name of this run's own, so that a batch
    whose commit's answer was lost is not written again.
    """

    def __init__(
        self,
        shape: TableShape,
        batch_size: int,
        sessions: SessionManager,
        bridge: AsyncBridge | None,
    ) -> None:
        self._shape = shape
        self._batch_size = batch_size
        self._sessions = sessions
        self._bridge = bridge
        self._table: sa.Table | None = None
        self._run = Epoch(f"run-{os.urandom(8).hex()}", 0)
        self._epochs = sa.Table(
            EPOCHS,
            sa.MetaData(schema=shape.schema),
            sa.Column("sink", sa.String(500), primary_key=True),
            sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        )

    def open(self) -> None:
        """Make or look up the tables. Raises WrongTable, SinkUnavailable."""
        tries = 0
        while self._table is None:
            try:
                self._table = self._transact(self._resolve)
            except sa.exc.DBAPIError as error:
                tries += 1
                if tries == MAKE_TRIES or not was_made_meanwhile(error):
                    raise

    def write_batch(self, items: Sequence[Any]) -> None:
        """Write the rows in one transaction."""
        batch = Epoch(self._run.sink, self._run.number + 1)
        self.write_epoch(items, batch)
        self._run = batch

    def write_epoch(self, items: Sequence[Any], epoch: Epoch) -> None:
        """Write the rows and the epoch's number, unless that is there already.

        Raises RejectedItems for rows that the table can't take, SinkUnavailable.
        """
        self.open()
        rows = rows_of(items, self._unknown_column)
        try:
            self._transact(lambda session: self._write_once(session, rows, epoch))
        except sa.exc.SQLAlchemyError as error:
            if not is_about_a_row(error):
                raise
            wrong = self._transact(lambda session: self._try_each(session, rows))
            if not wrong:
                raise
            raise RejectedItems(wrong) from error

    def close(self) -> None:
        """Forget this run's numbers; the connections are the adapter's."""
        if self._run.number == 0:
            return
        forget = sa.delete(self._epochs).where(self._epochs.c.sink == self._run.sink)
        self._run = Epoch(self._run.sink, 0)
        with contextlib.suppress(SinkUnavailable):  # a row stays behind, which nothing looks at
            self._transact(lambda session: session.execute(forget), CLOSE_S_MAX)

    def _transact(self, work: Callable[[Session], T], timeout: float | None = None) -> T:
        """Run work(session) in a transaction, on the bridge if the driver is an async one."""
        try:
            if not self._sessions.is_async:
                with self._sessions() as session, session.begin():
                    return work(session)
            assert self._bridge is not None

            async def run() -> T:
                async with self._sessions() as session, session.begin():
                    result: T = await session.run_sync(work)
                    return result

            return self._bridge.run(run(), timeout)
        except Exception as error:
            if is_unavailable(error):
                raise SinkUnavailable(reason(error)) from error
            raise

    def _resolve(self, session: Session) -> sa.Table:
        connection = session.connection()
        connection.execute(sa.schema.CreateTable(self._epochs, if_not_exists=True))
        return self._shape.resolve(connection)

    def _unknown_column(self, row: Row) -> str:
        assert self._table is not None
        unknown = [str(name) for name in row if name not in self._table.columns]
        if not unknown:
            return ""
        return f"the table {self._shape.full_name} has no column {', '.join(unknown)}"

    def _write_once(self, session: Session, rows: list[Row], epoch: Epoch) -> None:
        number = self._epochs.c.number
        known = session.execute(
            sa.select(number).where(self._epochs.c.sink == epoch.sink).with_for_update()
        ).scalar_one_or_none()
        if known is not None and known >= epoch.number:
            return
        self._write(session, rows)
        if known is None:
            session.execute(sa.insert(self._epochs), {"sink": epoch.sink, "number": epoch.number})
        else:
            session.execute(
                sa.update(self._epochs)
                .where(self._epochs.c.sink == epoch.sink)
                .values(number=epoch.number)
            )

    def _write(self, session: Session, rows: list[Row]) -> None:
        # A column that a row lacks gets the table's default: rows of one statement lack the same.
        for columns, alike in groupby(rows, key=tuple):
            statement = self._statement(session, columns)
            for chunk in self._chunks(list(alike)):
                session.execute(statement, chunk)

    def _chunks(self, rows: list[Row]) -> Iterator[list[Row]]:
        for at in range(0, len(rows), self._batch_size):
            chunk = rows[at : at + self._batch_size]
            if self._shape.upsert:  # the last one wins, as if written one by one
                chunk = list(
                    {tuple(row.get(x) for x in self._shape.key): row for row in chunk}.values()
                )
            yield chunk

    def _statement(self, session: Session, columns: Sequence[str]) -> Any:
        table = self._table
        assert table is not None
        if not self._shape.upsert:
            return sa.insert(table)
        name = session.get_bind().dialect.name
        if name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert
        elif name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
        else:
            raise ValueError(f"IntoTable can't upsert on {name}: PostgreSQL and SQLite only")
        statement = insert(table)
        changed = {x: statement.excluded[x] for x in columns if x not in self._shape.key}
        if not changed:
            return statement.on_conflict_do_nothing(index_elements=list(self._shape.key))
        return statement.on_conflict_do_update(index_elements=list(self._shape.key), set_=changed)

    def _try_each(self, session: Session, rows: list[Row]) -> dict[int, str]:
        """Find the rows that the database refuses; nothing stays written."""
        wrong: dict[int, str] = {}
        for index, row in enumerate(rows):
            try:
                with session.begin_nested():
                    session.execute(self._statement(session, tuple(row)), [row])
            except sa.exc.SQLAlchemyError as error:
                if not is_about_a_row(error):
                    raise
                wrong[index] = reason(error)
        session.rollback()
        return wrong
