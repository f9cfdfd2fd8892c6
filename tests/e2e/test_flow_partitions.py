"""Which process reads and writes which partition, when they do not all see the same ones."""

from pathlib import Path

import pytest
from harness.flow_processes import addresses

EACH_FINDS_MORE = """
import os
import time
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

class Part(StatefulSourcePartition):
    def __init__(self, name):
        self.names = [[name]]

    def next_batch(self, sched):
        if not self.names:
            raise StopIteration
        return self.names.pop()

    def snapshot(self):
        return None

class Source(FixedPartitionedSource):
    def list_parts(self):  # as of a directory where a file comes whenever a process looks
        open(f"file-{os.getpid()}", "x").close()
        return sorted(name for name in os.listdir() if name.startswith("file-"))

    def build_part(self, now, for_part, resume_state):
        return Part(for_part)

flow = Dataflow()
flow.input("in", Source())
flow.output("out", StdOutSink())
"""


def test_what_any_process_lists_is_read_once(start_flow, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(EACH_FINDS_MORE)
    status, output, errors = start_flow("bytewax.run", "app", "-w", "3").end()
    assert (status, errors) == (0, "")
    files = sorted(path.name for path in tmp_path.glob("file-*"))
    assert sorted(output.splitlines()) == files
    assert len(files) == 3


LOCAL_PARTS = """
import os
from pathlib import Path
from bytewax.connectors.files import FileSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink

HERE = Path(os.environ["HERE"])  # a directory that the other process does not see

class Lines(StatefulSourcePartition):
    def __init__(self, path, position):
        self.lines, self.position = path.read_text().splitlines(), position

    def next_batch(self, sched):
        if self.position == len(self.lines):
            raise StopIteration
        self.position += 1
        return [tuple(self.lines[self.position - 1].split())]

    def snapshot(self):
        return self.position

class In(FixedPartitionedSource):
    def list_parts(self):
        return [path.name for path in HERE.glob("in-*")]

    def build_part(self, now, for_part, resume_state):
        return Lines(HERE / for_part, resume_state or 0)

class Out(FixedPartitionedSink):
    def list_parts(self):
        return [path.name for path in HERE.glob("out-*")]

    def part_fn(self, item_key):
        return int(item_key)

    def build_part(self, for_part, resume_state):
        return FileSink(HERE / for_part).build_part(for_part, resume_state)

flow = Dataflow()
flow.input("in", In())
flow.output("out", Out())
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_each_process_has_the_partitions_that_only_it_sees(start_flow, tmp_path, workers) -> None:
    (tmp_path / "app.py").write_text(LOCAL_PARTS)
    (tmp_path / "recovery").mkdir()
    assert start_flow("bytewax.recovery", "recovery", "2").end()[0] == 0
    here = [tmp_path / name for name in ("first", "second")]
    inputs, outputs = [["in-a", "in-d"], ["in-b"]], [["out-1"], ["out-0", "out-2"]]
    for directory, names, results in zip(here, inputs, outputs, strict=True):
        directory.mkdir()
        for name in names:
            (directory / name).touch()
        for name in results:
            (directory / name).touch()

    expected: dict[str, list[str]] = {"out-0": [], "out-1": [], "out-2": []}
    names = addresses(tmp_path, 2)
    for turn in range(2):
        for directory, files in zip(here, inputs, strict=True):
            for name in files:
                with (directory / name).open("a") as file:
                    for key in range(6):
                        line = f"{name}-{turn}-{key}"
                        file.write(f"{key} {line}\n")
                        expected[f"out-{key % 3}"].append(line)
        arguments = ["bytewax.run", "app", "-a", names, "-w", workers, "-r", "recovery"]
        runs = [
            start_flow(*arguments, "-i", str(index), HERE=str(directory))
            for index, directory in enumerate(here)
        ]
        assert [run.end()[::2] for run in runs] == [(0, ""), (0, "")]
        for directory, files in zip(here, outputs, strict=True):
            for name in files:
                assert sorted((directory / name).read_text().split()) == sorted(expected[name])
