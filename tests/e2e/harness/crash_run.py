"""Kills the server at random times, for scripts/crash: crash_run.py KILLS SEED [WORKERS].

With several workers every other kill is of one of them only, and the supervisor starts all again.

The load never ends in between, so what comes out is one sequence over all kills. Prints progress.
Raises AssertionError, with the logs of the latest servers, at the first output that is wrong.
"""

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from harness import Broker, Counting, Kafka
from harness.crash import RUNNING_S_MAX
from harness.workers import children, kill

KILLS_PER_LINE = 20
MESSAGES_PER_S = 1000


def kill_one_worker(counting: Counting, rng: random.Random) -> None:
    """Starts a server, kills one of its workers and, when all run again, the server."""
    server = counting.start().ready()
    time.sleep(rng.uniform(0, RUNNING_S_MAX))
    kill(rng.choice(children(server)))
    again = "workers are ready"
    server.wait_for(lambda: server.stderr.count(again) == 2, "another start of the workers")
    time.sleep(rng.uniform(0, RUNNING_S_MAX))
    server.kill()


def crash(kills: int, workers: int, rng: random.Random, directory: Path) -> None:
    """Runs the kills with a broker of their own, all below a directory."""
    broker = Broker(directory / "broker")
    try:
        kafka = Kafka(broker)
        begin = time.monotonic()
        with Counting(kafka, directory, per_s=MESSAGES_PER_S) as counting:
            if workers > 1:
                counting.args += ["--workers", str(workers)]
            for number in range(1, kills + 1):
                if workers > 1 and number % 2 == 0:
                    kill_one_worker(counting, rng)
                else:
                    counting.kill_sometime(rng)
                outputs = counting.check_new_outputs()
                del counting.servers[:-3]  # with all that they logged
                if number % KILLS_PER_LINE == 0 or number == kills:
                    seconds = time.monotonic() - begin
                    print(
                        f"{number} kills in {seconds:.0f} s: {outputs} outputs of "
                        f"{counting.load.count} messages, none wrong",
                        flush=True,
                    )
            counting.finish()
            print(f"all {counting.outputs.total} outputs are there, each once", flush=True)
        kafka.close()
    finally:
        broker.stop()


def main() -> None:
    """Parses the command line and runs."""
    kills, seed, workers = map(int, [*sys.argv[1:], "1"][:3])
    print(f"{kills} kills, seed {seed}, workers {workers}", flush=True)
    directory = Path(tempfile.mkdtemp(prefix="machida-crash-"))
    crash(kills, workers, random.Random(seed), directory)
    shutil.rmtree(directory)  # left as it is when something was wrong


if __name__ == "__main__":
    main()
