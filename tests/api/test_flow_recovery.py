"""A dataflow that ended or died goes on where it was, with any number of workers."""

from datetime import timedelta

import pytest
from bytewax.connectors.files import DirSink, DirSource, FileSink, FileSource
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.recovery import RecoveryConfig
from bytewax.serde import JsonPickleSerde, Serde
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main
from bytewax.window import EventClockConfig, SessionWindow, TumblingWindow
from flow_kept import ABORT, EACH_BATCH, EOF, START, WEEK, flow_of, total
from flow_threads import run_processes


def take(out):
    """Returns what came out since the last time."""
    taken, out[:] = list(out), []
    return taken


def ones(count):
    return [("a", 1)] * count


@pytest.mark.parametrize("interval", [EACH_BATCH, None])
def test_a_run_goes_on_behind_the_end_of_the_last(config, interval):
    flow, out = flow_of([*ones(2), EOF(), *ones(1), EOF(), *ones(1)])
    for expected in ([1, 2], [3], [4], []):
        run_main(flow, epoch_interval=interval, recovery_config=config)
        assert [value for _, value in take(out)] == expected


@pytest.mark.parametrize("interval", [EACH_BATCH, None])
def test_a_source_that_grew_is_read_from_where_it_ended(config, tmp_path, interval):
    path = tmp_path / "in.txt"
    path.write_text("1\n2\n")
    out = []
    flow = Dataflow()
    flow.input("in", FileSource(path))
    flow.map("parse", lambda line: ("a", int(line)))
    flow.stateful_map("sum", int, total)
    flow.output("out", TestingSink(out))
    run_main(flow, epoch_interval=interval, recovery_config=config)
    assert take(out) == [("a", 1), ("a", 3)]
    with path.open("a") as file:
        file.write("10\n")
    run_main(flow, epoch_interval=interval, recovery_config=config)
    assert take(out) == [("a", 13)]


def test_after_an_abort_the_unfinished_epoch_is_repeated(config):
    flow, out = flow_of([*ones(3), ABORT(), *ones(1)])
    run_main(flow, epoch_interval=WEEK, recovery_config=config)
    assert [value for _, value in take(out)] == [1, 2, 3]
    run_main(flow, epoch_interval=WEEK, recovery_config=config)
    assert [value for _, value in take(out)] == [1, 2, 3, 4]


def test_after_an_abort_finished_epochs_are_not_repeated(config):
    flow, out = flow_of([*ones(3), ABORT(), *ones(1)])
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert [value for _, value in take(out)] == [1, 2, 3]
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    values = [value for _, value in take(out)]
    assert values == list(range(values[0], 5))
    assert values[0] >= 3


def test_a_failure_is_like_an_abort(config):
    failing = True

    def maybe(item):
        if failing and item == ("a", 5):
            raise ZeroDivisionError
        return item

    flow, out = flow_of(
        [("a", 1), ("a", 5), ("a", 1)],
        lambda flow: flow.map("maybe", maybe),
        lambda flow: flow.stateful_map("sum", int, total),
    )
    with pytest.raises(ZeroDivisionError):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    failing = False
    take(out)
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert take(out)[-1] == ("a", 7)


def test_a_state_that_was_forgotten_stays_so(config):
    def forget_at_two(state, value):
        return (None if state + value == 2 else state + value), state + value

    flow, out = flow_of(
        [*ones(1), EOF(), *ones(1), EOF(), *ones(1)],
        lambda flow: flow.stateful_map("sum", int, forget_at_two),
    )
    for expected in (1, 2, 1):
        run_main(flow, recovery_config=config)
        assert take(out) == [("a", expected)]


KEYED = {
    "reduce": (
        lambda flow: flow.reduce("r", lambda a, b: a + b, lambda total: total >= 3),
        [[], [("a", 3)]],
    ),
    "batch": (
        # The end of the input empties a batch, so nothing of it is left to go on with.
        lambda flow: flow.batch("b", 3, WEEK),
        [[("a", [1])], [("a", [1, 1])]],
    ),
}


@pytest.mark.parametrize("operator", KEYED)
def test_other_steps_with_a_state_go_on(config, operator):
    add_step, expected = KEYED[operator]
    flow, out = flow_of([*ones(1), EOF(), *ones(2)], add_step)
    for wanted in expected:
        run_main(flow, recovery_config=config)
        assert take(out) == wanted


def window_steps():
    clock = EventClockConfig(lambda n: START + n * timedelta(hours=1), timedelta(0))
    days = TumblingWindow(timedelta(days=1), START)
    sessions = SessionWindow(timedelta(hours=3))
    return {
        "collect": lambda flow: flow.collect_window("w", clock, days),
        "fold": lambda flow: flow.fold_window("w", clock, sessions, list, lambda a, n: [*a, n]),
    }


@pytest.mark.parametrize("operator", window_steps())
def test_open_windows_survive_an_abort(config, operator):
    items = [("a", 1), ("a", 2), ABORT(), ("a", 3), ("b", 1), ("a", 30)]
    flow, out = flow_of(items, window_steps()[operator])
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert take(out) == []
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert [(key, values) for key, (_, values) in take(out)] == [
        *(("a", [1, 2, 3]), ("a", [30]), ("b", [1])),
    ]


