"""Measures what the engine itself costs: steps that do nothing, less what calling them costs.

Prints `name value unit` lines; never part of pass or fail. The same application runs with 1, 3 and
9 steps; the processor's time for a record grows by so much with each, and what is left for none is
the record's own. Of both is taken off what a bare C loop needs for the same Python calls
(`bare_NAME_ns`). So a value is the engine's part, in processor time, medians over the rounds:

* `computation_ns`, `state_computation_ns`: for a record and step, through the server over TCP. The
  latter finds the state by its key; its bare part are partition function and computation
* `exchanged_record_ns`: how much more that is, in both together, where each record changes from one
  of 2 workers to the other in front of the step: partition function, pickle and sockets included
* `tcp_record_ns`: for a record of 4 bytes, outside of steps: sockets, framing, bytes objects
* `map_1000_ns`, `map_1_ns`, `stateful_map_1000_ns`: for an item and step of a dataflow, in batches
  of 1000 and of 1
* `item_1000_ns`, `batch_of_1_ns`: for an item, and for a batch of one, outside of steps
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from run import FRAMES, ROOT, App, through_server

HERE = Path(__file__).parent
STEPS = (1, 3, 9)
CLIENTS = 2


def line_through(cost_ns: Callable[[int], float]) -> tuple[float, float]:
    """Returns what `cost_ns` of a number of steps is for none, and for each step."""
    return tuple(reversed(statistics.linear_regression(STEPS, [cost_ns(steps) for steps in STEPS])))


def bare_calls(args: argparse.Namespace) -> dict[str, float]:
    """What each function of steps_calls costs, in ns."""
    command = [args.build / "tests/bench/bench_bare_calls", HERE, "steps_calls", "0.1"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(value) for name, value in map(str.split, out.splitlines())}


class Tcp:
    """The application behind TCP."""

    def __init__(self, args: argparse.Namespace, scratch: Path) -> None:
        self.args = args
        payloads = [(n % 1000).to_bytes(4, "big") for n in range(FRAMES)]
        self.app = App("steps_app", payloads, "4", [1] * FRAMES, HERE)
        self.frames = self.app.write_frames(scratch)

    def cost_ns(self, steps: int, states: bool, workers: int) -> float:
        """The time of all workers for a record."""
        os.environ.update(STEPS=str(steps), STATES=str(int(states)))
        options = argparse.Namespace(build=self.args.build, server_option=[f"--workers={workers}"])
        passes = max(1, self.args.records // FRAMES // CLIENTS) * CLIENTS
        run = through_server(options, self.app, self.frames, passes, 0, (CLIENTS, workers))
        return run["cpu_s"] / (passes * FRAMES) * 1e9


def flow_cost_ns(args: argparse.Namespace, kind: str, steps: int, size: int) -> float:
    """The time for an item of a dataflow."""
    items = args.records if size > 1 else args.records // 2
    command = [sys.executable, HERE / "steps_flow.py", kind, str(steps), str(items), str(size)]
    environment = os.environ | {"PYTHONPATH": f"{args.build}:{ROOT / 'wallaroo_py'}"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


def one_round(args: argparse.Namespace, tcp: Tcp) -> dict[str, float]:
    """Every figure, once."""
    bare = bare_calls(args)
    record, computation = line_through(lambda steps: tcp.cost_ns(steps, False, 1))
    _, state = line_through(lambda steps: tcp.cost_ns(steps, True, 1))
    _, moving_state = line_through(lambda steps: tcp.cost_ns(steps, True, 2))
    item, mapped = line_through(lambda steps: flow_cost_ns(args, "map", steps, 1000))
    batch, mapped_alone = line_through(lambda steps: flow_cost_ns(args, "map", steps, 1))
    _, carried = line_through(lambda steps: flow_cost_ns(args, "stateful_map", steps, 1000))
    return {
        "computation": computation - bare["same"],
        "state_computation": state - bare["keep"] - bare["key"],
        "exchanged_record": moving_state - state,
        "tcp_record": record - bare["decode"] - bare["encode"],
        "map_1000": mapped - bare["same"],
        "map_1": mapped_alone - bare["same"],
        "stateful_map_1000": carried - bare["carry"],
        "item_1000": item,
        "batch_of_1": batch - bare["next_batch"] - bare["write_batch"],
        **{f"bare_{name}": cost for name, cost in bare.items()},
    }


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--build", type=lambda p: Path(p).resolve(), default=ROOT / "build")
    parser.add_argument("--records", type=int, default=1_000_000, help="per run")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tcp = Tcp(args, Path(scratch))
        rounds = [one_round(args, tcp) for _ in range(args.rounds)]
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        spread = f"[{min(values):.1f}..{max(values):.1f}]"
        print(f"{name}_ns {statistics.median(values):.1f} ns {spread}")


if __name__ == "__main__":
    main()
