"""`machida recovery` shows what a directory holds, and unpickles nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

from harness import (
    COUNT,
    COUNT_STEP,
    Client,
    Receiver,
    Serve,
    Server,
    Start,
    change_store,
    newest_epoch,
    one_pipeline,
)

UNPICKLED = """\
    def __setstate__(self, state):
        print("unpickled")
        self.__dict__ = state

@wallaroo.partition"""
COUNTING = one_pipeline(COUNT_STEP, COUNT.replace("@wallaroo.partition", UNPICKLED))
DATAFLOW = """\
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource

flow = Dataflow()
flow.input("in", TestingSource([("a", 1), ("b", 1), ("c", 1)]))
flow.stateful_map("count", int, lambda count, one: (count + one, count))
flow.output("out", TestingSink([]))
"""
RESILIENT = ("--resilience-dir", "recovery", "--epoch-interval", "0.02")


def fill(serve: Serve, receiver: Receiver, store: Path) -> Server:
    """Runs a server that stores two epochs; it still runs."""
    server = serve(COUNTING, *RESILIENT)
    for epoch, words in enumerate((["a", "b"], ["b"]), 1):
        lines = receiver.data.count(b"\n") + len(words)
        with Client(server.address()) as client:
            client.send_frames(*words)
            receiver.wait_lines(lines)
        server.wait_for(lambda epoch=epoch: newest_epoch(store) >= epoch, f"epoch {epoch}")
    return server


def recovery(start: Start, *words: str) -> Server:
    """Runs the command to its end."""
    command = start("recovery", *words)
    command.wait()
    return command


def test_commands_show_what_a_running_server_has_stored(
    start: Start, serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    server = fill(serve, receiver, tmp_path / "recovery")
    listed = recovery(start, "ls", "recovery")
    assert listed.process.returncode == 0, listed.describe()
    assert "'test'" in listed.stdout
    epochs = re.findall(r"^ +(\d+) .*\b(?:yes|no)$", listed.stdout, re.MULTILINE)
    assert epochs == [str(i) for i in range(1, newest_epoch(tmp_path / "recovery") + 1)]
    shown = recovery(start, "show", "recovery")
    assert shown.process.returncode == 0, shown.describe()
    assert re.search(r"\bcounts +2\b", shown.stdout)
    assert "position: journal" in shown.stdout
    keys = recovery(start, "show", "recovery", "--keys")
    assert re.findall(r"^counts\t(\w+)\t\d+$", keys.stdout, re.MULTILINE) == ["a", "b"]
    verified = recovery(start, "verify", "recovery")
    assert verified.process.returncode == 0, verified.describe()
    assert "2 keys" in verified.stdout
    assert server.terminate() == 0
    for command in (listed, shown, keys, verified):
        assert "unpickled" not in command.stdout + command.stderr
        assert command.stderr == ""


def test_verify_names_what_is_damaged(
    start: Start, serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    store = tmp_path / "recovery"
    server = fill(serve, receiver, store)
    assert server.terminate() == 0
    newest = newest_epoch(store)
    assert change_store(store, f"UPDATE snap SET value=x'00' WHERE epoch={newest}") == 1
    verified = recovery(start, "verify", "recovery")
    assert verified.process.returncode == 4
    assert "worker-0.sqlite3" in verified.stderr
    assert f"epoch {newest}" in verified.stderr
    assert str(newest - 1) in verified.stdout


def test_partitions_of_a_dataflow_are_shown_as_well(start: Start, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(DATAFLOW)
    (tmp_path / "recovery").mkdir()
    path = os.pathsep.join(sys.path)
    for command in ("bytewax.recovery recovery 2", "bytewax.run -r recovery app"):
        subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
        )
    listed = recovery(start, "ls", "recovery")
    assert "partition 0 of 2: up to epoch 1" in listed.stdout
    shown = recovery(start, "show", "recovery")
    assert "epoch 1, in 2 partitions" in shown.stdout
    assert re.search(r"\bcount +3\b", shown.stdout)
    keys = recovery(start, "show", "recovery", "--keys")
    assert re.findall(r"^count\t(\w)\t\d+$", keys.stdout, re.MULTILINE) == ["a", "b", "c"]
    verified = recovery(start, "verify", "recovery")
    assert verified.stdout.endswith("the next run goes on from epoch 1\n")
    assert [c.process.returncode for c in (listed, shown, keys, verified)] == [0] * 4
    assert change_store(tmp_path / "recovery", "DELETE FROM snaps", "part-1.sqlite3") > 0
    damaged = recovery(start, "verify", "recovery")
    assert damaged.process.returncode == 4
    assert "part-1.sqlite3" in damaged.stderr


def test_directory_that_is_none_or_empty_is_refused(start: Start, tmp_path: Path) -> None:
    assert recovery(start, "ls", "no-such-place").process.returncode == 4
    (tmp_path / "empty").mkdir(mode=0o700)
    refused = recovery(start, "verify", "empty")
    assert refused.process.returncode == 4
    assert "empty" in refused.stderr


def test_mistakes_and_help(start: Start) -> None:
    assert recovery(start).process.returncode == 2
    assert recovery(start, "destroy", "recovery").process.returncode == 2
    assert recovery(start, "ls").process.returncode == 2
    helped = recovery(start, "--help")
    assert helped.process.returncode == 0
    assert all(word in helped.stdout for word in ("ls", "show", "verify"))
