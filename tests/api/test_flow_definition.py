"""What a Dataflow's methods take, refuse, and leave for the engine."""

import asyncio
import json
import pickle
import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from bytewax._encoder import DataflowEncoder, encode_dataflow
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main
from bytewax.window import (
    ClockConfig,
    EventClockConfig,
    SessionWindow,
    SlidingWindow,
    SystemClockConfig,
    TumblingWindow,
    WindowConfig,
    WindowMetadata,
)

START = datetime(2022, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CLOCK = EventClockConfig(lambda e: e, SECOND)
WINDOW = TumblingWindow(SECOND, START)


def same(item):
    return item


def add(acc, item):
    return acc + item


def with_key(key):
    return key


def item_first(item, worker):
    return None


def test_steps_are_tuples_of_operator_id_and_arguments():
    flow = Dataflow()
    source, sink = TestingSource([1]), TestingSink([])
    assert flow.input("in", source) is None
    flow.map("m", same)
    flow.filter("f", same)
    flow.filter_map("fm", same)
    flow.flat_map("flat", same)
    flow.inspect(same)
    flow.inspect_epoch(add)
    flow.inspect_worker(add)
    flow.inspect_worker(item_first)
    flow.redistribute()
    flow.batch("b", 3, SECOND)
    flow.stateful_map("s", list, add)
    flow.stateful_map("s2", with_key, add)
    flow.reduce("r", add, same)
    flow.reduce_window("rw", CLOCK, WINDOW, add)
    flow.fold_window("fw", CLOCK, WINDOW, list, add)
    flow.fold_window("fw2", CLOCK, WINDOW, with_key, add)
    flow.collect_window("cw", CLOCK, WINDOW)
    flow.output("out", sink)
    assert flow._steps == [
        ("input", "in", source),
        ("map", "m", same),
        ("filter", "f", same),
        ("filter_map", "fm", same),
        ("flat_map", "flat", same),
        ("inspect", None, same),
        ("inspect_epoch", None, add),
        ("inspect_worker", None, add, False),
        ("inspect_worker", None, item_first, True),
        ("redistribute", None),
        ("batch", "b", 3, SECOND),
        ("stateful_map", "s", list, add, False),
        ("stateful_map", "s2", with_key, add, True),
        ("reduce", "r", add, same),
        ("reduce_window", "rw", CLOCK, WINDOW, add),
        ("fold_window", "fw", CLOCK, WINDOW, list, add, False),
        ("fold_window", "fw2", CLOCK, WINDOW, with_key, add, True),
        ("collect_window", "cw", CLOCK, WINDOW),
        ("output", "out", sink),
    ]


def test_a_step_without_an_id_gets_one_from_its_place():
    flow = Dataflow()
    source, sink = TestingSource([1]), TestingSink([])
    flow.input(step_id="in", input=source)
    flow.map(same)
    flow.map("map-3", same)
    flow.map(mapper=same)
    flow.flat_map(same)
    flow.filter(predicate=str.isalpha)
    flow.filter_map(lambda x: x)
    flow.output(step_id="out", output=sink)
    assert flow._steps[0] == ("input", "in", source)
    assert flow._steps[-1] == ("output", "out", sink)
    assert [step[1] for step in flow._steps[1:-1]] == [
        *("map-1", "map-3", "map-3'", "flat_map-4", "filter-5", "filter_map-6")
    ]


@pytest.mark.parametrize(
    ("builder", "takes_key"),
    [
        (list, False),
        (lambda: 0, False),
        (lambda key=None: 0, False),
        (lambda *args: 0, False),
        (lambda key: 0, True),
        (with_key, True),
        ("".join, True),
    ],
)
def test_a_builder_gets_the_key_when_it_needs_an_argument(builder, takes_key):
    flow = Dataflow()
    flow.stateful_map("s", builder, add)
    assert flow._steps[0][-1] is takes_key


def test_a_step_id_is_used_once():
    flow = Dataflow()
    flow.map("twice", same)
    with pytest.raises(ValueError, match=r"step id 'twice' is used twice.*`map` at .*\.py:\d+ and"):
        flow.stateful_map("twice", list, add)
    assert len(flow._steps) == 1


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda f: f.map("m", 3), TypeError, "argument 'mapper': 'int' object is not callable"),
        (lambda f: f.map(), TypeError, "missing 1 required positional argument: 'mapper'"),
        (lambda f: f.map("m"), TypeError, "missing 1 required positional argument: 'mapper'"),
        (lambda f: f.map(3, same), TypeError, "argument 'step_id': 'int' object cannot be"),
        (lambda f: f.filter("f", 3), TypeError, "argument 'predicate': 'int' object is not"),
        (lambda f: f.inspect(3), TypeError, "argument 'inspector': 'int' object is not callable"),
        (lambda f: f.stateful_map("s", 3, add), TypeError, "argument 'builder': 'int' object is"),
        (lambda f: f.stateful_map("s", add, add), TypeError, "add .* needs 2 arguments"),
        (lambda f: f.reduce("r", add, 3), TypeError, "argument 'is_complete': 'int' object is"),
        (lambda f: f.input("i", 3), TypeError, "must subclass `bytewax.inputs.Source`"),
        (lambda f: f.input("i"), TypeError, "missing 1 required positional argument: 'source'"),
        (lambda f: f.output("o", 3), TypeError, "must subclass `bytewax.outputs.Sink`"),
        (lambda f: f.batch("b", "x", SECOND), TypeError, "argument 'max_size': 'str' object"),
        (lambda f: f.stateful_map(None, int, same), TypeError, "'step_id': 'NoneType' object"),
        (lambda f: f.output(None, StdOutSink()), TypeError, "'step_id': 'NoneType' object"),
        (lambda f: f.map(None, same), TypeError, "'step_id': 'NoneType' object"),
        (lambda f: f.batch("b", -1, SECOND), OverflowError, "can't convert negative int"),
        (lambda f: f.batch("b", 1, 3), TypeError, "argument 'timeout': 'int' object cannot be"),
        (lambda f: f.batch("b", 1, -SECOND), ValueError, "'timeout': must not be negative"),
        (lambda f: f.collect_window("c", 3, WINDOW), TypeError, "converted to 'ClockConfig'"),
        (lambda f: f.collect_window("c", CLOCK, 3), TypeError, "converted to 'WindowConfig'"),
        (
            lambda f: f.collect_window("c", ClockConfig(), WINDOW),
            TypeError,
            "Unknown clock_config type: <class .*ClockConfig'>",
        ),
        (
            lambda f: f.reduce_window("c", CLOCK, WindowConfig(), add),
            TypeError,
            "Unknown window_config type: <class .*WindowConfig'>",
        ),
        (lambda f: f.filter("f", coroutine), TypeError, "is async"),
        (lambda f: f.flat_map("f", coroutine), TypeError, "is async"),
        (lambda f: f.inspect(coroutine), TypeError, "is async"),
        (lambda f: f.stateful_map("s", int, coroutine), TypeError, "is async"),
        (lambda f: f.reduce("r", coroutine, same), TypeError, "is async"),
    ],
)
def test_a_wrong_argument_is_refused_where_it_is_given(call, error, text):
    flow = Dataflow()
    with pytest.raises(error, match=text):
        call(flow)
    assert flow._steps == []