def test_files_are_written_exactly_once(config, tmp_path):
    path = tmp_path / "out.txt"
    lines = [("key", f"line {number}") for number in range(30)]
    items = list(lines)
    for place in (25, 17, 11, 5, 1):
        items.insert(place, ABORT())
    flow = Dataflow()
    flow.input("in", TestingSource(items, batch_size=2))
    flow.output("out", FileSink(path))
    for _ in range(6):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert path.read_text().splitlines() == [line for _, line in lines]


@pytest.mark.parametrize(("processes", "workers"), [(1, 1), (1, 3), (3, 1), (2, 2)])
def test_what_an_unfinished_epoch_wrote_is_gone_also_where_nothing_more_is_written(
    config, tmp_path, processes, workers
):
    directory = tmp_path / "out"
    directory.mkdir()
    batches = [[("0", "a"), ("1", "b"), ("2", "c")], [("0", "d"), ("2", "e"), ("1", "wrong")]]

    def run(wrong):
        def check(item):
            assert item[1] != "wrong"
            return item

        flow = Dataflow()
        flow.input("in", TestingSource([item for batch in batches for item in batch], batch_size=3))
        flow.filter("right", lambda item: wrong or item[1] in "abc")
        flow.output("files", DirSink(directory, 3, assign_file=int))
        flow.map("check", check)
        flow.output("out", TestingSink([]))
        settings = {"epoch_interval": EACH_BATCH, "recovery_config": config}
        return run_processes(flow, processes=processes, workers=workers, **settings)

    def read():
        return {path.name: path.read_text() for path in directory.iterdir()}

    assert None not in run(wrong=True)
    assert read()["part_1"] == "b\nwrong\n"
    assert run(wrong=False) == [None] * processes
    assert read() == {"part_0": "a\n", "part_1": "b\n", "part_2": "c\n"}


@pytest.mark.parametrize("workers", [(3, 5, 1), (1, 3, 2)])
def test_any_number_of_workers_goes_on(config, tmp_path, workers):
    keys = [f"key {number}" for number in range(40)]
    directory = tmp_path / "in"
    directory.mkdir()
    files = [directory / f"{name}.txt" for name in "abcd"]
    for run, count in enumerate(workers, 1):
        for file in files:
            with file.open("a") as text:
                text.writelines(f"{key}\n" for key in keys)
        out = []
        flow = Dataflow()
        flow.input("in", DirSource(directory))
        flow.map("key", lambda line: (line, 1))
        flow.stateful_map("sum", int, total)
        flow.output("out", TestingSink(out))
        cluster_main(flow, [], 0, worker_count_per_proc=count, recovery_config=config)
        highest = {}
        for key, value in out:
            highest[key] = max(value, highest.get(key, 0))
        assert highest == dict.fromkeys(keys, run * len(files))
        assert len(out) == len(keys) * len(files)


class CountingSerde(Serde):
    """Counts what it is used for."""

    used: list[str] = []

    @staticmethod
    def ser(obj):
        CountingSerde.used.append("ser")
        return repr(obj)

    @staticmethod
    def de(s):
        CountingSerde.used.append("de")
        return eval(s)


@pytest.mark.parametrize("serde", [CountingSerde, CountingSerde(), JsonPickleSerde()])
def test_a_serde_makes_text_of_snapshots(config, serde):
    CountingSerde.used = []
    config = RecoveryConfig(config.db_dir, snapshot_serde=serde)
    flow, out = flow_of([*ones(2), EOF(), *ones(1)])
    run_main(flow, recovery_config=config)
    run_main(flow, recovery_config=config)
    assert [value for _, value in out] == [1, 2, 3]
    if not isinstance(serde, JsonPickleSerde):
        assert set(CountingSerde.used) == {"ser", "de"}


class Cursor(FixedPartitionedSource):
    """Gives an item, then nothing, while its position moves; ends when that was stored."""

    def __init__(self):
        self.resumed = []
        self.snapshots = []

    def list_parts(self):
        return ["part"]

    def build_part(self, now, for_part, resume_state):
        self.resumed.append(resume_state)
        return CursorPart(self, resume_state or 0)


class CursorPart(StatefulSourcePartition):
    def __init__(self, cursor, position):
        self.cursor = cursor
        self.position = position

    def next_batch(self, sched):
        stored = sum(position > 1 for position in self.cursor.snapshots) - 1
        if stored == 1 or self.position > 5000:
            raise OSError("a crash")
        self.position += 1
        return [("a", 1)] if self.position == 1 else []

    def snapshot(self):
        self.cursor.snapshots.append(self.position)
        return self.position


@pytest.mark.parametrize("interval", [EACH_BATCH, timedelta(milliseconds=10)])
def test_a_position_that_moved_without_items_is_stored(config, interval):
    cursor = Cursor()
    flow = Dataflow()
    flow.input("in", cursor)
    flow.output("out", TestingSink([]))
    for _ in range(2):
        with pytest.raises(OSError, match="a crash"):
            run_main(flow, epoch_interval=interval, recovery_config=config)
    assert cursor.resumed[0] is None
    assert cursor.resumed[1] > 1
