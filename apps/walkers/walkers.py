"""Random walks and their records: a source and a sink that are written here."""

import sqlite3
from datetime import datetime
from typing import Any

from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

Step = tuple[str, tuple[int, int]]  # walker: number of the step, place after it
BATCH = 25


class Walk(StatefulSourcePartition):
    """One walker. Each step is one to the left or to the right, as a fixed series of bits says."""

    def __init__(self, name: str, steps: int, state: tuple[int, int, int] | None) -> None:
        self.name = name
        self.steps = steps
        self.step, self.place, self.random = state or (0, 0, sum(name.encode()))

    def next_batch(self, sched: datetime) -> list[Step]:
        if self.step == self.steps:
            raise StopIteration
        batch: list[Step] = []
        while self.step < self.steps and len(batch) < BATCH:
            self.random = (self.random * 1103515245 + 12345) % 2**31
            self.step += 1
            self.place += 1 if self.random >> 16 & 1 else -1
            batch.append((self.name, (self.step, self.place)))
        return batch

    def snapshot(self) -> tuple[int, int, int]:
        return self.step, self.place, self.random


class Walkers(FixedPartitionedSource):
    """Each walker is a partition, whose position is all that its next steps depend on."""

    def __init__(self, names: list[str], steps: int) -> None:
        self.names = names
        self.steps = steps

    def list_parts(self) -> list[str]:
        return self.names

    def build_part(self, now: datetime, for_part: str, resume_state: Any) -> Walk:
        return Walk(for_part, self.steps, resume_state)


class Table(StatefulSinkPartition):
    """The rows of one table; its position is the last row's number."""

    def __init__(self, path: str, last: int) -> None:
        self.database = sqlite3.connect(path)
        self.last = last
        with self.database:
            self.database.execute(
                "CREATE TABLE IF NOT EXISTS records "
                "(number INTEGER PRIMARY KEY, walker TEXT, step INTEGER, place INTEGER)"
            )
            # What was written behind the last snapshot is going to be written again.
            self.database.execute("DELETE FROM records WHERE number > ?", (last,))

    def write_batch(self, values: list[tuple[str, int, int]]) -> None:
        rows = [(self.last + n, *value) for n, value in enumerate(values, 1)]
        with self.database:
            self.database.executemany("INSERT INTO records VALUES (?, ?, ?, ?)", rows)
        self.last += len(rows)

    def snapshot(self) -> int:
        return self.last

    def close(self) -> None:
        self.database.close()


class Database(FixedPartitionedSink):
    """An SQLite database with one table, which one worker writes."""

    def __init__(self, path: str) -> None:
        self.path = path

    def list_parts(self) -> list[str]:
        return ["records"]

    def build_part(self, for_part: str, resume_state: int | None) -> Table:
        return Table(self.path, resume_state or 0)


def farther(farthest: int, walk: tuple[int, int]) -> tuple[int, tuple[int, int] | None]:
    """Return the new record, and the step that set it, if it did."""
    place = walk[1]
    return (place, walk) if abs(place) > abs(farthest) else (farthest, None)


def row(item: tuple[str, tuple[int, int] | None]) -> tuple[str, tuple[str, int, int]] | None:
    """Return what to write of a record; None for a step that set none."""
    walker, record = item
    return None if record is None else (walker, (walker, *record))


def make_flow(path: str, steps: int = 1000) -> Dataflow:
    """Let the walkers go, and write each step that leads farther than all before."""
    flow = Dataflow()
    flow.input("walks", Walkers(["ann", "ben", "cat", "dan"], steps))
    flow.stateful_map("farthest", lambda: 0, farther)
    flow.filter_map("row", row)
    flow.output("records", Database(path))
    return flow
