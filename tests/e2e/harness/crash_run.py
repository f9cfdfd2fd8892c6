"""Kills the server at random times, for scripts/crash: crash_run.py KILLS SEED.

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

KILLS_PER_LINE = 20
MESSAGES_PER_S = 1000


def crash(kills: int, rng: random.Random, directory: Path) -> None:
    """Runs the kills with a broker of their own, all below a directory."""
    broker = Broker(directory / "broker")
    try:
        kafka = Kafka(broker)
        begin = time.monotonic()
        with Counting(kafka, directory, per_s=MESSAGES_PER_S) as counting:
            for kill in range(1, kills + 1):
                counting.kill_sometime(rng)
                outputs = counting.check_new_outputs()
                del counting.servers[:-3]  # with all that they logged
                if kill % KILLS_PER_LINE == 0 or kill == kills:
                    seconds = time.monotonic() - begin
                    print(
                        f"{kill} kills in {seconds:.0f} s: {outputs} outputs of "
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
    kills, seed = map(int, sys.argv[1:])
    print(f"{kills} kills, seed {seed}", flush=True)
    directory = Path(tempfile.mkdtemp(prefix="machida-crash-"))
    crash(kills, random.Random(seed), directory)
    shutil.rmtree(directory)  # left as it is when something was wrong


if __name__ == "__main__":
    main()