async def coroutine(item):
    return item


def test_a_coroutine_is_an_item_that_a_later_step_runs():
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource([1, 2]))
    flow.map(coroutine)
    flow.map(asyncio.run)
    flow.filter_map(coroutine)
    flow.map(asyncio.run)
    flow.output("out", TestingSink(out))
    run_main(flow)
    assert out == [1, 2]


def test_a_step_id_may_be_empty(tmp_path):
    init_db_dir(tmp_path, 1)
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource([("a", 1), TestingSource.EOF(), ("a", 2)]))
    flow.stateful_map("", int, lambda state, value: (state + value, state + value))
    flow.output("out", TestingSink(out))
    for _ in range(2):
        run_main(flow, recovery_config=RecoveryConfig(tmp_path))
    assert out == [("a", 1), ("a", 3)]


def test_a_dataflow_is_what_it_is():
    with pytest.raises(TypeError, match="is not an acceptable base type"):
        type("Mine", (Dataflow,), {})
    with pytest.raises(AttributeError):
        Dataflow().something = 3
    with pytest.raises(TypeError):
        Dataflow(3)


@pytest.mark.parametrize(("value", "bare"), [("", False), ("0", False), ("1", True)])
def test_the_environment_switches_to_bare_window_output(monkeypatch, value, bare):
    monkeypatch.setenv("BYTEWAX_BARE_WINDOW_OUTPUT", value)
    flow = Dataflow()
    assert flow._bare_window_output is bare
    flow.bare_window_output = not bare
    assert flow._bare_window_output is not bare
    with pytest.raises(TypeError, match="must be a bool"):
        flow.bare_window_output = "yes"


def test_a_flow_needs_an_input_and_an_output():
    flow = Dataflow()
    with pytest.raises(ValueError, match="Dataflow needs to contain at least one input"):
        run_main(flow)
    flow.input("in", TestingSource([1]))
    with pytest.raises(ValueError, match="Dataflow needs to contain at least one output"):
        run_main(flow)
    with pytest.raises(TypeError, match="argument 'flow': 'int' object cannot be converted"):
        run_main(3)
    flow.output("out", TestingSink([]))
    with pytest.raises(TypeError, match="argument 'epoch_interval'"):
        run_main(flow, epoch_interval=3)
    with pytest.raises(TypeError, match="argument 'recovery_config'"):
        run_main(flow, recovery_config=3)


