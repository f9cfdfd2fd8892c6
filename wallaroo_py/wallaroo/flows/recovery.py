"""Go on after a stop or a crash with the state of the last epoch.

Make a directory, and recovery partitions in it, once:

    mkdir recovery
    python -m bytewax.recovery recovery 4

Then run the flow with `-r recovery`, or a `RecoveryConfig`. At the end of each epoch (10 seconds,
`-s` or `epoch_interval`) the states of keys that changed, the positions of sources and those of
sinks are stored together. The next run with the directory goes on from the last epoch that was
stored: what was read after it is read again. It may have another number of workers.

Step ids and partition names say what belongs to what: a flow may change, if they stay.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from .arguments import check_duration, check_size, wrong_type
from .serde import Serde

__all__ = [
    "InconsistentPartitionsError",
    "MissingPartitionsError",
    "NoPartitionsError",
    "RecoveryConfig",
    "init_db_dir",
]


class NoPartitionsError(FileNotFoundError):
    """There are no recovery partitions in the directory."""


class MissingPartitionsError(FileNotFoundError):
    """Some of the recovery partitions are not in the directory."""


class InconsistentPartitionsError(ValueError):
    """Some recovery partitions are from an older backup than others: data would be lost."""


class RecoveryConfig:
    """Where to keep what is needed to go on.

    db_dir: the directory with recovery partitions, a str or a path.
    backup_interval: for how long snapshots are kept after newer ones, a timedelta; as long as the
    time between two backups of the directory. None and zero keep none.
    snapshot_serde: a `Serde` (the class or an object) that makes text of snapshots; None, they are
    pickled, and those that pickle refuses are stored with the package `jsonpickle`, if it is there.
    Raises TypeError for arguments of other types, ValueError for a negative backup_interval.
    """

    def __init__(
        self,
        db_dir: Path | str,
        backup_interval: timedelta | None = None,
        snapshot_serde: Serde | type[Serde] | None = None,
    ) -> None:
        if not isinstance(db_dir, (str, os.PathLike)):
            raise wrong_type("db_dir", db_dir, "str")
        self._db_dir = os.fspath(db_dir)
        interval = timedelta(0) if backup_interval is None else backup_interval
        if check_duration("backup_interval", interval) < timedelta(0):
            raise ValueError(f"argument 'backup_interval': must not be negative, got {interval!r}")
        self._backup_interval = interval
        for method in ("ser", "de"):
            if snapshot_serde is not None and not callable(getattr(snapshot_serde, method, None)):
                raise wrong_type("snapshot_serde", snapshot_serde, "Serde")
        self._snapshot_serde = snapshot_serde

    @property
    def db_dir(self) -> str:
        """The directory with recovery partitions."""
        return self._db_dir

    @property
    def backup_interval(self) -> timedelta:
        """For how long snapshots are kept after newer ones."""
        return self._backup_interval

    @property
    def snapshot_serde(self) -> Any:
        """What makes text of snapshots; None, pickle and jsonpickle store them."""
        return self._snapshot_serde


def check_directory(db_dir: str) -> None:
    """Raise FileNotFoundError when a recovery directory does not exist."""
    if not os.path.isdir(db_dir):
        raise FileNotFoundError(
            f'recovery directory "{db_dir}" does not exist; see the `bytewax.recovery` module '
            f"docstring for more info, or make it: mkdir -p {db_dir} && "
            f"python3 -m bytewax.recovery {db_dir} 4"
        )


def init_db_dir(db_dir: Path | str, count: int) -> None:
    """Make empty recovery partitions.

    db_dir: a directory that exists. count: how many; it can't be changed later, and no more workers
    than that can share the work of storing.
    Raises FileNotFoundError when there is no such directory, FileExistsError when it has recovery
    partitions, TypeError and ValueError for other arguments.
    """
    from ..engine import load_engine

    if not isinstance(db_dir, (str, os.PathLike)):
        raise wrong_type("db_dir", db_dir, "str")
    if check_size("count", count) < 1:
        raise ValueError(f"argument 'count': must be 1 or more, got {count!r}")
    directory = os.fspath(db_dir)
    check_directory(directory)
    for there in sorted(Path(directory).glob("part-*.sqlite3")):
        raise FileExistsError(f"{there} exists: the directory has recovery partitions already")
    load_engine().init_db_dir(directory, int(count))


def main(arguments: Sequence[str] | None = None) -> None:
    """Make recovery partitions from the command line: `python -m bytewax.recovery DIR COUNT`."""
    parser = argparse.ArgumentParser(
        prog="python -m bytewax.recovery",
        description="Create and init a set of empty recovery partitions.",
        epilog="See the `bytewax.recovery` module docstring for more info.",
    )
    parser.add_argument("db_dir", type=Path, help="Local directory to create partitions in")
    parser.add_argument("part_count", type=int, help="Number of partitions to create")
    options = parser.parse_args(arguments)
    try:
        init_db_dir(options.db_dir, options.part_count)
    except (OSError, ValueError, OverflowError) as error:
        parser.exit(1, f"{parser.prog}: error: {error}\n")
