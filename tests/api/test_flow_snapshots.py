"""How states are stored without a serde: pickled, and what pickle refuses by jsonpickle."""

import sys
import threading
from collections import defaultdict
from datetime import timedelta

import pytest
from bytewax.testing import run_main
from bytewax.window import EventClockConfig, TumblingWindow
from flow_kept import ABORT, EACH_BATCH, EOF, START, flow_of
from wallaroo.flows.snapshots import Snapshots


def ones(count):
    return [("a", 1)] * count


class Counter:
    """A state that pickle refuses."""

    def __init__(self):
        self.count = 0
        self.lock = threading.RLock()
        self.changed = lambda: None

    def add(self, value):
        with self.lock:
            self.count += value
        return self.count


def add_to_item(state, value):
    state["count"] += value
    return state, state["count"]


UNPICKLABLE = {
    "a defaultdict with a lambda": (lambda: defaultdict(lambda: 0), add_to_item),
    "a defaultdict of defaultdicts": (
        lambda: defaultdict(lambda: defaultdict(int)),
        lambda state, value: (
            add_to_item(state["inner"], value) and (state, state["inner"]["count"])
        ),
    ),
    "an object with a lambda and a lock": (
        Counter,
        lambda state, value: (state, state.add(value)),
    ),
    "a dict with a lambda": (lambda: {"f": lambda: 0, "count": 0}, add_to_item),
    "a tuple with a lambda": (
        lambda: (0, lambda: 0),
        lambda state, value: ((state[0] + value, state[1]), state[0] + value),
    ),
    "a dict with a lock": (lambda: {"lock": threading.Lock(), "count": 0}, add_to_item),
}


@pytest.mark.parametrize("kind", UNPICKLABLE)
def test_a_state_that_pickle_refuses_is_kept_by_jsonpickle(config, caplog, kind):
    flow, out = flow_of(
        [*ones(2), EOF(), *ones(2), EOF(), *ones(1)],
        lambda flow: flow.stateful_map("sum", *UNPICKLABLE[kind]),
    )
    for expected in ([1, 2], [3, 4], [5]):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
        assert [value for _, value in out] == expected
        out.clear()
    assert "pickle refuses snapshots such as" in caplog.text
    assert "can't bring them back" not in caplog.text


def test_a_window_whose_state_pickle_refuses_is_kept_by_jsonpickle(config):
    def count(words, item):
        words[item[1]] += 1
        return words

    clock = EventClockConfig(lambda item: item[0], wait_for_system_duration=timedelta(0))
    window = TumblingWindow(length=timedelta(minutes=1), align_to=START)
    items = [("a", (START + timedelta(seconds=second), "x")) for second in range(4)]
    flow, out = flow_of(
        [*items[:2], ABORT(), *items[2:]],
        lambda flow: flow.fold_window(
            "count", clock, window, lambda: defaultdict(lambda: 0), count
        ),
    )
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert out == []
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert [(key, dict(words)) for key, (_, words) in out] == [("a", {"x": 4})]


def local_counter():
    class Local(Counter):
        pass

    return Local()


def flow_of_local_objects():
    return flow_of(
        [*ones(2), EOF(), *ones(1)],
        lambda flow: flow.stateful_map(
            "sum", local_counter, lambda state, value: (state, state.add(value))
        ),
    )


def test_a_state_of_a_local_class_runs_and_says_that_it_does_not_come_back(config, caplog):
    flow, out = flow_of_local_objects()
    run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert [value for _, value in out] == [1, 2]
    assert caplog.text.count("a restart can't bring them back") == 1
    with pytest.raises(RuntimeError, match=r"step 'sum' can't be restored: .*there is no class"):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)


def test_a_state_that_pickle_refuses_says_what_to_do(config, monkeypatch):
    flow, _ = flow_of_local_objects()
    monkeypatch.setitem(sys.modules, "jsonpickle", None)
    with pytest.raises(RuntimeError, match=r"state 'sum' of key 'a' .*pip install jsonpickle"):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)


def test_a_state_that_nothing_takes_says_what_to_do(config):
    class Stubborn:
        def __reduce__(self):
            raise ValueError("not me")

    flow, _ = flow_of(ones(1), lambda flow: flow.stateful_map("sum", Stubborn, lambda s, v: (s, v)))
    with pytest.raises(RuntimeError, match=r"jsonpickle: ValueError: not me; .*snapshot_serde"):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)


def test_a_generator_is_refused_and_not_used_up(config):
    numbers = (number for number in range(3))
    flow, _ = flow_of(
        ones(1), lambda flow: flow.stateful_map("sum", lambda: [numbers], lambda s, v: (s, v))
    )
    with pytest.raises(RuntimeError, match="cannot pickle 'generator' object"):
        run_main(flow, epoch_interval=EACH_BATCH, recovery_config=config)
    assert list(numbers) == [0, 1, 2]


def test_what_jsonpickle_wrote_needs_it(monkeypatch):
    stored = Snapshots().ser({"f": lambda: 0, "count": 2})
    assert Snapshots().de(stored) == {"count": 2}
    assert Snapshots().ser({"count": 2})[:1] == b"\x80"
    monkeypatch.setitem(sys.modules, "jsonpickle", None)
    with pytest.raises(ImportError, match="pip install jsonpickle"):
        Snapshots().de(stored)
