"""What the epochs have cost is counted, and said at the end."""

import re
from pathlib import Path

from harness import Client, Receiver, Serve, ask_store, newest_epoch, one_pipeline
from harness.apptext import COUNT, COUNT_STEP, SLOWLY_READ_BACK

COUNTING = one_pipeline(COUNT_STEP, COUNT)
LATE = ("--resilience-dir", "recovery", "--epoch-interval", "3600")


def test_epochs_commits_keys_bytes_and_restoring_are_counted(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    text = one_pipeline(COUNT_STEP, COUNT + SLOWLY_READ_BACK)
    server = serve(text, *LATE)
    with Client(server.address()) as client:
        client.send_frames("a", "b", "a", "c", "a")
        receiver.wait_lines(5)
    assert server.terminate() == 0
    assert newest_epoch(tmp_path / "recovery") == 1
    first = server.epochs_summary()
    assert first["epochs"] == 1
    assert first["changed keys"] == 3, "each key once, however often it changed"
    assert ask_store(tmp_path / "recovery", "SELECT count(*) FROM snap") == [(3,)]
    assert first["state bytes"] == 3 * len("001")
    assert first["us in epochs"] > first["us in barriers"] + first["us in store commits"]
    assert first["us in store commits"] > 0
    assert first["store failures"] == 0
    assert first["ms in restoring"] == 0, "there was nothing yet"
    server = serve(text, *LATE)
    with Client(server.address()) as client:
        client.send_frames("b")
        receiver.wait_lines(6)
    assert server.terminate() == 0
    second = server.epochs_summary()
    assert (second["epochs"], second["changed keys"]) == (1, 1)
    (restored,) = server.log_lines("3 keys restored")
    said = re.search(r"restored in (\d+) ms", restored)
    assert said
    assert second["ms in restoring"] == int(said[1])
    assert second["ms in restoring"] >= 30, "reading three states back took that long"


def test_server_without_a_directory_counts_no_epochs(serve: Serve) -> None:
    server = serve(COUNTING)
    assert server.terminate() == 0
    assert not server.log_lines("epochs:")


def test_workers_count_their_own_epochs(serve: Serve, receiver: Receiver) -> None:
    server = serve(COUNTING, *LATE, "--workers", "2")
    keys = [f"key{i}" for i in range(20)]
    with Client(server.address()) as client:
        client.send_frames(*keys)
        receiver.wait_lines(len(keys))
    assert server.terminate() == 0
    assert len(server.log_lines("epochs:", "[worker")) == 2, server.stderr
    assert server.epochs_summary()["changed keys"] == len(keys)
