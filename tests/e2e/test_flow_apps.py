"""The example dataflows give the output that lies beside them, with one worker and with three."""

import os
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from harness import Kafka

APPS = Path(__file__).resolve().parents[2] / "apps"
EXAMPLES = {
    path.parent.name: example
    for path in APPS.glob("*/example.toml")
    if "flow" in (example := tomllib.loads(path.read_text()))
}
OVER_KAFKA = sorted(name for name, each in EXAMPLES.items() if "kafka" in each["sinks"][0])
OF_FILES = sorted(set(EXAMPLES) - set(OVER_KAFKA))
RUN_S_MAX = 100


def run(name: str, workers: int, **places: object) -> None:
    """Runs an example to its end, as its README does."""
    import_str = EXAMPLES[name]["flow"].format(folder=APPS / name, **places)
    done = subprocess.run(
        [sys.executable, "-m", "bytewax.run", "-w", str(workers), import_str],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=APPS / name,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S_MAX,
    )
    assert done.returncode == 0, done.stderr


def expected(name: str) -> list[str]:
    """Returns the lines that an example must give, sorted."""
    (sink,) = EXAMPLES[name]["sinks"]
    assert sink["order"] == "sorted"
    return sorted((APPS / name / sink["file"]).read_text().splitlines())


def written(sink: dict[str, Any], out: Path) -> list[str]:
    """Returns the lines that an example has written, sorted."""
    if "sqlite" in sink:
        with sqlite3.connect(out) as database:
            return sorted("|".join(map(str, row)) for row in database.execute(sink["sqlite"]))
    files = sorted(out.iterdir()) if sink.get("directory") else [out]
    return sorted(line for file in files for line in file.read_text().splitlines())


def test_there_is_an_example_of_each_kind() -> None:
    assert {*("minutes", "logins", "spending_kafka", "walkers")} <= set(EXAMPLES)
    assert OVER_KAFKA


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", OF_FILES)
def test_dataflow_gives_its_expected_output(tmp_path: Path, name: str, workers: int) -> None:
    (sink,) = EXAMPLES[name]["sinks"]
    out = tmp_path / "out"
    if sink.get("directory"):
        out.mkdir()
    run(name, workers, out=out)
    assert written(sink, out) == expected(name)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", OVER_KAFKA)
def test_dataflow_gives_its_expected_output_over_kafka(
    kafka: Kafka, name: str, workers: int
) -> None:
    (source,) = EXAMPLES[name]["sources"]
    topic_in, topic_out = kafka.new_topic(source["kafka"], 3), kafka.new_topic("out", 3)
    messages = (APPS / name / source["file"]).read_text().splitlines()
    # All in one partition: what the totals are on the way depends on the order.
    topic_in.produce(messages, partition=1)
    run(
        *(name, workers),
        brokers=kafka.address,
        topic_in=topic_in.name,
        topic_out=topic_out.name,
    )
    texts = [f"{(r.key or b'').decode()}:{(r.value or b'').decode()}" for r in topic_out.records()]
    assert sorted(texts) == expected(name)
