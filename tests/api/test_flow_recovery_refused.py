"""Recovery partitions and snapshots that a dataflow can't go on with."""

import json
import shutil

import pytest
from bytewax.recovery import (
    InconsistentPartitionsError,
    MissingPartitionsError,
    NoPartitionsError,
    RecoveryConfig,
    init_db_dir,
)
from bytewax.serde import Serde
from bytewax.testing import run_main
from bytewax.window import EventClockConfig, SessionWindow
from flow_kept import ABORT, EACH_BATCH, EOF, START, WEEK, flow_of, total


def mapped(flow):
    flow.stateful_map("it", int, total)


def batched(flow):
    flow.batch("it", 2, WEEK)


def collected(flow):
    clock = EventClockConfig(lambda value: START, WEEK)
    flow.collect_window("it", clock, SessionWindow(WEEK))


def test_partitions_are_made_once(tmp_path):
    init_db_dir(tmp_path, 2)
    made = sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".sqlite3")
    assert made == ["part-0.sqlite3", "part-1.sqlite3"]
    with pytest.raises(Exception, match="part-0"):
        init_db_dir(tmp_path, 2)


def test_a_directory_without_partitions_is_refused(tmp_path):
    flow, _ = flow_of([("a", 1)])
    with pytest.raises(NoPartitionsError, match="No recovery partitions found on any worker"):
        run_main(flow, recovery_config=RecoveryConfig(tmp_path))
    with pytest.raises(FileNotFoundError, match=r'recovery directory ".*none" does not exist'):
        run_main(flow, recovery_config=RecoveryConfig(tmp_path / "none"))


def test_missing_partitions_are_refused(config, tmp_path):
    flow, _ = flow_of([("a", 1), ("a", 1), EOF(), ("a", 1)])
    run_main(flow, recovery_config=config)
    for path in (tmp_path / "recovery").glob("part-0.sqlite3*"):
        path.unlink()
    with pytest.raises(MissingPartitionsError, match="Missing recovery partitions"):
        run_main(flow, recovery_config=config)


def test_a_partition_of_an_older_backup_is_refused(config, tmp_path):
    items = [(f"key {number}", 1) for number in range(30)]
    flow, _ = flow_of([*items, EOF(), *items, EOF(), *items])
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    shutil.copytree(tmp_path / "recovery", tmp_path / "backup")
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    for path in (tmp_path / "recovery").glob("part-1.sqlite3*"):
        path.unlink()
    for path in (tmp_path / "backup").glob("part-1.sqlite3*"):
        shutil.copy(path, tmp_path / "recovery")
    with pytest.raises(InconsistentPartitionsError, match="too old to resume"):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)


class ListSerde(Serde):
    """JSON: what was a tuple comes back as a list."""

    @staticmethod
    def ser(obj):
        return json.dumps(obj)

    @staticmethod
    def de(s):
        return json.loads(s)


@pytest.mark.parametrize(
    ("first", "second", "serde", "kind"),
    [
        (mapped, batched, None, "batch"),
        (collected, batched, None, "batch"),
        (mapped, collected, None, "window"),
        (batched, collected, None, "window"),
        (batched, batched, ListSerde, "batch"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_snapshot_of_another_kind_is_refused_with_the_step(config, first, second, serde, kind):
    config = RecoveryConfig(config.db_dir, snapshot_serde=serde)
    items = [("a", 1), ABORT(), ("a", 1)]
    run_main(flow_of(items, first)[0], epoch_interval=EACH_BATCH, recovery_config=config)
    with pytest.raises(RuntimeError) as raised:
        run_main(flow_of(items, second)[0], recovery_config=config)
    text = str(raised.value)
    assert (
        f"the snapshot of step 'it' can't be restored: TypeError: this is not what a {kind}" in text
    )
    assert "the serde does not keep tuples" in text
