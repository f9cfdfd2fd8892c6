"""Measures dataflows beside a bare loop that makes the same calls, and beside bytewax 0.17.2.

    scripts/bench --flow [--items N] [--runs N] [--case NAME] [--no-peer]

Each case runs in processes of its own, one per worker, the systems in turn.
Lines are `name value unit`:

    flow_CASE_bare_us, _ours_us, _peer_us    median time of one item
    flow_CASE_ours_over_bare                 how much the engine adds: 1 is nothing
    flow_CASE_peer_over_ours                 how much faster than the peer

Cases: three maps with batches of 1000 and of 1; a running count of 10,000 words; counts per minute
of event time for 100 keys; and, with 2 workers, the running count and one whose step costs 5 µs.
The peer comes from PyPI into build/bench-peer, and is told not to pause after each batch, as it
does without a trick. Where the step costs 5 µs, 2 workers are also compared with 1, in one run:

    flow_costly_count_2_over_1               how much faster they are
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASE = Path(__file__).with_name("flow_case.py")
PEER = ROOT / "build/bench-peer"
PEER_RELEASE = "bytewax==0.17.2"
RUN_S_MAX = 600
CASES = [  # name, case, workers, part of the items
    ("maps_1000", "maps_1000", 1, 1.0),
    ("maps_1", "maps_1", 1, 1.0),
    ("word_count", "word_count", 1, 1.0),
    ("fold_window", "fold_window", 1, 1.0),
    ("word_count_2_workers", "word_count", 2, 0.2),
    ("costly_count_1_worker", "costly_count", 1, 0.2),
    ("costly_count_2_workers", "costly_count", 2, 0.2),
]


def peer_python() -> Path:
    """Returns the interpreter that has the peer; installs it once."""
    python = PEER / "bin/python"
    if not (PEER / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", PEER], check=True)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, PEER_RELEASE], check=True)
        (PEER / ".complete").touch()
    return python


def seconds(system: str, case: str, items: int, workers: int) -> tuple[float, int]:
    """Runs a case once; returns its time and how many items came out."""
    python = str(peer_python()) if system == "peer" else sys.executable
    kind = "bare" if system == "bare" else "flow"
    command: list[object] = [python, CASE, kind, case, items]
    if workers > 1 and kind == "flow":
        made = f"{CASE.name}:shared({case!r}, {items}, {workers})"
        command = [python, "-m", "bytewax.run", made, "-p", workers]
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
    if system == "ours":
        environment["PYTHONPATH"] = f"{ROOT / 'build'}:{ROOT / 'wallaroo_py'}"
    done = subprocess.run(
        [str(word) for word in command],
        cwd=CASE.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S_MAX,
    )
    if done.returncode != 0:
        raise SystemExit(f"{system} {case}: {done.stderr}")
    # Of each process; the peer's say other things, too.
    reports = re.findall(r"^([\d.]+) ([\d.]+) (\d+)$", done.stdout, re.MULTILINE)
    took_s = max(float(last) for _, last, _ in reports) - min(float(first) for first, *_ in reports)
    return took_s, sum(int(written) for *_, written in reports)


def measure(
    name: str, case: str, workers: int, items: int, options: argparse.Namespace
) -> dict[str, float]:
    """Prints the lines of one case; returns the median time of an item, by system."""
    systems = ["bare", "ours"] + ([] if options.no_peer else ["peer"])
    times: dict[str, list[float]] = {system: [] for system in systems}
    counts: set[int] = set()
    for _ in range(options.runs):
        for system in systems:
            time_s, written = seconds(system, case, items, workers)
            times[system].append(time_s / items * 1e6)
            counts.add(written)
    if len(counts) != 1:
        raise SystemExit(f"{name}: the systems disagree on how many items come out: {counts}")
    median = {system: statistics.median(each) for system, each in times.items()}
    for system in systems:
        spread = f"[{min(times[system]):.3f}..{max(times[system]):.3f}]"
        print(f"flow_{name}_{system}_us {median[system]:.3f} us {spread}")
    print(f"flow_{name}_ours_over_bare {median['ours'] / median['bare']:.2f} ratio")
    if "peer" in median:
        print(f"flow_{name}_peer_over_ours {median['peer'] / median['ours']:.2f} ratio", flush=True)
    return median


def main() -> None:
    """Parses the command line and measures."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench --flow",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--items", type=int, default=1_000_000, help="of a case with one worker")
    parser.add_argument("--runs", type=int, default=5, help="of each system; the median counts")
    parser.add_argument("--case", choices=[name for name, *_ in CASES], action="append")
    parser.add_argument("--no-peer", action="store_true", help="without bytewax 0.17.2")
    options = parser.parse_args()
    ours = {}
    for name, case, workers, part in CASES:
        if not options.case or name in options.case:
            items = max(1000, int(options.items * part))
            ours[name] = measure(name, case, workers, items, options)["ours"]
    if {"costly_count_1_worker", "costly_count_2_workers"} <= set(ours):
        faster = ours["costly_count_1_worker"] / ours["costly_count_2_workers"]
        print(f"flow_costly_count_2_over_1 {faster:.2f} ratio")


if __name__ == "__main__":
    main()
