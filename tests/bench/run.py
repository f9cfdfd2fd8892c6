"""Measures the server over TCP beside a bare C loop that calls the same functions.

Prints `name value unit` lines; never part of pass or fail. One run measures everything in turn, so
that ratios hold on a noisy machine:

* `<app>.bare_records_per_s`: the C loop, no server around it
* `<app>.server_records_per_s`: through the server; sender and receiver in their own processes
* `<app>.ratio`: server / bare loop, the median over the rounds of paired runs
* `<app>.p50_us`, `<app>.p99_us`: frame written to result read, at half of the server's rate
* `rss_idle_mib`, `rss_grown_mib`: resident memory after start, and by how much it grew over the run
* `start_ms`: from exec to "Application has successfully initialized."
"""

import argparse
import contextlib
import os
import random
import statistics
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 100_000


@dataclass
class App:
    """A benchmark: an application, its frames and what comes out."""

    module: str
    payloads: list[bytes]
    output_framing: str  # "newline" or the fixed number of bytes of one output
    outputs: list[int]  # of each payload
    place: Path | None = None  # of the module; None: apps/MODULE

    @property
    def directory(self) -> Path:
        return self.place or ROOT / "apps" / self.module

    def write_frames(self, to: Path) -> Path:
        """Write the frames, `>I` and payload, to a file below `to`; return its path."""
        file = to / f"{self.module}.frames"
        file.write_bytes(b"".join(struct.pack(">I", len(p)) + p for p in self.payloads))
        file.with_suffix(".outputs").write_bytes(
            struct.pack(f"={len(self.outputs)}I", *self.outputs)
        )
        return file


def alphabet_partitioned() -> App:
    """5-byte payloads: a letter and its votes."""
    rng = random.Random(1)
    payloads = [struct.pack(">1sI", bytes([rng.randrange(97, 123)]), 1) for _ in range(FRAMES)]
    return App("alphabet_partitioned", payloads, "13", [1] * FRAMES)


def word_count() -> App:
    """Lines of 1 to 10 words, 5 to 60 bytes."""
    rng = random.Random(2)
    words = [
        "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(3, 7)))
        for _ in range(5000)
    ]
    lines: list[list[str]] = []
    for _ in range(FRAMES):
        line: list[str] = []
        wanted = rng.randrange(5, 55)
        while sum(map(len, line)) + len(line) < wanted:
            line.append(rng.choice(words))
        lines.append(line)
    return App(
        "word_count",
        [" ".join(line).encode() for line in lines],
        "newline",
        [len(line) for line in lines],
    )


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    port: int
    start_ms: float

    def rss_mib(self) -> float:
        """Resident memory now."""
        return memory_mib(self.process.pid, "VmRSS")

    def cpu_s(self) -> float:
        """Time that it and its workers have had a processor."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        ticks = 0
        for pid in (self.process.pid, *children.split()):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # in the program and in the system
        return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, field: str) -> float:
    """A process's memory of /proc/PID/status: "VmRSS" now resident, "VmHWM" the most ever."""
    status = Path(f"/proc/{pid}/status").read_text()
    kib = next(line for line in status.splitlines() if line.startswith(field))
    return int(kib.split()[1]) / 1024


@contextlib.contextmanager
def running_server(args: argparse.Namespace, app: App, sink_port: int) -> Iterator[Server]:
    """Start the server on `app`; drain it at the end, which must succeed."""
    begin = time.monotonic()
    command = [args.build / "machida", "--application-module", app.module, "--in", "127.0.0.1:0"]
    command += ["--out", f"127.0.0.1:{sink_port}", "--log-level", "error"]
    process = subprocess.Popen(
        [*command, *args.server_option],
        cwd=app.directory,
        stdout=subprocess.PIPE,
        text=True,
    )
    port = 0
    assert process.stdout
    for line in process.stdout:
        if line.startswith("listening on "):
            port = int(line.split()[2].rpartition(":")[2])
        if line.startswith("Application has successfully"):
            break
    server = Server(process, port, (time.monotonic() - begin) * 1e3)
    try:
        yield server
    finally:
        process.terminate()
        status = process.wait(30)
    if status != 0:
        raise RuntimeError(f"the server ended with status {status}")


