"""The example applications that speak to Kafka give the output that lies beside them."""

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from harness import DEADLINE_S, Kafka, NewReceiver, Start, Topic

APPS = Path(__file__).resolve().parents[2] / "apps"
EXAMPLES = {
    path.parent.name: example
    for path in APPS.glob("*/example.toml")
    if "module" in (example := tomllib.loads(path.read_text()))
}
OVER_KAFKA = sorted(
    name
    for name, example in EXAMPLES.items()
    if any("kafka" in end for end in example["sources"] + example["sinks"])
)
PARTITIONS = 3


def feed(topic: Topic, folder: Path, source: dict[str, Any]) -> int:
    """Produces a source's file; the formats are described in apps/README.md. Returns the count."""
    texts = (folder / source["file"]).read_text().splitlines()
    if source["format"] == "keyed":
        topic.produce_keyed(tuple(text.split(":", 1)) for text in texts)
    else:
        assert source["format"] == "lines"
        topic.produce(texts)
    return len(texts)


def lines_of(topic: Topic, count: int) -> list[str]:
    """Waits for count messages; returns all there are as `key:value`."""
    records = topic.wait_records(count)
    return [f"{(r.key or b'').decode()}:{(r.value or b'').decode()}" for r in records]


@pytest.mark.parametrize("name", OVER_KAFKA)
def test_application_gives_its_expected_output_over_kafka(
    start: Start, new_receiver: NewReceiver, kafka: Kafka, name: str
) -> None:
    folder = APPS / name
    example = EXAMPLES[name]
    (source,) = example["sources"]
    (sink,) = example["sinks"]
    receiver = new_receiver()
    topic_in = kafka.new_topic(source["kafka"], PARTITIONS)
    topic_out = kafka.new_topic("out", PARTITIONS)
    count = feed(topic_in, folder, source)
    server = start(
        *("--application-module", example["module"]),
        *("--kafka_source_topic", topic_in.name, "--kafka_source_brokers", kafka.address),
        *("--kafka_sink_topic", topic_out.name, "--kafka_sink_brokers", kafka.address),
        *("--out", receiver.address),
        env={"PYTHONPATH": str(folder)},
    ).ready()
    expected = (folder / sink["file"]).read_text().splitlines()
    if "kafka" in sink:
        assert sink["framing"] == "keyed"
        got = lines_of(topic_out, len(expected))
    else:
        assert sink["framing"] == "newline"
        got = receiver.wait_lines(len(expected))
    assert server.terminate() == 0
    assert sorted(got) == sorted(expected)
    assert server.summary()["records in"] == count
    assert server.summary()["dead letters"] == 0, server.stderr


@pytest.mark.skipif(shutil.which("kcat") is None, reason="no kcat")
def test_kcat_commands_of_a_readme_work(start: Start, kafka: Kafka) -> None:
    folder = APPS / "celsius_kafka"
    topic_in, topic_out = kafka.new_topic("celsius"), kafka.new_topic("fahrenheit")
    server = start(
        *("--application-module", "celsius_kafka"),
        *("--kafka_source_topic", topic_in.name, "--kafka_source_brokers", kafka.address),
        *("--kafka_sink_topic", topic_out.name, "--kafka_sink_brokers", kafka.address),
        cwd=folder,
    ).ready()
    kcat = ["kcat", "-b", kafka.address, "-K", ":"]
    subprocess.run(
        [*kcat, "-P", "-t", topic_in.name, "-l", str(folder / "sample.txt")],
        check=True,
        timeout=DEADLINE_S,
    )
    expected = (folder / "expected.txt").read_text()
    topic_out.wait_records(expected.count("\n"))
    shown = subprocess.run(
        [*kcat, "-C", "-t", topic_out.name, "-q", "-e"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert shown.stdout == expected
    assert server.terminate() == 0
