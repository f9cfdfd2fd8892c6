"""Runs a dataflow of steps that do nothing; prints the processor's time for an item, in ns.

steps_flow.py map|stateful_map STEPS ITEMS BATCH_SIZE
"""

import sys
import time

import steps_calls
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

BATCHES = 1000  # that are made, and given again and again


class Part(steps_calls.Batches, StatelessSourcePartition):
    """Of the source."""


class Source(DynamicSource):
    """One part."""

    def __init__(self, batches, count):
        self.part = Part(batches, count)

    def build(self, _now, _index, _count):
        return self.part


class Sink(steps_calls.Nowhere, DynamicSink, StatelessSinkPartition):
    """Its own part."""

    def build(self, _index, _count):
        return self


def flow_of(kind, steps, batches, count):
    flow = Dataflow()
    flow.input("in", Source(batches, count))
    for step in range(steps):
        if kind == "map":
            flow.map(f"same {step}", steps_calls.same)
        else:
            flow.stateful_map(f"carry {step}", lambda: 0, steps_calls.carry)
    flow.output("out", Sink())
    return flow


def main():
    kind, steps, items, size = sys.argv[1], *map(int, sys.argv[2:])
    numbers = iter(range(BATCHES * size))
    keyed = kind == "stateful_map"
    batches = [
        [(str(n % steps_calls.KEYS), n) if keyed else n for _, n in zip(range(size), numbers)]
        for _ in range(BATCHES)
    ]
    run_main(flow_of(kind, steps, batches, 100))  # what the first run imports and makes
    flow = flow_of(kind, steps, batches, items // size)
    began_s = time.process_time()
    run_main(flow)
    sys.stdout.write(f"{(time.process_time() - began_s) / items * 1e9}\n")


if __name__ == "__main__":
    main()
