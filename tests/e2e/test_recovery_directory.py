"""The resilience directory: made, refused, locked; and what is said without one."""

import os
import stat
from pathlib import Path

import pytest
from harness import (
    COUNT,
    COUNT_PAIRS,
    COUNT_STEP,
    Client,
    Kafka,
    Receiver,
    Serve,
    ServeKafka,
    Server,
    kafka_pipeline,
    one_pipeline,
)

REFUSED = 4
STATEFUL = one_pipeline(COUNT_STEP, COUNT)


def expect_refusal(server: Server, *needles: str) -> None:
    """Waits for the end: one message, and nothing was started."""
    assert server.wait() == REFUSED, server.describe()
    assert len(server.log_lines(*needles)) == 1, server.stderr
    assert "listening on" not in server.stdout


def test_directory_is_made_for_its_owner_only_and_outlives_a_stop(
    serve: Serve, tmp_path: Path
) -> None:
    before = os.umask(0o002)
    try:
        server = serve(one_pipeline(), "--resilience-dir", "recovery/")
    finally:
        os.umask(before)
    assert server.terminate() == 0
    directory = tmp_path / "recovery"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_directory_can_be_there_already(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "recovery").mkdir(mode=0o700)
    server = serve(one_pipeline(), "-r", "recovery")
    assert server.terminate() == 0


@pytest.mark.parametrize("mode", [0o770, 0o720, 0o702, 0o777])
def test_directory_that_others_may_write_to_is_refused(
    serve: Serve, tmp_path: Path, mode: int
) -> None:
    (tmp_path / "recovery").mkdir()
    (tmp_path / "recovery").chmod(mode)
    server = serve(one_pipeline(), "--resilience-dir", "recovery", ready=False)
    expect_refusal(server, "recovery", "others may write")
    assert not any((tmp_path / "recovery").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")
def test_directory_of_somebody_else_is_refused(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "recovery").mkdir(mode=0o700)
    os.chown(tmp_path / "recovery", 1, 1)
    server = serve(one_pipeline(), "--resilience-dir", "recovery", ready=False)
    expect_refusal(server, "recovery", "belongs to user 1")


def test_file_in_its_place_is_refused(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "recovery").write_text("mine")
    server = serve(one_pipeline(), "--resilience-dir", "recovery", ready=False)
    expect_refusal(server, "recovery", "is a file")
    assert (tmp_path / "recovery").read_text() == "mine"


def test_directory_below_one_that_does_not_exist_is_refused(serve: Serve) -> None:
    server = serve(one_pipeline(), "--resilience-dir", "no/such/place", ready=False)
    expect_refusal(server, "no/such/place", "does not exist")


def test_directory_of_a_running_server_is_refused(serve: Serve, receiver: Receiver) -> None:
    first = serve(one_pipeline(), "--resilience-dir", "recovery")
    second = serve(one_pipeline(), "--resilience-dir", "recovery", ready=False)
    expect_refusal(second, "recovery", "in use", str(first.process.pid))
    with Client(first.address()) as client:
        client.send_frames("a")
        receiver.wait_lines(1)
    assert first.terminate() == 0


def test_directory_of_another_application_is_refused(serve: Serve) -> None:
    server = serve(one_pipeline(), "--resilience-dir", "recovery")
    assert server.terminate() == 0
    other = one_pipeline().replace('ApplicationBuilder("test")', 'ApplicationBuilder("other")')
    server = serve(other, "--resilience-dir", "recovery", ready=False)
    expect_refusal(server, "recovery", "'test'", "'other'")


def test_original_option_needs_the_directory(serve: Serve) -> None:
    server = serve(one_pipeline(), "--run-with-resilience", ready=False)
    assert server.wait() == 2
    assert "--resilience-dir" in server.stderr
    server = serve(
        *(one_pipeline(), "--run-with-resilience", "--resilience-dir=recovery"),
        *("--time-between-checkpoints", "50_000_000"),
    )
    assert server.terminate() == 0


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        (one_pipeline(), "what was read over TCP"),
        (STATEFUL, "all state and what was read over TCP"),
    ],
)
def test_server_says_once_what_a_crash_would_lose(serve: Serve, text: str, lost: str) -> None:
    server = serve(text)
    assert len(server.log_lines("without --resilience-dir", lost)) == 1, server.stderr
    assert server.terminate() == 0
    assert len(server.log_lines("--resilience-dir")) == 1


def test_server_that_loses_nothing_says_nothing(
    serve: Serve, serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    server = serve(one_pipeline(), "--resilience-dir", "recovery")
    assert server.terminate() == 0
    assert not server.log_lines("a crash loses")
    source, sink = kafka.new_topic("in"), kafka.new_topic("out")
    server = serve_kafka(kafka_pipeline(), source=source, sink=sink)
    assert server.terminate() == 0
    assert not server.log_lines("a crash loses")
    server = serve_kafka(
        kafka_pipeline(COUNT_STEP, COUNT_PAIRS, sink="sink(args, counted)"),
        source=source,
        sink=sink,
    )
    assert server.terminate() == 0
    assert server.log_lines("a crash loses all state")
