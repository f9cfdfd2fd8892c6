"""Measures 2 workers beside 1, in turn: several clients send, and records change worker by key.

Prints `name value unit` lines; never part of pass or fail. `costly` is a step that costs 20 µs of
Python, `word_count` the application of that name; half of what is keyed changes worker.

* `<app>.records_per_s_N`: of N workers
* `<app>.wall_ratio`: how much faster 2 are. Sender and receiver want a processor, too: with two of
  them 2 workers can't have both, and this is no more than what those leave
* `<app>.load_cpu_share`: what part of both processors the sender and the receiver took meanwhile
* `<app>.cpu_ratio`: how much faster 2 are when each has a processor of its own: 2 x the processor
  time of 1 worker for the records / that of 2 together
* `<app>.exchange_us`: what the difference is for each record that changes worker
"""

import argparse
import random
import statistics
import tempfile
from pathlib import Path

from run import FRAMES, ROOT, App, through_server, word_count

CLIENTS = 4


def costly() -> App:
    """Keys, one a frame."""
    rng = random.Random(3)
    keys = [f"key{rng.randrange(64)}".encode() for _ in range(FRAMES)]
    return App("costly", keys, "8", [1] * FRAMES, Path(__file__).parent)


def one_run(
    args: argparse.Namespace, app: App, frames: Path, passes: int, workers: int
) -> dict[str, float]:
    """Measure one run."""
    options = argparse.Namespace(**vars(args) | {"server_option": ["--workers", str(workers)]})
    return through_server(options, app, frames, passes, 0, (CLIENTS, workers))


def measure(args: argparse.Namespace, app: App, passes: int, scratch: Path) -> None:
    """Print every figure of one application."""
    frames = app.write_frames(scratch)

    def show(name: str, value: float, unit: str) -> None:
        print(f"{app.module}.{name} {value:.4g} {unit}", flush=True)

    runs = [
        (one_run(args, app, frames, passes, 1), one_run(args, app, frames, passes, 2))
        for _ in range(args.rounds)
    ]
    for index in (0, 1):
        rate = statistics.median(run[index]["records_per_s"] for run in runs)
        show(f"records_per_s_{index + 1}", rate, "1/s")
    wall = statistics.median(two["records_per_s"] / one["records_per_s"] for one, two in runs)
    show("wall_ratio", wall, "2 workers/1")
    records = passes * FRAMES
    load = statistics.median(
        two["load_cpu_s"] * two["records_per_s"] / records / 2 for _, two in runs
    )
    show("load_cpu_share", load, "of 2 processors")
    cpu = statistics.median(2 * one["cpu_s"] / two["cpu_s"] for one, two in runs)
    show("cpu_ratio", cpu, "2 workers/1")
    exchanged = passes * sum(app.outputs) / 2
    more_s = statistics.median(two["cpu_s"] - one["cpu_s"] for one, two in runs)
    show("exchange_us", more_s / exchanged * 1e6, "us")


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--build", type=lambda p: Path(p).resolve(), default=ROOT / "build")
    parser.add_argument("--records", type=int, default=1_200_000, help="lines of word_count a run")
    parser.add_argument("--rounds", type=int, default=5, help="paired runs")
    parser.add_argument("--app", action="append", help="only this application (repeatable)")
    args = parser.parse_args()
    share = CLIENTS * FRAMES
    cases = ((word_count(), args.records), (costly(), args.records // 6))
    with tempfile.TemporaryDirectory() as scratch:
        for app, records in cases:
            if not args.app or app.module in args.app:
                measure(args, app, max(1, records // share) * CLIENTS, Path(scratch))


if __name__ == "__main__":
    main()
