"""A storage sink that needs no server: one file for each worker and epoch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from .epoch import Epoch
from .errors import RejectedItems
from .rows import json_line, row_of, rows_of
from .settings import Key, Settings

EventT = TypeVar("EventT")
Format = Literal["jsonl", "parquet"]

FORMATS = ("jsonl", "parquet")
KEYS = (
    Key("directory", str, "where the files go"),
    Key("format", str, "jsonl or parquet", choices=FORMATS),
)


@dataclass(frozen=True)
class IntoFiles(Generic[EventT]):
    """Writes the records of each epoch into a file of its own: JSON lines or Parquet.

    payload: the type of the records: dataclasses, mappings, or, for JSON lines, anything that has
    JSON. directory: where the files go; made if it is missing. format: "jsonl" or "parquet" (needs
    pyarrow). name: the section `streaming.sinks.<name>`, whose `directory` and `format` win.

    A file is named `<name>-<worker>-<which>-<number>.jsonl`, written under another name, synced and
    renamed: whoever sees it sees all of it, and may move it away. With `--resilience-dir` `which`
    stands for the directory and the sink, `number` is the epoch's, and a record is in exactly one
    file: an epoch that comes again after a crash finds its file, or the note of the newest number.
    Without it `which` differs from run to run.
    """

    payload: type[EventT]
    directory: str = ""
    format: Format = "jsonl"
    name: str = ""
    router_branch_safe: ClassVar[bool] = True

    def config_mistakes(self, config: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
        """Yield what is wrong with a section: the key, None for all of it, and why."""
        settings = Settings(KEYS, config)
        yield from settings.mistakes()
        if not settings.text("directory", self.directory):
            yield None, "IntoFiles needs a directory"
        if settings.text("format", self.format) == "parquet" and not _has_pyarrow():
            yield None, "IntoFiles with the format parquet needs pyarrow in this environment"

    def build_partition(
        self,
        config: Mapping[str, Any],
        worker_index: int,
        worker_count: int,
        bridge: Any = None,
        session_manager: Any = None,
    ) -> FilesPartition:
        """Return a worker's partition. Raises ValueError, OSError for a directory of no use."""
        for _, text in self.config_mistakes(config):
            raise ValueError(text)
        settings = Settings(KEYS, config)
        return FilesPartition(
            Path(settings.text("directory", self.directory)),
            settings.text("format", self.format),
            f"{self.name or 'records'}-{worker_index}",
        )


class FilesPartition:
    """One worker's end of IntoFiles.

    directory: made if it is missing. stem: what the names of its files begin with.
    """

    def __init__(self, directory: Path, format: str, stem: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._format = format
        self._stem = stem
        self._run = f"{os.getpid():08d}-{os.urandom(4).hex()}"  # names no file of another run
        self._batches = 0

    def write_batch(self, items: Sequence[Any]) -> None:
        """Write a file whose number only counts."""
        self._write(items, f"{self._run}-{self._batches + 1:012d}")
        self._batches += 1

    def write_epoch(self, items: Sequence[Any], epoch: Epoch) -> None:
        """Write the epoch's file, unless it is there."""
        which = hashlib.sha256(epoch.sink.encode()).hexdigest()[:12]
        note = self._directory / f".{self._stem}-{which}.newest"
        if note.exists() and int(note.read_text()) >= epoch.number:
            return
        self._write(items, f"{which}-{epoch.number:012d}")
        _replace(note, str(epoch.number).encode())

    def close(self) -> None:
        """Nothing is held between two batches."""

    def _write(self, items: Sequence[Any], which: str) -> None:
        path = self._directory / f"{self._stem}-{which}.{self._format}"
        if path.exists():
            return
        content = _parquet(items) if self._format == "parquet" else _lines(items)
        _replace(path, content)


def _lines(items: Sequence[Any]) -> bytes:
    lines: list[str] = []
    wrong: dict[int, str] = {}
    for index, item in enumerate(items):
        try:
            lines.append(json_line(_row_or_value(item)))
        except (TypeError, ValueError) as error:
            wrong[index] = f"it has no JSON: {error}"
    if wrong:
        raise RejectedItems(wrong)
    return "".join(lines).encode(errors="surrogatepass")


def _row_or_value(item: Any) -> Any:
    try:
        return row_of(item)
    except TypeError:
        return item


def _parquet(items: Sequence[Any]) -> bytes:
    import pyarrow  # type: ignore[import-untyped]
    import pyarrow.parquet  # type: ignore[import-untyped]

    rows = rows_of(items)
    try:
        table = pyarrow.Table.from_pylist(rows)
    except pyarrow.ArrowInvalid:
        raise RejectedItems(_unlike_the_rest(pyarrow, rows)) from None
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return bytes(sink.getvalue())


def _unlike_the_rest(pyarrow: Any, rows: list[dict[str, Any]]) -> dict[int, str]:
    """Find the rows that don't fit those before them."""
    wrong: dict[int, str] = {}
    schema = pyarrow.Table.from_pylist(rows[:1]).schema
    for index, row in enumerate(rows):
        try:
            pyarrow.Table.from_pylist([row], schema=schema)
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
            wrong[index] = f"its values don't fit the columns of the batch: {error}"
    return wrong or {len(rows) - 1: "its values don't fit the columns of the batch"}


def _has_pyarrow() -> bool:
    import importlib.util

    return importlib.util.find_spec("pyarrow") is not None


def _replace(path: Path, content: bytes) -> None:
    """Make a file appear whole, for good."""
    part = path.with_name(f".{path.name.lstrip('.')}.part")
    with open(part, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(part, path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
