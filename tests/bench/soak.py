"""Runs the server for a long time at a steady rate, and shows whether anything grows.

Two servers run beside each other, both with --resilience-dir and an epoch a second: `costly`, a
step of 20 µs of Python over TCP, and the keyed running count between Kafka topics. Prints
`name value unit` lines; never part of pass or fail, except that every output must come and both
servers must end with status 0. At the defaults `costly` takes half of what one worker can do.

* `soak.<name>_first_*`, `soak.<name>_middle_*`, `soak.<name>_last_*`: resident memory, open files
  and the bytes below the resilience directory, a minute (or a tenth) after the start, in the middle
  and before the end; `soak.<name>_max_*`: the largest seen, looked at every second
* `soak.<name>_p50_us`, `soak.<name>_p99_us`, `soak.<name>_max_us`: from sent to received; with
  `costly` until the output is read, and between topics until a consumer has it
"""

import argparse
import concurrent.futures
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from kafka import LATENCY_KEYS, LATENCY_PARTITIONS, Bench, running
from kafka_topics import Topics
from run import FRAMES, ROOT, memory_mib, through_server
from workers import costly

FIRST_S = 60.0


def show(name: str, value: float, unit: str) -> None:
    """Print a line."""
    print(f"soak.{name} {value:.6g} {unit}", flush=True)


def look(pid: int, directory: Path) -> dict[str, float]:
    """What a server holds now: "rss MiB", "files open", "store MiB"."""
    stored = 0
    for file in directory.rglob("*"):
        try:
            stored += file.stat().st_size
        except FileNotFoundError:  # taken away meanwhile
            continue
    return {
        "rss MiB": memory_mib(pid, "VmRSS"),
        "files open": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "store MiB": stored / 2**20,
    }


class Watch:
    """Looks at a server each second until it is left; prints what was seen."""

    def __init__(self, name: str, pid: int, directory: Path) -> None:
        self._name = name
        self._look = lambda: look(pid, directory)
        self._seen: list[dict[str, float]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.wait(1):
            self._seen.append(self._look())

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        first = min(int(FIRST_S), len(self._seen) // 10)
        for when, at in (("first", first), ("middle", len(self._seen) // 2), ("last", -1)):
            for what, value in self._seen[at].items():
                part, unit = what.split()
                show(f"{self._name}_{when}_{part}", value, unit)
        for what in self._seen[0]:
            part, unit = what.split()
            show(f"{self._name}_max_{part}", max(seen[what] for seen in self._seen), unit)


def print_latencies(name: str, measured: dict[str, float]) -> None:
    """Print those that a load has measured."""
    for part in ("p50_us", "p99_us", "max_us"):
        if part in measured:
            show(f"{name}_{part}", measured[part], "us")


def keeping(args: argparse.Namespace, directory: Path) -> argparse.Namespace:
    """The options, with checkpoints in the directory."""
    server_option = [*args.server_option, "--resilience-dir", str(directory)]
    return argparse.Namespace(**vars(args) | {"server_option": server_option})


def over_tcp(args: argparse.Namespace, scratch: Path) -> None:
    """The costly step at args.rate."""
    app = costly()
    frames = app.write_frames(scratch)
    directory = scratch / "tcp"
    passes = max(1, int(args.seconds * args.rate) // FRAMES)
    measured = through_server(
        *(keeping(args, directory), app, frames, passes, args.rate),
        watch=lambda server: Watch("tcp", server.process.pid, directory),
    )
    print_latencies("tcp", measured)


def between_topics(args: argparse.Namespace, scratch: Path) -> None:
    """The running count at args.kafka_rate."""
    directory = scratch / "kafka"
    topics = Topics(args.heap_mib)
    try:
        bench = Bench(keeping(args, directory), topics)
        topic_in, topic_out = (topics.new(name, LATENCY_PARTITIONS) for name in ("in", "out"))
        command = [bench.tool, "measure", topics.brokers, topic_in, topic_out]
        command += [LATENCY_KEYS, args.kafka_rate, int(args.seconds), "count"]
        with (
            running(lambda: bench.server(topic_in, topic_out)) as server,
            Watch("kafka", server.pid, directory),
        ):
            done = subprocess.run(
                [*map(str, command)], check=True, stdout=subprocess.PIPE, text=True
            )
        lines = map(str.split, done.stdout.splitlines())
        print_latencies("kafka", {part: float(value) for part, value in lines})
    finally:
        topics.close()


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--build", type=lambda p: Path(p).resolve(), default=ROOT / "build")
    add("--seconds", type=float, default=7200.0)
    add("--rate", type=int, default=22_000, help="records per second over TCP")
    add("--kafka-rate", type=int, default=2_000, help="messages per second between topics")
    add("--heap-mib", type=int, default=512, help="of the broker")
    add("--only", choices=["tcp", "kafka"])
    add("--server-option", action="append", default=[], help="for the servers (repeatable)")
    args = parser.parse_args()
    runs: dict[str, Callable[[argparse.Namespace, Path], None]] = {
        "tcp": over_tcp,
        "kafka": between_topics,
    }
    with (
        tempfile.TemporaryDirectory(dir=args.build, prefix="soak-") as scratch,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        begun = [
            pool.submit(run, args, Path(scratch))
            for name, run in runs.items()
            if args.only in (None, name)
        ]
        for run in begun:
            run.result()


if __name__ == "__main__":
    main()
