"""Sinks as the engine sees them; files that are read, written and resumed; other small modules."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import adler32

import pytest
from bytewax.connectors.files import CSVSource, DirSink, DirSource, FileSink, FileSource
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.outputs import (
    DynamicSink,
    FixedPartitionedSink,
    Sink,
    StatefulSinkPartition,
    StatelessSinkPartition,
)
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.serde import JsonPickleSerde, Serde
from bytewax.testing import TestingSink, TestingSource, run_main
from bytewax.tracing import JaegerConfig, OtlpTracingConfig, setup_tracing
from wallaroo.flows.sink_adapter import adapt_sink
from wallaroo.flows.source_adapter import adapt_source

NOW = datetime(2022, 1, 1, tzinfo=UTC)


class Fixed(FixedPartitionedSink):
    def __init__(self, built=None):
        self.built = built

    def list_parts(self):
        return ["b", "a"]

    def build_part(self, for_part, resume_state):
        return self.built


class Dynamic(DynamicSink):
    def __init__(self, built=None):
        self.built = built

    def build(self, worker_index, worker_count):
        return self.built


class Part(StatefulSinkPartition):
    def write_batch(self, values):
        pass

    def snapshot(self):
        return 3


class StatelessPart(StatelessSinkPartition):
    def write_batch(self, items):
        pass


def test_a_sink_is_called_through_what_was_built():
    fixed = adapt_sink(Fixed(Part()))
    assert (fixed.kind, fixed.list_parts()) == ("fixed", ["b", "a"])
    assert fixed.part_fn("key") == adler32(b"key")
    built = fixed.build_part("a", None)
    assert (built.snapshot(), built.close(), built.write_batch([])) == (3, None, None)
    dynamic = adapt_sink(Dynamic(StatelessPart()))
    built = dynamic.build(0, 1)
    assert (dynamic.kind, built.snapshot) == ("dynamic", None)


def test_what_is_no_sink_partition_is_refused_with_its_place():
    with pytest.raises(TypeError, match=r"stateful sink partition must subclass .* partition 'a'"):
        adapt_sink(Fixed(StatelessPart())).build_part("a", None)
    with pytest.raises(TypeError, match=r"stateless sink partition must subclass .*Dynamic.build"):
        adapt_sink(Dynamic(Part())).build(0, 1)
    with pytest.raises(TypeError, match="must subclass"):
        adapt_sink(type("Neither", (Sink,), {})())


def read(source, part=None, resume_state=None):
    """Reads a partition to its end; returns items, positions after each batch, the sizes."""
    adapted = adapt_source(source)
    built = adapted.build_part(NOW, part or adapted.list_parts()[0], resume_state)
    items, positions, sizes = [], [built.snapshot()], []
    try:
        while True:
            chunk = built.next_batch(NOW)
            items += chunk
            sizes.append(len(chunk))
            positions.append(built.snapshot())
    except StopIteration:
        built.close()
        return items, positions, sizes


def write(sink, part, values, resume_state=None, close=True):
    built = adapt_sink(sink).build_part(part, resume_state)
    built.write_batch(values)
    position = built.snapshot()
    if close:
        built.close()
    return position


def test_a_file_is_read_by_line(tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes("a\r\n\nümlaut\n no newline".encode())
    items, _, sizes = read(FileSource(path, batch_size=3))
    assert items == ["a", "", "ümlaut", " no newline"]
    assert sizes == [3, 1]
    assert read(FileSource(str(path)))[2] == [4]


def test_a_file_is_resumed_after_every_line(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("eins\nzwei\ndrei\nvier\n")
    items, positions, _ = read(FileSource(path, batch_size=1))
    for done, position in enumerate(positions):
        assert read(FileSource(path), resume_state=position)[0] == items[done:]


def test_the_partition_of_a_file_is_named_by_file_system_and_path(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("")
    source = FileSource(path, get_fs_id=lambda directory: f"disk of {directory.name}")
    assert source.list_parts() == [f"disk of {tmp_path.name}::{path}"]
    assert read(source)[0] == []
    assert FileSource(path).list_parts() == [f"{hex(path.stat().st_dev)}::{path}"]
    with pytest.raises(ValueError, match="must not contain `::`"):
        FileSource(path, get_fs_id=lambda directory: "a::b").list_parts()
    with pytest.raises(ValueError, match="'batch_size': must be 1 or more"):
        FileSource(path, batch_size=0)


@pytest.mark.parametrize("kind", [FileSource, CSVSource])
@pytest.mark.parametrize("path", ["nothing", "no directory/nothing"])
def test_a_missing_file_is_an_error_of_the_run(tmp_path, kind, path):
    source = kind(tmp_path / path)
    with pytest.raises(FileNotFoundError):
        read(source)


def test_a_csv_file_is_read_by_row_and_resumed(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text('name;n\n"a;b";1\n"two\nlines";2\nc;3\n')
    items, positions, sizes = read(CSVSource(path, batch_size=2, delimiter=";"))
    assert items == [
        {"name": "a;b", "n": "1"},
        {"name": "two\nlines", "n": "2"},
        {"name": "c", "n": "3"},
    ]
    assert sizes == [2, 1]
    assert read(CSVSource(path, delimiter=";"), resume_state=positions[1])[0] == items[2:]
    named = read(CSVSource(path, fieldnames=["x"], restkey="rest"))[0]
    assert named[0] == {"x": "name;n"}


def test_a_csv_field_keeps_the_ends_of_its_lines(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b'name,n\r\n"two\r\nlines",1\r\n"an\rold one",2\r\nc,3\r\n')
    source = CSVSource(path, batch_size=1)
    items, positions, _ = read(source)
    assert [item["name"] for item in items] == ["two\r\nlines", "an\rold one", "c"]
    for done, position in enumerate(positions[1:4], start=1):
        assert read(source, resume_state=position)[0] == items[done:]


def test_a_directory_is_a_partition_per_file(tmp_path):
    for name in ("b.txt", "a.txt", "c.log"):
        (tmp_path / name).write_text(f"in {name}\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "d.txt").write_text("in d.txt\n")
    source = DirSource(tmp_path, "**/*.txt", get_fs_id=lambda directory: "fs")
    assert source.list_parts() == ["fs::a.txt", "fs::b.txt", "fs::deeper/d.txt"]
    assert read(source, "fs::b.txt")[0] == ["in b.txt"]
    assert read(source, "fs::deeper/d.txt")[0] == ["in d.txt"]
    with pytest.raises(ValueError, match=r"input directory `.*none` does not exist"):
        DirSource(tmp_path / "none")
    with pytest.raises(ValueError, match=r"input directory `.*a\.txt` is not a directory"):
        DirSource(tmp_path / "a.txt")


def test_a_file_sink_writes_lines_and_goes_on_at_its_snapshot(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("from another run\n")
    sink = FileSink(path)
    assert sink.list_parts() == [str(path)]
    assert sink.part_fn("any") == 0
    position = write(sink, str(path), ["a", "ü"])
    assert path.read_text() == "a\nü\n"
    write(sink, str(path), ["of an epoch that was not stored"], position)
    write(sink, str(path), ["b"], position)
    assert path.read_text() == "a\nü\nb\n"
    write(FileSink(path, end=";"), str(path), ["x", "y"])
    assert path.read_text() == "x;y;"


def test_a_file_sink_shows_what_was_written_before_it_is_closed(tmp_path):
    path = tmp_path / "out.txt"
    write(FileSink(path), str(path), ["a"], close=False)
    assert path.read_text() == "a\n"


def test_a_file_sink_is_synced_when_an_epoch_ends_and_not_after_each_batch(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_text()))
    path = tmp_path / "out.txt"
    part = FileSink(path).build_part(str(path), None)
    part.write_batch(["a"])
    part.write_batch(["b"])
    assert synced == []
    part.snapshot()
    assert synced == ["a\nb\n"]


def test_a_file_sink_takes_strings_only(tmp_path):
    with pytest.raises(TypeError, match="a file takes values of type str; got 3"):
        write(FileSink(tmp_path / "out"), "out", [3])


def test_a_file_that_was_cut_behind_its_snapshot_is_not_filled_up(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("cut")
    with pytest.raises(ValueError, match="has 3 bytes, but it had 10 when the last snapshot"):
        write(FileSink(path), str(path), ["a"], 10)
    assert path.read_text() == "cut"


def test_a_directory_sink_names_and_chooses_its_files(tmp_path):
    sink = DirSink(tmp_path, 3)
    assert sink.list_parts() == ["part_0", "part_1", "part_2"]
    assert sink.part_fn("key") == adler32(b"key")
    write(sink, "part_1", ["a"])
    assert (tmp_path / "part_1").read_text() == "a\n"
    own = DirSink(tmp_path, 2, lambda i, n: f"{i} of {n}", assign_file=len, end="")
    assert own.list_parts() == ["0 of 2", "1 of 2"]
    assert own.part_fn("key") == 3


def test_a_partition_is_chosen_by_anything_that_is_an_index(tmp_path):
    class Index:  # as an integer of NumPy
        def __init__(self, key):
            self.number = int(key)

        def __index__(self):
            return self.number

    flow = Dataflow()
    flow.input("in", TestingSource([("0", "a"), ("1", "b"), ("3", "c")]))
    flow.output("out", DirSink(tmp_path, 2, assign_file=Index))
    run_main(flow)
    assert (tmp_path / "part_0").read_text() == "a\n"
    assert (tmp_path / "part_1").read_text() == "b\nc\n"


def test_standard_output_gets_a_line_per_item(capsys):
    part = StdOutSink().build(0, 1)
    part.write_batch(["a", 3, None])
    part.close()
    assert capsys.readouterr().out == "a\n3\nNone\n"


def test_standard_output_may_be_anything_with_write_or_nothing(monkeypatch):
    class Written:
        text = ""

        def write(self, text):
            self.text += text

    written = Written()
    monkeypatch.setattr("sys.stdout", written)
    StdOutSink().build(0, 1).write_batch(["a", 3])
    monkeypatch.setattr("sys.stdout", None)
    StdOutSink().build(0, 1).write_batch(["a", 3])
    assert written.text == "a\n3\n"


def test_a_testing_sink_fills_its_list():
    out = [0]
    TestingSink(out).build(0, 1).write_batch([1, 2])
    assert out == [0, 1, 2]


def test_a_serde_brings_back_what_it_took():
    state = {"a": [1, (2, "x")], 3: timedelta(seconds=5)}
    text = JsonPickleSerde.ser(state)
    assert isinstance(text, str)
    assert JsonPickleSerde.de(text) == state
    assert issubclass(JsonPickleSerde, Serde)


def test_json_without_jsonpickle_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jsonpickle", None)
    with pytest.raises(ImportError, match="pip install jsonpickle"):
        JsonPickleSerde.de('{"a": 1}')


def test_a_recovery_config_keeps_its_settings(tmp_path):
    config = RecoveryConfig(tmp_path)
    assert config.db_dir == str(tmp_path)
    assert config.backup_interval == timedelta(0)
    assert config.snapshot_serde is None
    hour = timedelta(hours=1)
    config = RecoveryConfig("dir", backup_interval=hour, snapshot_serde=JsonPickleSerde())
    assert config.backup_interval == hour
    for arguments, error in (
        ((3,), TypeError),
        (("dir", 3), TypeError),
        (("dir", -hour), ValueError),
        (("dir", hour, 3), TypeError),
    ):
        with pytest.raises(error, match="argument '"):
            RecoveryConfig(*arguments)


def test_recovery_partitions_need_a_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'recovery directory ".*none" does not exist'):
        init_db_dir(tmp_path / "none", 1)
    with pytest.raises(ValueError, match="'count': must be 1 or more"):
        init_db_dir(tmp_path, 0)
    with pytest.raises(TypeError, match="argument 'db_dir'"):
        init_db_dir(3, 1)
    assert list(Path(tmp_path).iterdir()) == []


def test_tracing_is_accepted():
    assert setup_tracing() is not None
    config = OtlpTracingConfig(service_name="app", url="grpc://127.0.0.1:1", sampling_ratio=0.5)
    assert setup_tracing(config, log_level="debug") is not None
    assert (config.service_name, config.url, config.sampling_ratio) == (
        *("app", "grpc://127.0.0.1:1", 0.5),
    )
    assert setup_tracing(tracing_config=JaegerConfig("app")) is not None
    with pytest.raises(TypeError, match="argument 'tracing_config'"):
        setup_tracing(3)
    with pytest.raises(ValueError, match="Unknown log level: FOO"):
        setup_tracing(log_level="FOO")
