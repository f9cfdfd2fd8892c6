"""`machida recovery` shows what a directory holds, and unpickles nothing."""

import re
from pathlib import Path

from harness import (
    Client,
    Receiver,
    Serve,
    Server,
    Start,
    change_store,
    newest_epoch,
    one_pipeline,
)

COUNT = """\
class Count:
    def __init__(self):
        self.count = 0

    def __setstate__(self, state):
        print("unpickled")
        self.__dict__ = state

@wallaroo.partition
def by_itself(data):
    return data

@wallaroo.state_computation(name="count")
def count(data, state):
    state.count += 1
    return f"{data} {state.count}", True
"""
COUNTING = one_pipeline('ab.to_state_partition(count, Count, "counts", by_itself)', COUNT)
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
