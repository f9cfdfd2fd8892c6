"""Read and write text files.

Reading is resumed at the line where the last snapshot was; writing too, so each line is written
once, also after a crash. Text is in the encoding of the locale, as with `open`.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TextIO
from zlib import adler32

from .arguments import now_may_be_left_out
from .outputs import FixedPartitionedSink, StatefulSinkPartition
from .sources import FixedPartitionedSource, StatefulSourcePartition

__all__ = ["CSVSource", "DirSink", "DirSource", "FileSink", "FileSource"]

_SEPARATOR = "::"


def _get_path_dev(path: Path) -> str:
    """Return the number of the device that a path is on, in hexadecimal."""
    return hex(path.stat().st_dev)


def _fs_id(get_fs_id: Callable[[Path], str], directory: Path) -> str:
    """Return the id of a directory's file system. Raises ValueError when no name can hold it."""
    fs_id = get_fs_id(directory)
    if _SEPARATOR in fs_id:
        raise ValueError(f"result of `get_fs_id` must not contain `::`; got {fs_id!r}")
    return fs_id


def _batch_size(batch_size: int) -> int:
    if batch_size < 1:
        raise ValueError(f"argument 'batch_size': must be 1 or more, got {batch_size!r}")
    return batch_size


class _FileSourcePartition(StatefulSourcePartition):
    def __init__(self, path: Path, batch_size: int, resume_state: int | None) -> None:
        self._file = open(path)  # noqa: SIM115 - closed by close()
        if resume_state is not None:
            self._file.seek(resume_state)
        # Not the file itself as iterator: that would forbid tell().
        self._lines = iter(self._file.readline, "")
        self._batch_size = batch_size

    def next_batch(self, sched: Any = None) -> list[Any]:
        lines = list(islice(self._lines, self._batch_size))
        if not lines:
            raise StopIteration
        return [line.rstrip("\n") for line in lines]

    def snapshot(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


class FileSource(FixedPartitionedSource):
    """Read a file, one item for each line, a str without its newline.

    path: of the file, which must exist when the flow runs. batch_size: lines read at once.
    get_fs_id: gets the file's directory, returns an id of its file system, unless given its device
    number: with the path it names the only partition.
    Raises ValueError for a batch_size below 1; when the flow runs FileNotFoundError when there is
    no such file, ValueError for an id that has `::` in it.
    """

    def __init__(
        self,
        path: Path | str,
        batch_size: int = 1000,
        get_fs_id: Callable[[Path], str] = _get_path_dev,
    ) -> None:
        self._path = Path(path)
        self._batch_size = _batch_size(batch_size)
        self._get_fs_id = get_fs_id

    def list_parts(self) -> list[str]:
        """Return the name of the only partition, `FILESYSTEM::PATH`."""
        return [f"{_fs_id(self._get_fs_id, self._path.parent)}{_SEPARATOR}{self._path}"]

    @now_may_be_left_out
    def build_part(
        self, _now: Any, part_key: str, resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Open the file, at the position of the last snapshot."""
        return _FileSourcePartition(self._path, self._batch_size, resume_state)


class DirSource(FixedPartitionedSource):
    """Read the files of a directory, one item for each line, a str without its newline.

    Each file is a partition; there is no order between files. Files are found when the flow starts.

    dir_path: the directory. glob_pat: which of its files, a pattern of `Path.glob`. batch_size:
    lines of a file read at once. get_fs_id: gets the directory, returns an id of its file system,
    unless given its device number: with a file's relative path it names a partition.
    Raises ValueError when there is no such directory, for a batch_size below 1, and for an id that
    has `::` in it.
    """

    def __init__(
        self,
        dir_path: Path | str,
        glob_pat: str = "*",
        batch_size: int = 1000,
        get_fs_id: Callable[[Path], str] = _get_path_dev,
    ) -> None:
        directory = Path(dir_path)
        if not directory.exists():
            raise ValueError(f"input directory `{directory}` does not exist")
        if not directory.is_dir():
            raise ValueError(f"input directory `{directory}` is not a directory")
        self._directory = directory
        self._glob_pat = glob_pat
        self._batch_size = _batch_size(batch_size)
        self._fs_id = _fs_id(get_fs_id, directory)

    def list_parts(self) -> list[str]:
        """Return a name for each file, `FILESYSTEM::RELATIVE PATH`, sorted."""
        files = sorted(path for path in self._directory.glob(self._glob_pat) if path.is_file())
        return [f"{self._fs_id}{_SEPARATOR}{path.relative_to(self._directory)}" for path in files]

    @now_may_be_left_out
    def build_part(
        self, _now: Any, part_key: str, resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Open a file, at the position of the last snapshot."""
        relative = part_key.partition(_SEPARATOR)[2]
        return _FileSourcePartition(self._directory / relative, self._batch_size, resume_state)


class _CSVPartition(StatefulSourcePartition):
    def __init__(
        self, path: Path, batch_size: int, resume_state: int | None, fmtparams: dict[str, Any]
    ) -> None:
        self._file: TextIO = open(path, newline="")  # noqa: SIM115 - closed by close()
        lines: Iterator[str] = iter(self._file.readline, "")
        self._rows = csv.DictReader(lines, **fmtparams)
        _ = self._rows.fieldnames  # reads the header, unless fmtparams has the names
        if resume_state is not None:
            self._file.seek(resume_state)
        self._batch_size = batch_size

    def next_batch(self, sched: Any = None) -> list[Any]:
        rows = list(islice(self._rows, self._batch_size))
        if not rows:
            raise StopIteration
        return rows

    def snapshot(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


class CSVSource(FileSource):
    """Read a CSV file, one item for each row, a dict of column name -> text.

    The first line names the columns, unless fmtparams has `fieldnames`.

    path, batch_size (in rows), get_fs_id: as FileSource. fmtparams: of `csv.DictReader`.
    Raises what FileSource raises.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from bytewax.connectors.files import CSVSource
    >>> from bytewax.connectors.stdio import StdOutSink
    >>> from bytewax.dataflow import Dataflow
    >>> from bytewax.testing import run_main
    >>> directory = TemporaryDirectory()
    >>> path = Path(directory.name) / "stock.csv"
    >>> _ = path.write_text("item,count\\napple,3\\npear,5\\n")
    >>> flow = Dataflow()
    >>> flow.input("inp", CSVSource(path))
    >>> flow.output("out", StdOutSink())
    >>> run_main(flow)
    {'item': 'apple', 'count': '3'}
    {'item': 'pear', 'count': '5'}
    >>> directory.cleanup()
    """

    def __init__(
        self,
        path: Path | str,
        batch_size: int = 1000,
        get_fs_id: Callable[[Path], str] = _get_path_dev,
        **fmtparams: Any,
    ) -> None:
        super().__init__(path, batch_size, get_fs_id)
        self._fmtparams = fmtparams

    @now_may_be_left_out
    def build_part(
        self, _now: Any, part_key: str, resume_state: Any | None
    ) -> StatefulSourcePartition:
        """Open the file, at the position of the last snapshot."""
        return _CSVPartition(self._path, self._batch_size, resume_state, dict(self._fmtparams))


class _FileSinkPartition(StatefulSinkPartition):
    def __init__(self, path: Path, resume_state: int | None, end: str) -> None:
        position = 0 if resume_state is None else resume_state
        self._file = open(path, "a")  # noqa: SIM115 - closed by close()
        try:
            size = os.fstat(self._file.fileno()).st_size
            if size < position:
                raise ValueError(
                    f"{path} has {size} bytes, but it had {position} when the last snapshot was "
                    "taken: it was cut or replaced, so what belongs into it can't be restored"
                )
            self._file.seek(position)
            self._file.truncate()
        except BaseException:
            self._file.close()
            raise
        self._end = end

    def write_batch(self, items: list[Any]) -> None:
        for item in items:
            if not isinstance(item, str):
                raise TypeError(f"a file takes values of type str; got {item!r}")
        if items:
            self._file.write(self._end.join(items) + self._end)
            self._file.flush()

    def snapshot(self) -> int:
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


class FileSink(FixedPartitionedSink):
    """Write a file, one line for each item.

    Takes `(key, value)` tuples of two str, and writes the value. What the file held before is
    overwritten, from the position of the last snapshot on: the beginning, in a first run.
    What was written can be read at once, and is on the disk when its epoch is.

    path: of the file, in a directory that exists. end: written behind each value.
    """

    def __init__(self, path: Path | str, end: str = "\n") -> None:
        self._path = Path(path)
        self._end = end

    def list_parts(self) -> list[str]:
        """Return the name of the only partition, the path."""
        return [str(self._path)]

    def part_fn(self, item_key: str) -> int:
        """Return 0: all keys are written to the one file."""
        return 0

    def build_part(self, for_part: str, resume_state: Any | None) -> StatefulSinkPartition:
        """Open the file, at the position of the last snapshot."""
        return _FileSinkPartition(self._path, resume_state, self._end)


class DirSink(FixedPartitionedSink):
    """Write a number of files in a directory, one line for each item.

    Takes `(key, value)` tuples of two str, and writes the value; its key chooses the file. For the
    rest see `FileSink`.

    dir_path: the directory, which must exist. file_count: how many files. file_namer: called with
    the index of a file and the count, returns its name, `part_0` and so on unless given.
    assign_file: called with a key, returns a number whose remainder by the count is an index into
    the sorted names of the files, `zlib.adler32` unless given. end: written behind each value.
    """

    def __init__(
        self,
        dir_path: Path | str,
        file_count: int,
        file_namer: Callable[[int, int], str] = lambda index, _count: f"part_{index}",
        assign_file: Callable[[str], int] = lambda key: adler32(key.encode()),
        end: str = "\n",
    ) -> None:
        self._directory = Path(dir_path)
        self._file_count = file_count
        self._file_namer = file_namer
        self._assign_file = assign_file
        self._end = end

    def list_parts(self) -> list[str]:
        """Return the names of the files."""
        return [self._file_namer(index, self._file_count) for index in range(self._file_count)]

    def part_fn(self, item_key: str) -> int:
        """Return what assign_file says."""
        return self._assign_file(item_key)

    def build_part(self, for_part: str, resume_state: Any | None) -> StatefulSinkPartition:
        """Open a file, at the position of its last snapshot."""
        return _FileSinkPartition(self._directory / for_part, resume_state, self._end)
