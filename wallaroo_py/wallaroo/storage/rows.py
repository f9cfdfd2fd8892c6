"""Records as rows: mappings from column to value."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from .errors import RejectedItems

Row = dict[str, Any]


def row_of(record: Any) -> Row:
    """Return a record as a dict.

    record: a mapping with str keys, an object of a dataclass, a NamedTuple, or an object with
    `_asdict()` or `__struct_fields__` (msgspec).
    Raises TypeError for anything else.
    """
    if isinstance(record, Mapping):
        return dict(record)
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    if isinstance(record, tuple) and hasattr(record, "_asdict"):
        return dict(record._asdict())
    fields = getattr(record, "__struct_fields__", None)
    if fields is not None and not isinstance(record, type):
        return {name: getattr(record, name) for name in fields}
    raise TypeError(f"a {type(record).__name__} is no row: give a dataclass or a mapping")


def rows_of(records: Sequence[Any], check: Callable[[Row], str] = lambda row: "") -> list[Row]:
    """Return all records as dicts; members of enumerations become their values.

    check: says what is wrong with a row, "" when nothing is.
    Raises RejectedItems with those that are none or that are wrong.
    """
    rows: list[Row] = []
    wrong: dict[int, str] = {}
    for index, record in enumerate(records):
        try:
            row = row_of(record)
        except TypeError as error:
            wrong[index] = str(error)
            continue
        problem = check(row)
        if problem:
            wrong[index] = problem
        rows.append({name: _of_enum(value) for name, value in row.items()})
    if wrong:
        raise RejectedItems(wrong)
    return rows


def _of_enum(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def json_line(row: Any) -> str:
    """Return a row as one line of JSON with its newline.

    Times, decimals and UUIDs become text, members of enumerations their values, bytes UTF-8 with
    backslashes, sets and dataclasses within lists and objects.
    Raises TypeError and ValueError for what has no JSON.
    """
    return json.dumps(row, default=_plain, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode(errors="backslashreplace")
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return list(value)
    return row_of(value)
