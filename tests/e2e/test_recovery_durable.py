"""What an epoch consists of is made durable before the epoch counts: every file of it is synced."""

import shutil
import subprocess
from pathlib import Path

import pytest
from harness import DEADLINE_S, Client, Receiver, Serve, one_pipeline
from harness.apptext import COUNT, COUNT_STEP

COUNTING = one_pipeline(COUNT_STEP, COUNT)
LATE = ("--resilience-dir", "recovery", "--epoch-interval", "3600")


@pytest.mark.parametrize("name", ["worker-0.sqlite3-wal", "worker-0.head", "journal-0-0.log"])
def test_file_that_can_not_be_made_durable_ends_the_server_and_a_restart_goes_on(
    serve: Serve, receiver: Receiver, tmp_path: Path, name: str
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("no strace")
    server = serve(COUNTING, *LATE)
    with Client(server.address()) as client:
        client.send_frames("a")
        receiver.wait_lines(1)
    strace = subprocess.Popen(
        ["strace", "-f", "-p", str(server.process.pid), "-o", str(tmp_path / "strace.log")]
        + ["-P", str(tmp_path / "recovery" / name), "-e", "trace=fdatasync,fsync"]
        + ["-e", "inject=fdatasync,fsync:error=EIO"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert strace.stderr
    said = strace.stderr.readline()  # of the path, or that it is attached, or why it is not
    while "attached" not in said and "not permitted" not in said and strace.poll() is None:
        said = strace.stderr.readline()
    if "attached" not in said:
        pytest.skip(f"strace may not look at the server: {said.strip()}")
    try:
        assert server.terminate() == 1, server.describe()
    finally:
        strace.communicate(timeout=DEADLINE_S)
    assert len(server.log_lines(" error ", "recovery/" + name.removesuffix("-wal"))) == 1, (
        server.stderr
    )
    server = serve(COUNTING, *LATE)
    with Client(server.address()) as client:
        client.send_frames("a")
        server.wait_for(lambda: b"a 2\n" in receiver.data, "the second count")
    assert server.terminate() == 0
    assert receiver.lines[-1] == "a 2"