def test_a_flow_as_json_names_its_functions_and_configs():
    flow = Dataflow()
    flow.input("in", TestingSource([1]))
    flow.map("key", same)
    flow.redistribute()
    flow.batch("b", 10, SECOND)
    flow.stateful_map("s", list, add)
    flow.fold_window("fw", CLOCK, SlidingWindow(3 * SECOND, 2 * SECOND, START), list, add)
    flow.collect_window("cw", SystemClockConfig(), SessionWindow(SECOND))
    flow.output("out", StdOutSink())
    clock = {
        "type": "EventClockConfig",
        "dt_getter": "<lambda>",
        "wait_for_system_duration": "0:00:01",
    }
    sliding = {
        "type": "SlidingWindow",
        "length": "0:00:03",
        "offset": "0:00:02",
        "align_to": "2022-01-01T00:00:00+00:00",
    }
    assert json.loads(encode_dataflow(flow)) == {
        "type": "Dataflow",
        "steps": [
            {"type": "Input", "step_id": "in", "source": {"type": "TestingSource"}},
            {"type": "Map", "step_id": "key", "mapper": "same"},
            {"type": "Redistribute"},
            {"type": "Batch", "step_id": "b", "max_size": 10, "timeout": "0:00:01"},
            {"type": "StatefulMap", "step_id": "s", "builder": "list", "mapper": "add"},
            {
                "type": "FoldWindow",
                "step_id": "fw",
                "clock_config": clock,
                "window_config": sliding,
                "builder": "list",
                "folder": "add",
            },
            {
                "type": "CollectWindow",
                "step_id": "cw",
                "clock_config": {"type": "SystemClockConfig"},
                "window_config": {"type": "SessionWindow", "gap": "0:00:01"},
            },
            {"type": "Output", "step_id": "out", "sink": {"type": "StdOutSink"}},
        ],
    }


def test_json_of_a_flow_knows_nested_classes_and_dates():
    class Inner:
        pass

    value = {"type": Inner, "day": date(2022, 1, 2), "is": str.upper}
    assert json.loads(json.dumps(value, cls=DataflowEncoder)) == {
        "type": Inner.__qualname__,
        "day": "2022-01-02",
        "is": "upper",
    }


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: EventClockConfig(3, SECOND), "argument 'dt_getter': 'int' object is not callable"),
        (lambda: EventClockConfig(list, 3), "argument 'wait_for_system_duration': 'int' object"),
        (lambda: TumblingWindow(3, START), "argument 'length': 'int' object cannot be converted"),
        (lambda: TumblingWindow(SECOND, 3), "argument 'align_to': 'int' object cannot be"),
        (
            lambda: TumblingWindow(SECOND, datetime(2022, 1, 1)),
            "argument 'align_to': Not datetime.timezone.utc",
        ),
        (
            lambda: TumblingWindow(SECOND, datetime(2022, 1, 1, tzinfo=timezone(SECOND * 3600))),
            "argument 'align_to': Not datetime.timezone.utc",
        ),
        (lambda: SlidingWindow(SECOND, SECOND), "missing 1 required positional .*'align_to'"),
        (lambda: SessionWindow(3), "argument 'gap': 'int' object cannot be converted"),
        (lambda: WindowMetadata(datetime(2022, 1, 1), START), "argument 'open_time': Not date"),
    ],
)
def test_a_wrong_config_is_refused(make, text):
    with pytest.raises(TypeError, match=text):
        make()


def test_configs_show_and_keep_what_they_are():
    sliding = SlidingWindow(length=3 * SECOND, offset=SECOND, align_to=START)
    copy = pickle.loads(pickle.dumps(sliding))
    assert (copy.length, copy.offset, copy.align_to) == (3 * SECOND, SECOND, START)
    assert repr(SessionWindow(SECOND)) == "SessionWindow(gap=datetime.timedelta(seconds=1))"
    with pytest.raises(AttributeError):
        sliding.length = SECOND
    assert CLOCK.wait_for_system_duration == SECOND
    assert callable(CLOCK.dt_getter)


def test_window_metadata_compares_and_shows_its_times():
    first = WindowMetadata(START, START + SECOND)
    later = WindowMetadata(START, START + 2 * SECOND)
    same_end = WindowMetadata(START - SECOND, START + SECOND)
    assert first < later
    assert first <= same_end
    assert later > same_end
    assert first >= same_end
    assert first == WindowMetadata(START, START + SECOND)
    assert first != same_end
    assert first != "something"
    assert pickle.loads(pickle.dumps(first)) == first
    with pytest.raises(TypeError, match="unhashable"):
        hash(first)
    with pytest.raises(AttributeError):
        first.open_time = START
    assert repr(first) == (
        "WindowMetadata(open_time: 2022-01-01 00:00:00 UTC, close_time: 2022-01-01 00:00:01 UTC)"
    )
    millis = WindowMetadata(START + timedelta(milliseconds=5), START + timedelta(microseconds=7))
    assert re.findall(r"00:00:00\S* UTC", repr(millis)) == [
        "00:00:00.005 UTC",
        "00:00:00.000007 UTC",
    ]
