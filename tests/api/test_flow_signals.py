"""The application's signal handlers, and what stops a run, on the main thread."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta

import pytest
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.testing import TestingSink, TestingSource, run_main

LONG = timedelta(hours=1)


class Waiting(DynamicSource):
    """One item, and the next one in an hour."""

    def __init__(self, items=(1,)):
        self.items = items

    def build(self, now, worker_index, worker_count):
        return WaitingPart(self.items)


class WaitingPart(StatelessSourcePartition):
    def __init__(self, items):
        self.left = [[item] for item in items]

    def next_batch(self, sched):
        return self.left.pop(0)

    def next_awake(self):
        return None if self.left else datetime.now(UTC) + LONG


class OwnError(Exception):
    pass


@pytest.fixture
def handle():
    """Sets handlers for a test: handle(number, handler)."""
    before = {}

    def set_handler(number, handler):
        before.setdefault(number, signal.getsignal(number))
        signal.signal(number, handler)

    yield set_handler
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def alarm(handle):
    """Has a handler called when the test waits: alarm(handler)."""

    def set_alarm(handler):
        handle(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.2)

    yield set_alarm
    signal.setitimer(signal.ITIMER_REAL, 0)


def flow_of(source, *mappers):
    out = []
    flow = Dataflow()
    flow.input("in", source)
    for i, mapper in enumerate(mappers):
        flow.map(f"map {i}", mapper)
    flow.output("out", TestingSink(out))
    return flow, out


def raise_own(number, frame):
    raise OwnError("from a handler")


def test_a_handler_is_called_while_the_flow_waits_and_its_exception_ends_the_run(alarm):
    flow, out = flow_of(Waiting())
    alarm(raise_own)
    with pytest.raises(OwnError, match="from a handler"):
        run_main(flow)
    assert out == [1]
    assert signal.set_wakeup_fd(-1) == -1


def test_a_handler_that_exits_ends_the_run_as_user_code_does(alarm):
    flow, _ = flow_of(Waiting())
    alarm(lambda number, frame: sys.exit(7))
    with pytest.raises(SystemExit) as exit_:
        run_main(flow)
    assert exit_.value.code == 7


def test_a_run_goes_on_after_a_handler(handle, alarm):
    called = []

    def once_more(number, frame):
        called.append(number)
        if len(called) == 3:
            raise OwnError
        signal.setitimer(signal.ITIMER_REAL, 0.01)

    flow, _ = flow_of(Waiting())
    alarm(once_more)
    with pytest.raises(OwnError):
        run_main(flow)
    assert called == [signal.SIGALRM] * 3


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_wakeup_descriptor_of_the_application_stays(alarm, when):
    told, teller = socket.socketpair()
    told.setblocking(False)
    teller.setblocking(False)

    def take(item):
        if when == "during":
            signal.set_wakeup_fd(teller.fileno())
        return item

    flow, _ = flow_of(Waiting(), take)
    if when == "before":
        signal.set_wakeup_fd(teller.fileno())
    alarm(raise_own)
    try:
        with pytest.raises(OwnError):
            run_main(flow)
    finally:
        assert signal.set_wakeup_fd(-1) == teller.fileno()
    assert told.recv(10) == bytes([signal.SIGALRM])
    told.close()
    teller.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_with_a_handler_of_the_application_calls_that(handle, number):
    called = []

    def own(number, frame):
        called.append(number)

    def send(item):
        if item == 1:
            os.kill(os.getpid(), number)
        return item

    handle(number, own)
    flow, out = flow_of(TestingSource([1, 2, 3]), send)
    run_main(flow)
    assert called == [number]
    assert out == [1, 2, 3]
    assert signal.getsignal(number) is own


def test_a_handler_set_by_a_step_is_called_and_stays(handle):
    called = []
    handle(signal.SIGTERM, signal.SIG_DFL)  # comes back after the test

    def take(item):
        if item == 1:
            signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
        os.kill(os.getpid(), signal.SIGTERM)
        return item

    flow, out = flow_of(TestingSource([1, 2]), take)
    run_main(flow)
    os.kill(os.getpid(), signal.SIGTERM)
    assert called == [signal.SIGTERM] * 3
    assert out == [1, 2]


def test_a_stop_signal_without_one_lets_through_what_was_read():
    def send(item):
        if item == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return item

    flow, out = flow_of(Waiting([1, 2]), send)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_main(flow)
    assert out in ([1], [1, 2])
    assert signal.getsignal(signal.SIGINT) is before


NESTED = """
    import itertools
    import os
    import signal

    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSink, TestingSource, run_main

    def run(items, mapper):
        out = []
        flow = Dataflow()
        flow.input("in", TestingSource(items))
        flow.map("map", mapper)
        flow.output("out", TestingSink(out))
        run_main(flow)
        return out

    print(run([1, 2], lambda n: run(range(n), lambda m: m + 10)))

    def stop(item):
        if item == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return item

    out = run(itertools.count(), lambda n: run([n], stop))
    print(out == [[n] for n in range(len(out))])
"""


def test_a_dataflow_runs_within_another_ones_function():
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(NESTED)], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "[[10], [10, 11]]\nTrue\n"
