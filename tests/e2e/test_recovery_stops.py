"""SIGTERM under load, again and again: exit status 0, and a restart repeats nothing."""

import shutil
from pathlib import Path

import pytest
from harness import (
    Client,
    Counting,
    Kafka,
    Receiver,
    Sequences,
    Serve,
    Survivor,
    Talker,
    check_frames,
    frames_application,
    one_pipeline,
    parse_frame,
    wait_until,
)

STOPS = 20
SLOW_COUNT = one_pipeline(
    'ab.to_state_partition(count, Count, "counts", by_itself)',
    """\
    import os
    import time


    class Count:
        def __init__(self):
            self.n = 0


    @wallaroo.partition
    def by_itself(data):
        return data


    @wallaroo.state_computation(name="count")
    def count(data, state):
        time.sleep(float(os.environ.get("SLOW", "0")))
        state.n += 1
        return f"{data} {state.n}", True
    """,
)

pytestmark = pytest.mark.timeout(240)


def test_kafka_to_kafka(kafka: Kafka, tmp_path: Path) -> None:
    with Counting(kafka, tmp_path) as counting:
        for _ in range(STOPS):
            counting.start()
            counting.wait_more()
            counting.drain()
        counting.finish()


def test_store_from_before_the_outputs_that_are_visible_is_refused(
    kafka: Kafka, tmp_path: Path
) -> None:
    with Counting(kafka, tmp_path) as counting:
        for end in (lambda: shutil.copytree(counting.store, tmp_path / "backup"), lambda: None):
            counting.start()
            counting.wait_more()
            counting.drain()
            end()
        shutil.rmtree(counting.store)
        (tmp_path / "backup").rename(counting.store)
        server = counting.start()
        assert server.wait() == 1, server.describe()
        assert server.log_lines("the store is older than the outputs"), server.describe()
        assert server.log_lines("consuming") == []


def test_kafka_to_tcp(kafka: Kafka, tmp_path: Path, receiver: Receiver) -> None:
    with Counting(kafka, tmp_path, out=receiver) as counting:
        for _ in range(STOPS):
            counting.start()
            counting.wait_more()
            counting.drain()
        counting.finish()
    assert counting.outputs.repeated == 0


def test_tcp_to_tcp(tmp_path: Path, receiver: Receiver) -> None:
    arguments = ["--in", "127.0.0.1:0", "--out", receiver.address]
    with Survivor(frames_application("sink(args)"), arguments, tmp_path) as survivor:
        talker = Talker(survivor.start_listening())
        for i in range(STOPS):
            if i > 0:
                survivor.start().ready()
            goal = len(receiver.data) + 1
            wait_until(lambda goal=goal: len(receiver.data) >= goal, "an output")
            survivor.drain()
        survivor.start().ready()
        talker.stop()
        survivor.drain()
    outputs = Sequences()
    for life in receiver.lives:
        outputs.add_life(map(parse_frame, life))
    assert outputs.repeated == 0
    check_frames(talker, outputs.last)


def test_workers_told_to_stop_while_one_replays_end_at_once_and_the_next_start_goes_on(
    serve: Serve, receiver: Receiver
) -> None:
    arguments = ("--workers", "2", "--resilience-dir", "recovery", "--epoch-interval", "3600")
    server = serve(SLOW_COUNT, *arguments)
    keys = [f"key{i}" for i in range(10)]
    with Client(server.address()) as client:
        for n in range(40):
            client.send_frames(*keys)
            wait_until(lambda n=n: receiver.data.count(b"\n") >= 10 * (n + 1), "the outputs")
        server.kill()
    slow: dict[str, str | None] = {"SLOW": "0.02"}
    server = serve(SLOW_COUNT, *arguments, "--drain-timeout", "4", env=slow, ready=False)
    server.wait_stderr("journaled batches")
    assert server.terminate() == 0, server.stderr
    server = serve(SLOW_COUNT, *arguments)
    assert server.log_lines("journaled batches"), "all was replayed before the stop"
    last = {f"{key} 40" for key in keys}
    wait_until(lambda: last <= set(receiver.data.decode().splitlines()[400:]), "the last outputs")
    assert server.terminate() == 0


def test_failed_run_whose_receiver_is_slow_writes_what_it_put_out_and_ends(
    serve: Serve, receiver: Receiver
) -> None:
    """A sink that has room again must not wake sources that the failure has ended."""
    text = one_pipeline(
        'ab.to_state_partition(count, dict, "counts", by_nothing)',
        """\
        @wallaroo.partition
        def by_nothing(data):
            return ""


        @wallaroo.state_computation(name="count")
        def count(data, state):
            state["unpicklable"] = lambda: 1
            return "x" * 100_000, True
        """,
    )
    records = 300
    receiver.pause()
    options = ("--resilience-dir", "recovery", "--epoch-interval", "2")
    server = serve(text, *options, env={"MALLOC_PERTURB_": "165"})
    with Client(server.address()) as client:
        client.send_frames(*(["a"] * records))
        server.wait_stderr("can't be saved")
        receiver.resume()
        assert server.wait() == 1, server.describe()
    lines = receiver.lines
    assert 0 < len(lines) <= records
