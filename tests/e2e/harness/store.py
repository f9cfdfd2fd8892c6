"""A look into a resilience directory."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

FILE = "worker-0.sqlite3"


def ask_store(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    """Returns the rows that a SELECT finds in the store of a directory; [] without a store."""
    path = directory / FILE
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as store:
        return store.execute(sql).fetchall()


def change_store(directory: Path, sql: str, file: str = FILE) -> int:
    """Changes the store of what has ended; returns how many rows were."""
    with closing(sqlite3.connect(directory / file, timeout=10)) as store:
        changed = store.execute(sql).rowcount
        store.commit()
    return changed


def newest_epoch(directory: Path) -> int:
    """Returns the number of the newest epoch in the store; 0 without one."""
    rows = ask_store(directory, "SELECT max(n) FROM epoch")
    return (rows[0][0] or 0) if rows else 0


def positions_total(directory: Path) -> int:
    """Returns the sum of all positions of the newest epoch."""
    (row,) = ask_store(
        directory, "SELECT sum(value) FROM position WHERE epoch=(SELECT max(n) FROM epoch)"
    )
    return row[0]
