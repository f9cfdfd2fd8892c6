"""IntoFiles: one file per worker and epoch, whole or not there."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet
import pytest
from wallaroo import Epoch, IntoFiles, IntoSink, RejectedItems


@dataclass
class Order:
    id: int
    item: str


EPOCH = "machida-0123456789abcdef-0-main-orders-0"


def partition(directory: Path, *, worker: int = 0, **fields):
    return IntoFiles(Order, str(directory), **fields).build_partition({}, worker, 2)


def files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if not path.name.startswith("."))


def lines(directory: Path) -> list[object]:
    return [json.loads(x) for path in files(directory) for x in path.read_text().splitlines()]


def test_is_a_storage_sink() -> None:
    assert isinstance(IntoFiles(Order), IntoSink)


def test_each_batch_is_a_file_of_json_lines(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "out"
    made = partition(directory, name="orders")
    made.write_batch([Order(1, "té"), Order(2, "cup")])
    made.write_batch([{"day": date(2026, 1, 2), "tags": {"a"}}, "text", 7])
    made.close()
    assert lines(directory) == [
        {"id": 1, "item": "té"},
        {"id": 2, "item": "cup"},
        {"day": "2026-01-02", "tags": ["a"]},
        "text",
        7,
    ]
    assert [path.name[:9] for path in files(directory)] == ["orders-0-", "orders-0-"]
    assert all(path.suffix == ".jsonl" for path in files(directory))


def test_epoch_that_comes_again_is_skipped(tmp_path: Path) -> None:
    partition(tmp_path).write_epoch([Order(1, "a")], Epoch(EPOCH, 3))
    again = partition(tmp_path)
    again.write_epoch([Order(1, "a")], Epoch(EPOCH, 3))
    again.write_epoch([Order(2, "b")], Epoch(EPOCH, 5))
    assert [row["id"] for row in lines(tmp_path)] == [1, 2]


def test_epoch_whose_file_was_moved_away_is_skipped(tmp_path: Path) -> None:
    partition(tmp_path).write_epoch([Order(1, "a")], Epoch(EPOCH, 3))
    for path in files(tmp_path):
        path.unlink()
    partition(tmp_path).write_epoch([Order(1, "a")], Epoch(EPOCH, 3))
    assert files(tmp_path) == []


def test_epochs_of_other_sinks_and_workers_have_their_own_files(tmp_path: Path) -> None:
    partition(tmp_path).write_epoch([Order(1, "a")], Epoch(EPOCH, 3))
    partition(tmp_path).write_epoch([Order(2, "a")], Epoch(EPOCH + "x", 3))
    partition(tmp_path, worker=1).write_epoch([Order(3, "a")], Epoch(EPOCH, 3))
    assert sorted(row["id"] for row in lines(tmp_path)) == [1, 2, 3]


def test_what_has_no_json_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(RejectedItems) as caught:
        partition(tmp_path).write_batch([Order(1, "a"), object(), float("nan")])
    assert sorted(caught.value.reasons) == [1, 2]
    assert files(tmp_path) == []


def test_parquet(tmp_path: Path) -> None:
    made = partition(tmp_path, format="parquet")
    made.write_epoch([Order(1, "a"), Order(2, "b")], Epoch(EPOCH, 1))
    (path,) = files(tmp_path)
    assert path.suffix == ".parquet"
    assert pyarrow.parquet.read_table(path).to_pylist() == [
        {"id": 1, "item": "a"},
        {"id": 2, "item": "b"},
    ]


def test_parquet_names_rows_that_do_not_fit(tmp_path: Path) -> None:
    made = partition(tmp_path, format="parquet")
    with pytest.raises(RejectedItems) as caught:
        made.write_batch([Order(1, "a"), {"id": "x", "item": "b"}, Order(3, "c")])
    assert sorted(caught.value.reasons) == [1]


def test_section_wins_over_the_fields(tmp_path: Path) -> None:
    sink = IntoFiles(Order, "nowhere")
    made = sink.build_partition({"directory": str(tmp_path), "format": "jsonl"}, 0, 1)
    made.write_batch([Order(1, "a")])
    assert lines(tmp_path) == [{"id": 1, "item": "a"}]


@pytest.mark.parametrize(
    ("sink", "config", "mistakes"),
    [
        (IntoFiles(Order), {}, [(None, "IntoFiles needs a directory")]),
        (
            IntoFiles(Order, "x"),
            {"directory": 3, "format": "xml", "dir": "y"},
            [
                ("directory", "directory (where the files go) must be a text, not of the type int"),
                ("format", "format (jsonl or parquet) must be one of jsonl, parquet"),
                ("dir", "unknown key 'dir'; known: directory, format"),
            ],
        ),
    ],
)
def test_mistakes_of_a_section(sink, config, mistakes) -> None:
    assert list(sink.config_mistakes(config)) == mistakes
