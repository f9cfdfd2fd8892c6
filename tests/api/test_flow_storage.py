"""Storage sinks are outputs of dataflows: all items of an epoch in one call, on each worker."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main
from wallaroo import IntoFiles, IntoTable, RejectedItems, SinkUnavailable

ONE_EPOCH = timedelta(hours=1)
EACH_BATCH = timedelta(0)


class Partition:
    """Notes what is called; fails as often as its sink says."""

    def __init__(self, sink: "Recorder", index: int, count: int, config: dict[str, Any]) -> None:
        self.sink = sink
        self.note = lambda *what: sink.calls.append((index, *what))
        self.note("build", count, config)

    def write_batch(self, items):
        if self.sink.errors:
            raise self.sink.errors.pop(0)
        self.note("write", list(items))

    def close(self):
        self.note("close")


@dataclass(frozen=True)
class Recorder:
    payload: type = int
    name: str = ""
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    router_branch_safe: ClassVar[bool] = True

    def build_partition(
        self, config, worker_index, worker_count, bridge=None, session_manager=None
    ):
        return Partition(self, worker_index, worker_count, dict(config))


def flow_into(*sinks: Any, items: Any = (1, 2, 3), batch_size: int = 1) -> Dataflow:
    flow = Dataflow()
    flow.input("inp", TestingSource(items, batch_size))
    for i, sink in enumerate(sinks):
        flow.output(f"out{i}", sink)
    return flow


def test_all_items_of_an_epoch_come_in_one_call() -> None:
    sink = Recorder()
    run_main(flow_into(sink), epoch_interval=ONE_EPOCH)
    assert sink.calls == [(0, "build", 1, {}), (0, "write", [1, 2, 3]), (0, "close")]


def test_each_epoch_is_a_call_and_an_empty_one_none() -> None:
    sink = Recorder()
    run_main(flow_into(sink, items=range(4), batch_size=2), epoch_interval=EACH_BATCH)
    assert [call[2] for call in sink.calls if call[1] == "write"] == [[0, 1], [2, 3]]


def test_nothing_written_is_closed_all_the_same() -> None:
    sink = Recorder()
    run_main(flow_into(sink, items=[]))
    assert [call[1] for call in sink.calls] == ["build", "close"]


def test_items_go_on_behind_it() -> None:
    sink, out = Recorder(), []
    run_main(flow_into(sink, TestingSink(out)))
    assert out == [1, 2, 3]


def test_every_worker_has_a_partition() -> None:
    sink = Recorder()
    cluster_main(flow_into(sink, items=range(6)), [], 0, worker_count_per_proc=3)
    assert sorted(call[0] for call in sink.calls if call[1] == "build") == [0, 1, 2]
    assert {call[2] for call in sink.calls if call[1] == "build"} == {3}
    assert sorted(call[0] for call in sink.calls if call[1] == "close") == [0, 1, 2]
    assert sorted(x for call in sink.calls if call[1] == "write" for x in call[2]) == [*range(6)]


def test_a_flow_can_be_run_again() -> None:
    sink = Recorder()
    flow = flow_into(sink, sink)
    before = threading.active_count()
    run_main(flow)
    run_main(flow)
    assert [call[1] for call in sink.calls].count("close") == 4
    assert threading.active_count() == before


def test_a_write_that_fails_is_tried_again() -> None:
    sink = Recorder(errors=[OSError("no"), SinkUnavailable("away"), OSError("no")])
    run_main(flow_into(sink), epoch_interval=ONE_EPOCH)
    assert sink.calls[1:] == [(0, "write", [1, 2, 3]), (0, "close")]


def test_a_write_that_goes_on_failing_ends_the_run_and_closes(monkeypatch) -> None:
    monkeypatch.setattr("wallaroo.flows.storage.RETRIES", 1)
    sink = Recorder(errors=[ValueError(str(i)) for i in range(9)])
    with pytest.raises(ValueError, match="1"):
        run_main(flow_into(sink), epoch_interval=ONE_EPOCH)
    assert [call[1] for call in sink.calls] == ["build", "close"]
    assert len(sink.errors) == 7


def test_rejected_items_end_the_run() -> None:
    sink = Recorder(errors=[RejectedItems({1: "it is odd"})])
    with pytest.raises(RejectedItems, match="it is odd"):
        run_main(flow_into(sink), epoch_interval=ONE_EPOCH)


def test_near_miss_is_named() -> None:
    class NearMiss:
        payload = int
        name = ""

        def build_partition(self, config, worker_index, worker_count, **more): ...

    with pytest.raises(TypeError, match="lacks router_branch_safe"):
        flow_into(NearMiss())
    with pytest.raises(TypeError, match=r"must subclass `bytewax\.outputs\.Sink`"):
        flow_into(object())


@dataclass
class Order:
    id: int


def test_sections_come_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(f"""
[streaming.sinks.orders]
url = "sqlite:///{tmp_path}/shop.db"
[streaming.sinks.mine]
depth = 3
""")
    mine = Recorder(name="mine")
    flow = Dataflow()
    flow.input("inp", TestingSource(range(3)))
    flow.output("mine", mine)
    flow.map("order", Order)
    flow.output("table", IntoTable(Order, "orders", name="orders"))
    flow.output("files", IntoFiles(Order, str(tmp_path / "files")))
    run_main(flow, config=file)
    assert mine.calls[0] == (0, "build", 1, {"depth": 3})
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        assert database.execute("SELECT id FROM orders").fetchall() == [(0,), (1,), (2,)]
    assert len(list((tmp_path / "files").glob("*.jsonl"))) == 1


def test_all_mistakes_of_the_configuration_are_told(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("streaming:\n  sinks:\n    oders: {}\n    orders: {batch_size: many}\n")
    flow = flow_into(Recorder(name="mine"), IntoTable(Order, "orders", name="orders"))
    with pytest.raises(ValueError) as caught:
        run_main(flow, config=file)
    assert [line.rpartition("c.yaml:")[2] for line in str(caught.value).splitlines()[1:]] == [
        "2:3: there is no section streaming.sinks.mine, which the sink Recorder of step 'out0' "
        "needs",
        "3:5: streaming.sinks.oders: no storage sink has this name; there are: mine, orders",
        "4:5: streaming.sinks.orders: IntoTable needs the url of a database",
        "4:14: streaming.sinks.orders: batch_size (rows per statement) must be an integer",
    ]


def test_command_line_takes_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from bytewax.dataflow import Dataflow\n"
        "from bytewax.testing import TestingSource\n"
        "from wallaroo import IntoFiles\n"
        "flow = Dataflow()\n"
        "flow.input('inp', TestingSource(['a', 'b']))\n"
        "flow.output('out', IntoFiles(str, name='files'))\n"
    )
    (tmp_path / "c.toml").write_text('[streaming.sinks.files]\ndirectory = "out"\n')
    subprocess.run(
        [sys.executable, "-m", "bytewax.run", "app:flow", "--config", "c.toml"],
        cwd=tmp_path,
        check=True,
    )
    (path,) = (tmp_path / "out").glob("*.jsonl")
    assert path.read_text() == '"a"\n"b"\n'
