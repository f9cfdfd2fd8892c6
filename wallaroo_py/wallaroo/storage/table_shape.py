"""What a table must look like: made from a record's type, or looked up in the database."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

_TYPES: dict[type, Any] = {
    bool: sa.Boolean(),
    int: sa.BigInteger(),
    float: sa.Double(),
    str: sa.Text(),
    bytes: sa.LargeBinary(),
    datetime: sa.DateTime(timezone=True),
    date: sa.Date(),
    time: sa.Time(),
    timedelta: sa.Interval(),
    Decimal: sa.Numeric(),
    UUID: sa.Uuid(),
    dict: sa.JSON(),
    list: sa.JSON(),
    tuple: sa.JSON(),
}


class WrongTable(ValueError):
    """The table can't be made, or is not what the sink needs; the text says why."""


@dataclass(frozen=True)
class TableShape:
    """What a sink knows of its table; see IntoTable for the fields."""

    table: str
    schema: str | None
    key: tuple[str, ...]
    upsert: bool
    create: bool
    types: Mapping[str, Any]
    payload: Any

    @property
    def full_name(self) -> str:
        """The name for messages."""
        return f"{self.schema}.{self.table}" if self.schema else self.table

    def resolve(self, connection: sa.Connection) -> sa.Table:
        """Return the table as it is in the database, after making it if it is missing.

        Raises WrongTable.
        """
        if not sa.inspect(connection).has_table(self.table, self.schema):
            if not self.create:
                raise WrongTable(f"there is no table {self.full_name}, and create is off")
            columns = list(self._columns())
            made = sa.Table(self.table, sa.MetaData(schema=self.schema), *columns)
            connection.execute(sa.schema.CreateTable(made, if_not_exists=True))
        table = sa.Table(self.table, sa.MetaData(), schema=self.schema, autoload_with=connection)
        self._check(connection, table)
        return table

    def _columns(self) -> Iterator[sa.Column[Any]]:
        hints = dict(self.types) or _hints(self.payload)
        if not hints:
            raise WrongTable(
                f"there is no table {self.full_name}, and a {_name(self.payload)} does not tell "
                "its columns: give IntoTable(columns={name: type}) or make the table"
            )
        for name in self.key:
            if name not in hints:
                raise WrongTable(f"the key {name!r} is none of the columns {', '.join(hints)}")
        for name, hint in hints.items():
            kind, optional = _column_type(name, hint)
            nullable = optional or name in self.types  # a mapping may lack it
            # Plain values, no numbers that the database makes.
            yield sa.Column(
                name,
                kind,
                primary_key=name in self.key,
                nullable=nullable and name not in self.key,
                autoincrement=False,
            )

    def _check(self, connection: sa.Connection, table: sa.Table) -> None:
        missing = [name for name in self.key if name not in table.columns]
        if missing:
            raise WrongTable(f"the table {self.full_name} has no column {', '.join(missing)}")
        unknown = [x for x in _hints(self.payload) if x not in table.columns]
        if unknown:
            raise WrongTable(
                f"the table {self.full_name} lacks {', '.join(unknown)} of {_name(self.payload)}"
            )
        if not self.upsert:
            return
        inspector = sa.inspect(connection)
        keys = [inspector.get_pk_constraint(self.table, self.schema)["constrained_columns"]]
        for unique in inspector.get_unique_constraints(self.table, self.schema):
            keys.append(unique["column_names"])
        for index in inspector.get_indexes(self.table, self.schema):
            if index["unique"]:
                keys.append([name for name in index["column_names"] if name])
        if not any(set(self.key) == set(columns) for columns in keys):
            raise WrongTable(
                f"the table {self.full_name} has no primary key or unique constraint on "
                f"{', '.join(self.key)}, which the mode upsert needs"
            )


def _hints(payload: Any) -> dict[str, Any]:
    """The type hints of a class with fields; {} for anything else, such as dict."""
    if not isinstance(payload, type) or payload.__module__ == "builtins":
        return {}
    try:
        hints = typing.get_type_hints(payload)
    except NameError as error:
        raise WrongTable(f"the type hints of {_name(payload)} can't be read: {error}") from None
    return {x: hint for x, hint in hints.items() if typing.get_origin(hint) is not typing.ClassVar}


def _column_type(name: str, hint: Any) -> tuple[Any, bool]:
    """Return an SQLAlchemy type and whether the value may be None."""
    if isinstance(hint, sa.types.TypeEngine):
        return hint, True
    if isinstance(hint, type) and issubclass(hint, sa.types.TypeEngine):
        return hint(), True
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
        if len(kinds) == 1:
            return _column_type(name, kinds[0])[0], True
    if origin is typing.Annotated:
        return _column_type(name, typing.get_args(hint)[0])
    if origin is typing.Literal:
        return _column_type(name, type(typing.get_args(hint)[0]))
    plain = origin if isinstance(origin, type) else hint
    if isinstance(plain, type):
        if issubclass(plain, enum.Enum):
            return _column_type(name, type(next(iter(plain)).value))
        for kind in plain.__mro__:
            if kind in _TYPES:
                return _TYPES[kind], False
    raise WrongTable(
        f"the column {name!r} has the type {hint!r}, for which there is no column type: give one "
        "in IntoTable(columns={name: type})"
    )


def _name(payload: Any) -> str:
    return str(getattr(payload, "__name__", payload))
