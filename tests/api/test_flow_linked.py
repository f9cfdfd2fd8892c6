"""`cluster_main` with addresses: what processes that share a dataflow give together."""

import socket
import threading
from datetime import timedelta

import flow_model
import pytest
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, cluster_main
from flow_threads import addresses, run_processes
from hypothesis import given, settings
from hypothesis import strategies as st
from test_flow_model import ORDERED, SPREAD, by_key, outputs
from wallaroo.flows import links


def succeeds(flow, **how):
    assert run_processes(flow, **how) == [None] * how.get("processes", 2)


@pytest.mark.parametrize(("processes", "workers"), [(2, 1), (3, 2)])
@settings(max_examples=25, deadline=None)
@given(streams=st.lists(ORDERED, min_size=1, max_size=2), zero=st.booleans())
def test_several_processes_do_the_same_for_each_key(processes, workers, streams, zero):
    expected = outputs(flow_model.run, streams)
    interval = {"epoch_interval": timedelta(0)} if zero else {}
    got = outputs(
        lambda flow: succeeds(flow, processes=processes, workers=workers, **interval), streams
    )
    assert [by_key(out) for out in got] == [by_key(out) for out in expected]


@settings(max_examples=15, deadline=None)
@given(streams=st.lists(SPREAD, min_size=1, max_size=2))
def test_items_that_are_redistributed_over_processes_all_arrive_once(streams):
    expected = outputs(flow_model.run, streams)
    got = outputs(lambda flow: succeeds(flow, processes=2, workers=2), streams)
    assert [sorted(out) for out in got] == [sorted(out) for out in expected]


def test_workers_of_several_processes_are_counted_through():
    seen = set()
    flow = Dataflow()
    flow.input("in", TestingSource(range(600), batch_size=10))
    flow.redistribute()
    flow.inspect_worker(lambda worker, item: seen.add(worker))
    flow.output("out", TestingSink([]))
    succeeds(flow, processes=3, workers=2)
    assert seen == {0, 1, 2, 3, 4, 5}


def test_a_process_whose_user_code_raises_raises_that_and_the_others_say_who():
    flow = Dataflow()
    flow.input("in", TestingSource(range(100)))
    flow.redistribute()
    flow.map("m", lambda item: item)
    flow.map("divide", lambda item: 1 / (item - 50))
    flow.output("out", TestingSink([]))
    failures = run_processes(flow, processes=3)
    failed = [i for i, error in enumerate(failures) if isinstance(error, ZeroDivisionError)]
    assert len(failed) == 1
    text = f"process {failed[0]} of the dataflow has failed: step 'divide': ZeroDivisionError: "
    for error in (error for i, error in enumerate(failures) if i not in failed):
        assert isinstance(error, RuntimeError)
        assert str(error).startswith(text) or str(error).endswith("is gone")


@pytest.mark.parametrize("with_recovery", [0, 1])
def test_processes_must_agree_whether_their_state_is_kept(tmp_path, with_recovery):
    init_db_dir(tmp_path, 1)
    flow = Dataflow()
    flow.input("in", TestingSource(range(100)))
    flow.output("out", TestingSink([]))
    names = addresses(2)
    failures = [None, None]

    def run(process):
        config = RecoveryConfig(str(tmp_path)) if process == with_recovery else None
        try:
            cluster_main(flow, names, process, recovery_config=config)
        except RuntimeError as error:
            failures[process] = str(error)

    other = threading.Thread(target=run, args=(1,))
    other.start()
    run(0)
    other.join()
    assert any("'dataflow with recovery: in out'" in str(failure) for failure in failures)
    assert None not in failures


def test_states_go_to_the_process_that_has_their_key(tmp_path):
    init_db_dir(tmp_path, 3)
    items = [(f"key {n % 50}", 1) for n in range(500)]
    items = [*items, TestingSource.EOF(), *items, TestingSource.EOF(), *items]
    out = []
    for processes, workers in ((1, 1), (3, 2), (2, 1)):
        out.clear()
        flow = Dataflow()
        flow.input("in", TestingSource(items, batch_size=50))
        flow.stateful_map("count", int, lambda count, one: (count + one, count + one))
        flow.output("out", TestingSink(out))
        config = RecoveryConfig(str(tmp_path))
        if processes == 1:
            cluster_main(flow, [], 0, recovery_config=config)
        else:
            succeeds(flow, processes=processes, workers=workers, recovery_config=config)
    assert {key: max(counts) for key, counts in by_key(out).items()} == {
        f"key {n}": 30 for n in range(50)
    }
    assert len(out) == 500


@pytest.mark.parametrize("says", [b"", b"{"])
def test_a_process_that_ends_while_the_others_greet_it_has_failed_for_them(says):
    """They had shown a broken connection, maybe in place of what is wrong."""
    names = addresses(2)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(links._name(names[0]))
        server.listen()

        def end_at_once():
            connection, _ = server.accept()
            connection.recv(1)  # the rest is unread: the other end is reset
            connection.sendall(says)
            connection.close()

        ending = threading.Thread(target=end_at_once)
        ending.start()
        with pytest.raises(links.PeerFailedError, match=f"process at {names[0]} has failed"):
            links.linked(names, 1, 1).__enter__()
        ending.join()
