"""One run of one case of the dataflow benchmark, in whatever Python runs this file.

    flow_case.py SYSTEM CASE ITEMS

SYSTEM is `bare`, a loop that makes the same calls with no engine around it, or `flow`, a dataflow
with one worker on the `bytewax` that is importable: ours or release 0.17.2. Its command line runs
one with several processes: `flow_case.py:shared('CASE', ITEMS, WORKERS)`. Each process prints a
line: the seconds, on the machine's clock, when the first batch was asked for and when the last sink
ended, and how many items came out.
"""

import atexit
import sys
import time
import zlib
from datetime import datetime, timedelta, timezone

START = datetime(2024, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - runs on other Pythons too
PAST = START
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
WORD_COUNT = 10_000
KEY_COUNT = 100


def add_one(item):
    return item + 1


def zero():
    return 0


def count(state, _value):
    state += 1
    return state, state


def burn_count(state, value):
    """A step that costs about 5 µs."""
    for _ in range(100):
        value += 1
    return count(state, value)


def time_of(value):
    return value


def tally(total, _value):
    return total + 1


def numbers(items):
    return list(range(items))


def words(items):
    return [(f"word {(n * 7919) % WORD_COUNT}", n) for n in range(items)]


def events(items):
    return [(f"key {n % KEY_COUNT}", START + n * SECOND / 100) for n in range(items)]


CASES = {  # items, items in a batch
    "maps_1000": (numbers, 1000),
    "maps_1": (numbers, 1),
    "word_count": (words, 1000),
    "fold_window": (events, 1000),
    "costly_count": (words, 1000),
}


class Clock:
    """When the first batch was asked for and the last sink closed, and what the sinks got."""

    first = last = None
    written = 0
    checksum = 0

    @classmethod
    def begin(cls):
        if cls.first is None:
            cls.first = time.perf_counter()

    @classmethod
    def end(cls):
        cls.last = time.perf_counter()


def check(items):
    """Counts what a sink got, and looks at one item of each batch: cheap, and enough."""
    Clock.written += len(items)
    Clock.checksum ^= zlib.crc32(repr(items[-1]).encode())


def bare(case, items, size):
    """Makes the calls of the case in plain loops."""
    batches = [items[at : at + size] for at in range(0, len(items), size)]
    states = {}
    Clock.begin()
    for batch in batches:
        out = []
        if case in ("maps_1000", "maps_1"):
            for item in batch:
                out.append(add_one(add_one(add_one(item))))
        elif case in ("word_count", "costly_count"):
            mapper = count if case == "word_count" else burn_count
            for key, value in batch:
                state = states.get(key)
                states[key], value = mapper(zero() if state is None else state, value)
                out.append((key, value))
        else:
            for key, value in batch:
                window = (time_of(value) - START) // MINUTE
                held = states.get(key)
                if held is None or held[0] != window:
                    if held is not None:
                        out.append((key, held[1]))
                    held = states[key] = [window, zero()]
                held[1] = tally(held[1], value)
        if out:
            check(out)
    if case == "fold_window":
        check([(key, held[1]) for key, held in sorted(states.items())])
    Clock.end()


def flow(case, items, size, workers):
    """Returns the case as a dataflow."""
    from bytewax import inputs, outputs
    from bytewax.dataflow import Dataflow
    from bytewax.window import EventClockConfig, TumblingWindow

    new = hasattr(inputs, "StatefulSourcePartition")
    part_type = inputs.StatefulSourcePartition if new else inputs.StatefulSource
    source_type = inputs.FixedPartitionedSource if new else inputs.PartitionedInput
    sink_part_type = outputs.StatelessSinkPartition if new else outputs.StatelessSink
    sink_type = outputs.DynamicSink if new else outputs.DynamicOutput

    class Part(part_type):
        def __init__(self, mine):
            self.made = [mine[at : at + size] for at in range(0, len(mine), size)]
            self.batches = iter(self.made)  # at its end it frees nothing, as in bare()

        def next_batch(self, sched=None):
            Clock.begin()
            return next(self.batches)

        if not new:

            def next_awake(self):  # else release 0.17.2 pauses for a millisecond after each batch
                return PAST

        def snapshot(self):
            return None

    class Source(source_type):
        def list_parts(self):
            return [f"p{index}" for index in range(workers)]

        def build_part(self, *arguments):
            index = int(arguments[-2][1:])
            return Part(items[index::workers])

    class Sink(sink_part_type):
        def write_batch(self, batch):
            if batch:
                check(batch)

        def close(self):
            Clock.end()

    class Output(sink_type):
        def build(self, worker_index, worker_count):
            return Sink()

    made = Dataflow()
    made.input("in", Source())
    if case in ("maps_1000", "maps_1"):
        for _ in range(3):
            made.map(add_one)
    elif case == "word_count":
        made.stateful_map("count", zero, count)
    elif case == "costly_count":
        made.stateful_map("count", zero, burn_count)
    else:
        clock = EventClockConfig(time_of, wait_for_system_duration=MINUTE)
        made.fold_window("fold", clock, TumblingWindow(MINUTE, START), zero, tally)
    made.output("out", Output())
    return made


def report():
    if Clock.first is not None:  # else this process had nothing to do
        sys.stdout.write(f"{Clock.first} {Clock.last} {Clock.written}\n")  # whole, by one process


def shared(case, items, workers):
    """Returns the case as a dataflow for several processes, and reports at the end of this one."""
    make, size = CASES[case]
    atexit.register(report)
    return flow(case, make(items), size, workers)


def main():
    system, case, items = sys.argv[1], sys.argv[2], int(sys.argv[3])
    make, size = CASES[case]
    made = make(items)
    if system == "bare":
        bare(case, made, size)
    else:
        from bytewax.testing import run_main

        run_main(flow(case, made, size, 1))
    report()


if __name__ == "__main__":
    main()
