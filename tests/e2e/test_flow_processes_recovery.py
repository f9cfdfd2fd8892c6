"""Dataflows of several processes go on where they were; processes that are started one by one."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import BINARY, wait_until
from harness.flow_processes import Run, addresses, check_counts, counting


def make_partitions(start_flow: Callable[..., Run]) -> None:
    assert start_flow("bytewax.recovery", "recovery", "2").end()[0] == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_another_number_of_workers_goes_on_where_those_before_were_stopped(
    start_flow, tmp_path: Path, stop
) -> None:
    counting(tmp_path)
    (tmp_path / "recovery").mkdir()
    make_partitions(start_flow)
    for workers in ("1", "3", "2"):
        before = check_counts(tmp_path)
        run = start_flow("bytewax.run", "app", "-w", workers, "-r", "recovery", "-s", "1")
        wait_until(lambda before=before: check_counts(tmp_path) > before + 50, "lines")
        run.process.send_signal(stop)
        status, _, errors = run.end()
        assert status == 0, errors
    total = check_counts(tmp_path)
    status, _, errors = start_flow(
        *("bytewax.run", "app", "-w", "5", "-r", "recovery"), LAST=str(total)
    ).end()
    assert (status, errors) == (0, "")
    check_counts(tmp_path, total)


def test_scale_says_that_a_dataflow_is_started_again_with_another_number(
    start_flow, tmp_path: Path
) -> None:
    counting(tmp_path)
    (tmp_path / "recovery").mkdir()
    make_partitions(start_flow)
    run = start_flow("bytewax.run", "app", "-r", "recovery")
    wait_until(lambda: check_counts(tmp_path) > 50, "lines")
    for where in ("recovery", str(tmp_path / "recovery")):
        asked = subprocess.run(
            [BINARY, "scale", "2", where], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert asked.returncode == 1
        assert "start it with another -w" in asked.stderr
    run.process.terminate()
    assert run.end() == (0, "", "")
    check_counts(tmp_path)


@pytest.mark.parametrize("victim", ["first worker", "last worker", "all"])
def test_after_a_kill_nothing_is_lost_or_counted_twice(start_flow, tmp_path: Path, victim) -> None:
    counting(tmp_path)
    (tmp_path / "recovery").mkdir()
    make_partitions(start_flow)
    for workers in ("3", "2", "4"):
        before = check_counts(tmp_path)
        run = start_flow("bytewax.run", "app", "-w", workers, "-r", "recovery", "-s", "0")
        wait_until(lambda before=before: check_counts(tmp_path) > before + 50, "lines")
        if victim == "all":
            os.killpg(run.process.pid, signal.SIGKILL)
            run.process.communicate()
            wait_until(lambda run=run: run.group() == [], "the end of all processes")
        else:
            index = 0 if victim == "first worker" else -1
            os.kill(run.workers()[index], signal.SIGKILL)
            status, _, errors = run.end()
            assert status == 128 + signal.SIGKILL
            number = 0 if index == 0 else int(workers) - 1
            assert f"worker {number} was killed by signal 9" in errors
            assert "Traceback" not in errors
    total = check_counts(tmp_path) + 100
    status, _, errors = start_flow(
        *("bytewax.run", "app", "-w", "3", "-r", "recovery", "-s", "0"), LAST=str(total)
    ).end()
    assert (status, errors) == (0, "")
    check_counts(tmp_path, total)


def test_processes_that_are_started_one_by_one_find_each_other(start_flow, tmp_path: Path) -> None:
    counting(tmp_path)
    arguments = ["bytewax.run", "app", "-w", "2", "-a", addresses(tmp_path, 3), "-i"]
    runs = [start_flow(*arguments, index, LAST="1000") for index in "201"]
    for run in runs:
        assert run.end() == (0, "", "")
    check_counts(tmp_path, 1000)
    assert len({path.name.split("-")[2] for path in tmp_path.glob("built-*")}) == 4


def test_a_signal_to_one_process_drains_those_at_the_other_addresses(start_flow, tmp_path) -> None:
    counting(tmp_path)
    (tmp_path / "recovery").mkdir()
    make_partitions(start_flow)
    arguments = ["bytewax.run", "app", "-r", "recovery", "-a", addresses(tmp_path, 2), "-i"]
    for stopped in (0, 1):
        before = check_counts(tmp_path)
        runs = [start_flow(*arguments, index) for index in "01"]
        wait_until(lambda before=before: check_counts(tmp_path) > before + 50, "lines")
        runs[stopped].process.terminate()
        for run in runs:
            assert run.end() == (0, "", "")
    check_counts(tmp_path)


def test_a_process_that_is_killed_ends_those_at_the_other_addresses(
    start_flow, tmp_path: Path
) -> None:
    counting(tmp_path)
    arguments = ["bytewax.run", "app", "-a", addresses(tmp_path, 2), "-i"]
    runs = [start_flow(*arguments, index) for index in "01"]
    wait_until(lambda: check_counts(tmp_path) > 50, "lines")
    runs[1].process.kill()
    status, _, errors = runs[0].end()
    assert (status, errors) == (1, "process 1 of the dataflow is gone\n")


def test_workers_at_one_address_end_with_those_at_another(start_flow, tmp_path: Path) -> None:
    counting(tmp_path)
    arguments = ["bytewax.run", "app", "-w", "2", "-a", addresses(tmp_path, 2), "-i"]
    runs = [start_flow(*arguments, index) for index in "01"]
    wait_until(lambda: check_counts(tmp_path) > 50, "lines")
    runs[1].process.kill()
    status, _, errors = runs[0].end()
    assert (status, errors) == (1, "another process of the dataflow has failed or is gone\n")
    wait_until(lambda: runs[1].group() == [], "the end of the workers")


def test_processes_that_do_not_fit_together_are_refused(start_flow, tmp_path: Path) -> None:
    counting(tmp_path)
    arguments = ["bytewax.run", "app", "-a", addresses(tmp_path, 2), "-i"]
    runs = [start_flow(*arguments, "0", "-w", "2"), start_flow(*arguments, "1", "-w", "3")]
    status, _, errors = runs[1].end()
    assert status == 1
    assert "was started with workers 2, this one with 3" in errors
    assert runs[0].end()[0] == 1
