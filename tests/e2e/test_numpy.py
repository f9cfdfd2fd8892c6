"""Applications and dataflows that use numpy, a package of the application's virtual environment."""

from pathlib import Path

import pytest
from harness import VENV, Client, Receiver, Serve, Start, one_pipeline

MEANS = one_pipeline(
    defs="""
    import numpy

    class Readings:
        def __init__(self):
            self.values = numpy.zeros(0)

    @wallaroo.computation(name="parse")
    def parse(line):
        return numpy.array([float(word) for word in line.split()])

    @wallaroo.state_computation(name="mean")
    def mean(values, readings):
        readings.values = numpy.concatenate([readings.values, values])
        return f"{readings.values.size} {numpy.mean(readings.values):.2f}", True
    """,
    steps="ab.to(parse)\nab.to_stateful(mean, Readings, 'readings')",
)

FLOW = """
import numpy
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

flow = Dataflow()
flow.input("in", TestingSource([("a", 1.0), ("b", 5.0), ("a", 2.0)]))
flow.map("array", lambda item: (item[0], numpy.full(3, item[1])))
flow.reduce("sum", lambda left, right: left + right, lambda total: bool(total[0] > 2))
flow.map("total", lambda item: f"{item[0]} {numpy.sum(item[1])}")
flow.output("out", StdOutSink())
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_application_keeps_arrays_over_a_restart(
    serve: Serve, receiver: Receiver, tmp_path: Path, workers: str
) -> None:
    words = [*VENV, "--workers", workers, "-r", str(tmp_path / "states")]
    for payload, result in [("1 2 3", "3 2.00"), ("6", "4 3.00")]:
        server = serve(MEANS, *words)
        before = len(receiver.lines)
        with Client(server.address()) as client:
            client.send_frames(payload)
            assert receiver.wait_lines(before + 1)[before:] == [result]
        assert server.terminate() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_dataflow_computes_with_arrays(start: Start, tmp_path: Path, workers: str) -> None:
    (tmp_path / "arrays.py").write_text(FLOW)
    server = start("run", "arrays:flow", "-w", workers, env={"MACHIDA_VENV": VENV[1]})
    assert server.wait() == 0, server.stderr
    assert sorted(server.stdout.splitlines()) == ["a 9.0", "b 15.0"]