def through_server(
    args: argparse.Namespace,
    app: App,
    frames: Path,
    passes: int,
    rate: float,
    shared: tuple[int, int] | None = None,
    watch: Callable[[Server], contextlib.AbstractContextManager[None]] | None = None,
) -> dict[str, float]:
    """One run of the load through a fresh server; what the load, the memory and the clock say.

    `shared`: by how many clients, and how many workers the server has. `watch`: what goes on beside
    the load.
    """
    load = subprocess.Popen(
        [
            str(args.build / "tests/bench/bench_load"),
            str(frames),
            str(passes),
            str(rate),
            app.output_framing,
            str(frames.with_suffix(".outputs")),
            *map(str, shared or ()),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert load.stdout
    try:
        sink_port = int(load.stdout.readline().split()[1])
        with running_server(args, app, sink_port) as server:
            idle, idle_cpu_s = server.rss_mib(), server.cpu_s()
            with watch(server) if watch else contextlib.nullcontext():
                out, _ = load.communicate(f"{server.port}\n")
            if load.returncode != 0:
                raise RuntimeError(f"the load ended with status {load.returncode}")
            result = {name: float(value) for name, value in map(str.split, out.splitlines())}
            result |= {
                "start_ms": server.start_ms,
                "rss_idle": idle,
                "rss_grown": server.rss_mib() - idle,
                "cpu_s": server.cpu_s() - idle_cpu_s,
            }
    finally:
        load.kill()  # it waits for a server, which may have failed
        load.wait()
    return result


def bare_loop(args: argparse.Namespace, app: App, frames: Path) -> float:
    """Records per second of the C loop."""
    command = [
        str(args.build / "tests/bench/bench_bare_loop"),
        str(ROOT / "wallaroo_py"),
        str(app.directory),
        app.module,
        str(frames),
        str(args.seconds),
    ]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(args: argparse.Namespace, app: App, scratch: Path) -> None:
    """Print every figure of one application."""
    frames = app.write_frames(scratch)

    def show(name: str, value: float, unit: str) -> None:
        print(f"{app.module}.{name} {value:.4g} {unit}", flush=True)

    bare, served, runs = [], [], []
    for _ in range(args.rounds):
        bare.append(bare_loop(args, app, frames))
        runs.append(through_server(args, app, frames, max(1, args.records // FRAMES), 0))
        served.append(runs[-1]["records_per_s"])
    show("bare_records_per_s", statistics.median(bare), "1/s")
    show("server_records_per_s", statistics.median(served), "1/s")
    show(
        "ratio", statistics.median(s / b for s, b in zip(served, bare, strict=True)), "server/bare"
    )
    show("start_ms", statistics.median(run["start_ms"] for run in runs), "ms")
    show("rss_idle_mib", statistics.median(run["rss_idle"] for run in runs), "MiB")
    show("rss_grown_mib", statistics.median(run["rss_grown"] for run in runs), "MiB")
    rate = statistics.median(served) / 2
    paced = [
        through_server(args, app, frames, max(1, int(rate * 3) // FRAMES), rate)
        for _ in range(args.rounds)
    ]
    for name in ("p50_us", "p99_us"):
        show(name, statistics.median(run[name] for run in paced), "us")


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--build", type=lambda p: Path(p).resolve(), default=ROOT / "build")
    parser.add_argument("--records", type=int, default=3_000_000, help="per run through the server")
    parser.add_argument("--rounds", type=int, default=3, help="paired runs")
    parser.add_argument("--seconds", type=float, default=2, help="of each bare loop")
    parser.add_argument("--app", action="append", help="only this application (repeatable)")
    parser.add_argument(
        "--server-option", action="append", default=[], help="for the server (repeatable)"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for app in (alphabet_partitioned(), word_count()):
            if not args.app or app.module in args.app:
                measure(args, app, Path(scratch))


if __name__ == "__main__":
    main()
