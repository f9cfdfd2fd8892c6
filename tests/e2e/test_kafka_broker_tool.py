"""scripts/kafka starts and stops brokers for people and tests."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import DEADLINE_S, Broker, Kafka, Start, kafka_pipeline

TOOL = Path(__file__).resolve().parents[2] / "scripts/kafka"


def tool(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs scripts/kafka to its end."""
    return subprocess.run([TOOL, *args], capture_output=True, text=True, timeout=10 * DEADLINE_S)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Returns the last line that a successful run printed."""
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Path]:
    """The directory of a mock cluster that runs."""
    directory = tmp_path / "mock"
    assert tool("start", "--mock", "--dir", directory).returncode == 0
    yield directory
    assert tool("stop", "--dir", directory).returncode == 0


def test_start_of_a_broker_that_runs_prints_its_address(broker: Broker) -> None:
    assert last_line(tool("start", "--dir", broker.directory)) == broker.address
    assert last_line(tool("status", "--dir", broker.directory)) == broker.address


def test_broker_that_runs_without_tls_is_not_taken_for_one_with_it(broker: Broker) -> None:
    refused = tool("start", "--secure", "--dir", broker.directory)
    assert refused.returncode == 1
    assert "TLS" in refused.stderr


def test_nothing_runs_in_a_new_directory(tmp_path: Path) -> None:
    assert tool("status", "--dir", tmp_path / "new").returncode == 1
    assert tool("stop", "--dir", tmp_path / "new").returncode == 0


def test_broker_is_at_the_port_asked_for_beside_others(broker: Broker, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = tool("start", "--port", str(port), "--dir", tmp_path)
    assert last_line(started) == f"127.0.0.1:{port}" != broker.address
    refused = tool("start", "--port", str(port), "--dir", tmp_path / "another")
    assert refused.returncode == 1 and str(port) in refused.stderr
    assert tool("stop", "--dir", tmp_path).returncode == 0
    assert tool("status", "--dir", tmp_path).returncode == 1
    assert last_line(tool("status", "--dir", broker.directory)) == broker.address


@pytest.mark.parametrize(
    "args",
    [
        ["start", "--mock", "--port", "9092"],
        ["start", "--mock", "--secure"],
        ["start", "--port", "99999"],
        ["restart"],
        [],
    ],
)
def test_wrong_options_end_with_2(tmp_path: Path, args: list[str]) -> None:
    assert tool(*args, "--dir", tmp_path).returncode == 2


def test_mock_cluster_serves_the_server_and_others(
    start: Start, mock: Path, tmp_path: Path
) -> None:
    broker = Broker(mock, "--mock")
    assert last_line(tool("status", "--dir", mock)) == broker.address
    kafka = Kafka(broker)
    topic_in, topic_out = kafka.topic("in"), kafka.topic("out")
    topic_in.produce(["one", "two"], partition=0)
    (tmp_path / "app.py").write_text(kafka_pipeline())
    server = start(
        *("--application-module", "app"),
        *("--kafka_source_topic", topic_in.name, "--kafka_source_brokers", broker.address),
        *("--kafka_sink_topic", topic_out.name, "--kafka_sink_brokers", broker.address),
    ).ready()
    assert sorted(filter(None, topic_out.wait_values(2))) == [b"one", b"two"]
    assert server.terminate() == 0
    kafka.close()


def test_mock_cluster_is_not_a_real_broker(mock: Path) -> None:
    refused = tool("start", "--dir", mock)
    assert refused.returncode == 1
    assert "mock" in refused.stderr
