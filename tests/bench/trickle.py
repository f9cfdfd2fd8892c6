"""What records feel of an epoch in which a million other keys changed; part of `resilience.py`."""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from restore import HERE, run
from run import App

EPOCH_S = 10
EPOCHS = 2
TRICKLE_PER_S = 1000


class Trickle(App):
    """The keys of an epoch, and at even distances between them words that come out again."""

    def __init__(self, keys: int) -> None:
        trickle = TRICKLE_PER_S * EPOCH_S
        keys_between = keys // trickle
        payloads, outputs = [], []
        for word in range(trickle):
            first = word * keys_between
            payloads += [b"key%d" % key for key in range(first, first + keys_between)]
            payloads.append(b"trickle%d" % word)
            outputs += [0] * keys_between + [1]
        super().__init__("trickle_keys", payloads, "newline", outputs)

    @property
    def directory(self) -> Path:
        return HERE


def measure_trickle(args: argparse.Namespace, show: Callable[[str, float, str], None]) -> None:
    """Send args.trickle_keys keys in each of EPOCHS epochs, and words that are waited for."""
    app = Trickle(args.trickle_keys)
    with (
        tempfile.TemporaryDirectory() as scratch,
        tempfile.TemporaryDirectory(dir=args.build, prefix="recovery-") as directory,
    ):
        frames = app.write_frames(Path(scratch))
        command = [str(args.build / "tests/bench/bench_load"), str(frames), str(EPOCHS)]
        command += [str(len(app.payloads) / EPOCH_S), app.output_framing]
        load = subprocess.Popen(
            [*command, str(frames.with_suffix(".outputs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert load.stdout
        sink_port = int(load.stdout.readline().split()[1])
        said: list[str] = []
        server = [args.build / "machida", "--application-module", app.module]
        server += ["--in", "127.0.0.1:0", "--out", f"127.0.0.1:{sink_port}"]
        server += ["--resilience-dir", directory, "--epoch-interval", str(EPOCH_S)]
        log = run(server, lambda port: said.append(load.communicate(f"{port}\n")[0]))
    result = dict(line.split() for line in said[0].splitlines())
    for name in ("p50_us", "p99_us", "max_us"):
        show(f"trickle_{name}", float(result[name]), "us")
    found = re.search(r"epochs: (\d+), .*us in barriers: (\d+), .*changed keys: (\d+)", log)
    if not found:
        raise RuntimeError(f"no epochs:\n{log}")
    epochs, barriers_us, keys = map(int, found.groups())
    show("epoch_keys", keys / epochs, "keys changed in an epoch")
    show("barrier_us", barriers_us / epochs, "us")
