"""Kills dataflows at random times, for tests and scripts/crash: crash_flow.py KILLS SEED.

All processes of a dataflow are killed together; the next life goes on from its partitions. At the
end every number of every key has been counted once, and written once, into several files.
"""

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from harness.deadline import wait_until
from harness.flow_processes import Run, check_counts, counting, lines

AS = {"one process": (), "two workers": ("-w", "2"), "two processes": ("-p", "2")}
"""What the processes of a dataflow can be -> the flags for that."""
_LIFE_S_MAX = 0.3  # behind its first output


class FlowCrash:
    """A dataflow below a directory that is killed at random times.

    flags: of `python -m bytewax.run`.
    """

    def __init__(self, directory: Path, rng: random.Random, *flags: str) -> None:
        self._directory = directory
        self._rng = rng
        self._flags = flags
        counting(directory)
        (directory / "recovery").mkdir()
        status, _, errors = Run(
            directory, sys.executable, "-m", "bytewax.recovery", "recovery", "3"
        ).end()
        assert status == 0, errors

    def start(self, **environment: str) -> Run:
        interval = self._rng.choice(["0", "0", "1"])
        arguments = ("app", "-r", "recovery", "-s", interval, *self._flags)
        command = (sys.executable, "-m", "bytewax.run", *arguments)
        return Run(self._directory, *command, **environment)

    def kill_sometime(self) -> None:
        """Starts it and kills it: while it starts, or some time after it has put out something."""
        before = len(lines(self._directory))
        run = self.start()
        if self._rng.random() < 0.8:
            wait_until(
                lambda: len(lines(self._directory)) != before or run.process.poll() is not None,
                "an output",
            )
        assert run.process.poll() is None, run.process.communicate()
        time.sleep(self._rng.uniform(0, _LIFE_S_MAX))
        run.kill()
        wait_until(lambda: run.group() == [], "the end of all processes")

    def finish(self) -> int:
        """Runs it to the end of its input, checks the files; returns how many lines they have."""
        fields = [line.split(" ") for line in lines(self._directory)]
        numbers = [int(number) for *_, number in fields if number.isdecimal()]
        last = max(numbers, default=0) + 200  # a torn line has a smaller one
        status, _, errors = self.start(LAST=str(last)).end()
        assert (status, errors) == (0, "")
        return check_counts(self._directory, last)


def main() -> None:
    """Parses the command line and runs."""
    kills, seed = map(int, sys.argv[1:])
    rng = random.Random(seed)
    for name, flags in AS.items():
        directory = Path(tempfile.mkdtemp(prefix="machida-crash-"))
        crash = FlowCrash(directory, rng, *flags)
        for _ in range(kills):
            crash.kill_sometime()
        print(f"dataflow, {name}: {kills} kills, {crash.finish()} lines, each once", flush=True)
        shutil.rmtree(directory)  # left as it is when something was wrong


if __name__ == "__main__":
    main()
