"""Event loops in the functions of a dataflow that a coroutine runs, as a notebook does."""

import asyncio
import contextlib

import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main


async def next_number(number):
    await asyncio.sleep(0)
    return number + 1


def run(mapper, run_flow):
    out = []
    flow = Dataflow()
    flow.input("in", TestingSource([1, 2]))
    flow.map("map", mapper)
    flow.output("out", TestingSink(out))
    run_flow(flow)
    return sorted(out)


def run_workers(flow):
    cluster_main(flow, [], 0, worker_count_per_proc=2)


def test_a_step_of_cluster_main_runs_an_event_loop_though_a_coroutine_runs_the_flow():
    async def notebook():
        return run(lambda number: asyncio.run(next_number(number)), run_workers)

    assert asyncio.run(notebook()) == [2, 3]


def test_a_step_of_run_main_uses_the_loop_of_the_coroutine_that_runs_the_flow():
    async def notebook():
        tasks = []
        run(lambda number: tasks.append(asyncio.create_task(next_number(number))) or 0, run_main)
        return [await task for task in tasks]

    assert asyncio.run(notebook()) == [2, 3]


@pytest.mark.parametrize("mapper", [str, lambda number: 1 // 0])
def test_a_coroutine_that_ran_a_flow_has_its_loop_as_before(mapper):
    async def notebook():
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ZeroDivisionError):
            run(mapper, run_workers)
        assert asyncio.get_running_loop() is loop
        return await next_number(1)

    assert asyncio.run(notebook()) == 2
