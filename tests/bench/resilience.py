"""Measures what recovery costs: the same runs with and without --resilience-dir, in turn.

Prints `name value unit` lines; never part of pass or fail. Every run has a fresh directory below
--build, so the disk is that of the tree.

* `resilience.tcp_off_per_s`, `resilience.tcp_on_per_s`: alphabet_partitioned over TCP
* `resilience.tcp_ratio`: on / off, the median over the rounds of paired runs
* `resilience.kafka_off_per_s`, `resilience.kafka_on_per_s`, `resilience.kafka_ratio`: the keyed
  running count between Kafka topics; with recovery in transactions
* `resilience.restore_ms`: a start that brings back --restore-keys states of 300 bytes, from opening
  the store to the last live state; `resilience.restore_pickle_ms`: what pickle alone takes of that
* `resilience.trickle_p50_us`, `resilience.trickle_p99_us`: 1,000 records a second through keys of
  their own, while as many others as --trickle-keys change in each epoch, of 10 s;
  `resilience.barrier_us`: what the barrier of such an epoch costs; `resilience.epoch_keys`
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from restore import measure_restore
from run import FRAMES, ROOT, alphabet_partitioned, through_server
from trickle import measure_trickle

QUIET_SECONDS = 3.0


def show(name: str, value: float, unit: str) -> None:
    """Print a line."""
    print(f"resilience.{name} {value:.4g} {unit}", flush=True)


def measure(args: argparse.Namespace, name: str, rate: Callable[[], float]) -> None:
    """Print the rates of runs without and with recovery, and their ratio.

    rate: one run with args.server_option, in records per second.
    """
    off, on = [], []
    for _ in range(args.rounds):
        args.server_option = []
        off.append(rate())
        with tempfile.TemporaryDirectory(dir=args.build, prefix="recovery-") as directory:
            args.server_option = ["--resilience-dir", directory]
            args.server_option += ["--epoch-interval", str(args.epoch_interval)]
            on.append(rate())
    show(f"{name}_off_per_s", statistics.median(off), "1/s")
    show(f"{name}_on_per_s", statistics.median(on), "1/s")
    show(f"{name}_ratio", statistics.median(a / b for a, b in zip(on, off, strict=True)), "on/off")


def measure_tcp(args: argparse.Namespace) -> None:
    """The runs over TCP."""
    app = alphabet_partitioned()
    passes = max(1, args.records // FRAMES)
    with tempfile.TemporaryDirectory() as scratch:
        frames = app.write_frames(Path(scratch))
        measure(args, "tcp", lambda: through_server(args, app, frames, passes, 0)["records_per_s"])


def measure_kafka(args: argparse.Namespace) -> None:
    """The runs between topics."""
    from kafka import Bench  # needs the test environment
    from kafka_topics import Topics

    class TransactionTopics(Topics):
        """Topics whose ends count the transactions' marks as well."""

        def wait(self, topic: str, messages: int, process: subprocess.Popen[str]) -> None:
            """Wait until there are as many, and then until no more come."""
            super().wait(topic, messages, process)
            size, since = self.size(topic), time.monotonic()
            while time.monotonic() < since + QUIET_SECONDS:
                time.sleep(QUIET_SECONDS / 10)
                if self.size(topic) != size:
                    size, since = self.size(topic), time.monotonic()

    topics = TransactionTopics(args.heap_mib)
    try:
        bench = Bench(args, topics)
        topic_in = topics.new("in", args.partitions)
        topics.fill(topic_in, args.messages, args.keys)
        measure(args, "kafka", lambda: bench.rate(bench.server, topic_in))
    finally:
        topics.close()


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--build", type=lambda p: Path(p).resolve(), default=ROOT / "build")
    add("--rounds", type=int, default=3, help="paired runs")
    add("--epoch-interval", type=float, default=1.0, help="seconds")
    add("--records", type=int, default=3_000_000, help="per run over TCP")
    add("--messages", type=int, default=2_000_000, help="per run between topics")
    add("--keys", type=int, default=10_000, help="of the messages")
    add("--partitions", type=int, default=4)
    add("--heap-mib", type=int, default=512, help="of the broker")
    add("--only", choices=["tcp", "kafka", "restore", "trickle"])
    add("--restore-keys", type=int, default=1_000_000)
    add("--trickle-keys", type=int, default=1_000_000)
    args = parser.parse_args()
    if args.messages % args.keys:
        parser.error("--messages must be a multiple of --keys")
    if args.only in (None, "tcp"):
        measure_tcp(args)
    if args.only in (None, "restore"):
        measure_restore(args, show)
    if args.only in (None, "trickle"):
        measure_trickle(args, show)
    if args.only in (None, "kafka"):
        measure_kafka(args)


if __name__ == "__main__":
    main()
