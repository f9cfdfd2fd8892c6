"""Workers are killed, one of them or all: the guarantees of one worker hold for several."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest
from harness import BINARY, DEADLINE_S, Counting, Kafka, Receiver, Server, wait_until
from harness.workers import children, is_alive, kill

WORKER_KILLS = int(os.environ.get("MACHIDA_WORKER_KILLS", "3"))  # more of them: scripts/crash
pytestmark = pytest.mark.timeout(300 + 10 * WORKER_KILLS)


def kill_one_worker(server: Server, rng: random.Random) -> None:
    """Kills a worker and waits until the supervisor has started all of them again."""
    starts = server.stderr.count("workers are ready")
    before = children(server)
    kill(rng.choice(before))
    server.wait_for(
        lambda: server.stderr.count("workers are ready") > starts, "another start of the workers"
    )
    assert not set(before) & set(children(server))


def test_one_of_three_workers_is_killed_and_kafka_to_kafka_stays_exactly_once(
    kafka: Kafka, tmp_path: Path
) -> None:
    rng = random.Random(11)
    with Counting(kafka, tmp_path) as counting:
        counting.args += ["--workers", "3"]
        server = counting.start().ready()
        for _ in range(WORKER_KILLS):
            time.sleep(rng.uniform(0, 0.5))
            kill_one_worker(server, rng)
            counting.wait_more()
        counting.finish()


def test_one_of_two_workers_is_killed_and_kafka_to_tcp_stays_at_least_once(
    kafka: Kafka, tmp_path: Path, receiver: Receiver
) -> None:
    rng = random.Random(12)
    with Counting(kafka, tmp_path, out=receiver) as counting:
        counting.args += ["--workers", "2"]
        server = counting.start().ready()
        for _ in range(2):
            time.sleep(rng.uniform(0.1, 0.4))
            kill_one_worker(server, rng)
        server.kill()
        counting.load.stop()


@pytest.mark.parametrize("point", ["store.commit.after", "transaction.before"])
def test_workers_that_die_at_one_point_of_an_epoch_leave_it_whole(
    kafka: Kafka, tmp_path: Path, point: str
) -> None:
    """Each worker dies by itself, so their stores differ by an epoch again and again."""
    with Counting(kafka, tmp_path) as counting:
        counting.args += ["--workers", "2"]
        server = counting.start(env={"MACHIDA_CRASH_AT": f"{point}:3"})
        server.wait_for(lambda: server.stderr.count("start again") >= 3, "three deaths")
        server.kill()
        counting.finish()


def test_the_state_follows_its_keys_to_another_number_of_workers_over_kills(
    kafka: Kafka, tmp_path: Path
) -> None:
    rng = random.Random(13)
    with Counting(kafka, tmp_path) as counting:
        for workers in (2, 3, 1):
            counting.args = [*counting.args[: counting.args.index("debug") + 1], "--workers"]
            counting.args.append(str(workers))
            counting.kill_sometime(rng)  # perhaps within the change
            counting.start().ready()
            counting.wait_more()
            counting.servers[-1].kill()
        counting.finish()


def test_a_killed_supervisor_leaves_no_process(kafka: Kafka, tmp_path: Path) -> None:
    with Counting(kafka, tmp_path) as counting:
        counting.args += ["--workers", "3"]
        server = counting.start().ready()
        workers = children(server)
        assert len(workers) == 3
        server.kill()
        wait_until(
            lambda: not any(map(is_alive, workers)),
            lambda: f"the end of {[w for w in workers if is_alive(w)]}",
        )
        counting.finish()


def scale(counting: Counting, workers: int) -> None:
    """Asks the running server for another number of workers; waits until they run."""
    asked = subprocess.run(
        [BINARY, "scale", str(workers), str(counting.store)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr + counting.describe()
    assert asked.stdout == f"{workers} workers are running\n"


def test_scale_changes_the_number_of_workers_under_load_exactly_once(
    kafka: Kafka, tmp_path: Path
) -> None:
    with Counting(kafka, tmp_path) as counting:
        counting.args += ["--workers", "1"]
        server = counting.start().ready()
        for workers in (3, 2):
            counting.wait_more()
            scale(counting, workers)
            assert len(children(server)) == workers
        counting.wait_more()
        counting.args[-1] = "2"
        counting.finish()


def test_scale_without_such_a_server_says_so(tmp_path: Path) -> None:
    asked = subprocess.run(
        [BINARY, "scale", "2", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert "--workers" in asked.stderr
