"""TLS and SASL against a real broker: what fits connects, what does not is said once."""

import ctypes
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import (
    READY,
    Broker,
    Kafka,
    NewReceiver,
    ServeKafka,
    Server,
    Topic,
    kafka_pipeline,
)

WRONG_PASSWORD = "no such password"
SCRAM_FROM = 0x02060100  # librdkafka's before 2.6.1 has a nonce that Kafka 4 refuses
ATTEMPT = "librdkafka CONNECT: "  # one line for each connection that is tried, with `debug`
ATTEMPTS = 8
COMPLAINT = re.compile(r"\S+ \S+ (warning|error) ")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker with every listener; the test's own clients use the plain one."""
    directory = tmp_path_factory.mktemp("secure")
    broker = Broker(directory, "--secure")
    kafka = Kafka(broker)
    yield kafka
    kafka.close()
    broker.stop()
    shutil.rmtree(directory)


def librdkafka_version() -> int:
    """Returns the version that the server runs with: 0xMMmmrr00."""
    return int(ctypes.CDLL("librdkafka.so.1").rd_kafka_version())


def properties(kafka: Kafka, protocol: str, mechanism: str = "", **changes: str) -> dict[str, str]:
    """Returns what a client of a listener needs; changes: other values, "_" for "."."""
    security = kafka.broker.security
    needed = {"security.protocol": protocol}
    if "SSL" in protocol:
        needed["ssl.ca.location"] = security["ca"]
    if mechanism:
        needed |= {
            "sasl.mechanisms": mechanism,
            "sasl.username": security["user"],
            "sasl.password": security["password"],
        }
    return needed | {name.replace("_", "."): value for name, value in changes.items()}


def at(kafka: Kafka, protocol: str, *ends: str) -> list[str]:
    """Returns the options that make ends ("source", "sink") use a listener."""
    address = kafka.broker.security["addresses"][protocol]
    return [word for end in ends for word in (f"--kafka_{end}_brokers", address)]


def other_ca(directory: Path) -> str:
    """Returns a file with the certificate of somebody else."""
    key = ["-keyalg", "EC", "-dname", "CN=somebody", "-storetype", "PKCS12"]
    store = ["-keystore", str(directory / "other.p12"), "-storepass", "secret", "-alias", "other"]
    file = directory / "other.pem"
    for command in (
        ["-genkeypair", *store, *key],
        ["-exportcert", *store, "-rfc", "-file", str(file)],
    ):
        subprocess.run(["keytool", *command], check=True, capture_output=True)
    return str(file)


@pytest.mark.parametrize(
    ("protocol", "mechanism"),
    [
        ("SSL", ""),
        ("SASL_PLAINTEXT", "PLAIN"),
        ("SASL_SSL", "PLAIN"),
        ("SASL_SSL", "SCRAM-SHA-256"),
    ],
)
def test_right_certificate_and_password_connect(
    serve_kafka: ServeKafka, secure: Kafka, protocol: str, mechanism: str
) -> None:
    if mechanism.startswith("SCRAM") and librdkafka_version() < SCRAM_FROM:
        pytest.skip("this librdkafka's SCRAM is refused by Kafka 4")
    right = properties(secure, protocol, mechanism)
    text = kafka_pipeline(
        source=f"source(args, properties={right})", sink=f"sink(args, properties={right})"
    )
    topic_in, topic_out = secure.new_topic("in", 2), secure.new_topic("out")
    topic_in.produce(["one"])
    server = serve_kafka(
        text, *at(secure, protocol, "source", "sink"), source=topic_in, sink=topic_out
    )
    assert topic_out.wait_values(1) == [b"one"]
    assert server.terminate() == 0
    assert complaints(server) == []
    topic_in.wait_committed(1)


def complaints(server: Server) -> list[str]:
    """Returns the lines on stderr that are more than information."""
    return [line for line in server.stderr.splitlines() if COMPLAINT.match(line)]


def check_said_once(server: Server, topic: Topic, reason: str) -> None:
    """The server must go on trying, give the reason once, and end when it is asked to."""
    server.wait_for(lambda: re.search(reason, server.stderr), reason)
    server.wait_for(lambda: len(server.log_lines(ATTEMPT)) >= ATTEMPTS, "more attempts")
    assert READY not in server.stdout
    assert server.terminate() == 0
    lines = complaints(server)
    # librdkafka gives a failed handshake one of two codes, as it happens: each is said once.
    assert any(re.search(reason, line) for line in lines), lines
    assert len(lines) <= 2 and all(topic.name in line for line in lines), lines


def mistaken(kafka: Kafka, mistake: str, directory: Path) -> tuple[str, dict[str, str], str]:
    """Returns protocol, properties and a pattern of the reason."""
    if mistake == "password":
        wrong = properties(kafka, "SASL_SSL", "PLAIN", sasl_password=WRONG_PASSWORD)
        return "SASL_SSL", wrong, "uthentication failed"
    if mistake == "certificate":
        wrong = properties(kafka, "SSL", ssl_ca_location=other_ca(directory))
        return "SSL", wrong, "certificate verify failed"
    assert mistake == "no TLS"
    # librdkafka does not guess any more in later releases.
    return "SSL", {}, r"incorrect security\.protocol|broker connections are down"


MISTAKES = ["password", "certificate", "no TLS"]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_source_that_is_refused_says_so_once_and_waits(
    serve_kafka: ServeKafka,
    secure: Kafka,
    new_receiver: NewReceiver,
    tmp_path: Path,
    mistake: str,
) -> None:
    protocol, wrong, reason = mistaken(secure, mistake, tmp_path)
    wrong["debug"] = "broker"
    text = kafka_pipeline(source=f"source(args, properties={wrong})", sink="tcp_sink(args)")
    topic = secure.new_topic("in")
    server = serve_kafka(
        *(text, *at(secure, protocol, "source"), "--kafka_source_log_level", "Fine"),
        *("--log-level", "debug", "--out", new_receiver().address),
        source=topic,
        ready=False,
    )
    check_said_once(server, topic, reason)
    assert WRONG_PASSWORD not in server.stderr


@pytest.mark.parametrize("mistake", MISTAKES)
def test_sink_that_is_refused_says_so_once_and_waits(
    serve_kafka: ServeKafka, secure: Kafka, tmp_path: Path, mistake: str
) -> None:
    protocol, wrong, reason = mistaken(secure, mistake, tmp_path)
    wrong["debug"] = "broker"
    text = kafka_pipeline(source="tcp_source(args)", sink=f"sink(args, properties={wrong})")
    topic = secure.new_topic("out")
    server = serve_kafka(
        *(text, *at(secure, protocol, "sink"), "--kafka_sink_log_level", "Fine"),
        *("--log-level", "debug", "--in", "127.0.0.1:0"),
        sink=topic,
        ready=False,
    )
    check_said_once(server, topic, reason)
    assert WRONG_PASSWORD not in server.stderr


def test_server_starts_when_the_broker_knows_its_password(
    serve_kafka: ServeKafka, tmp_path: Path
) -> None:
    broker = Broker(tmp_path / "broker", "--secure")
    kafka = Kafka(broker)
    other: dict[str, Any] = properties(kafka, "SASL_PLAINTEXT", "PLAIN", sasl_password="other")
    text = kafka_pipeline(
        source=f"source(args, properties={other})", sink=f"sink(args, properties={other})"
    )
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    topic_in.produce(["one"])
    server = serve_kafka(
        *(text, *at(kafka, "SASL_PLAINTEXT", "source", "sink")),
        source=topic_in,
        sink=topic_out,
        ready=False,
    )
    server.wait_stderr("uthentication failed")
    broker.stop()
    broker.change_password("other")
    broker.start()
    server.ready()
    assert topic_out.wait_values(1) == [b"one"]
    assert server.terminate() == 0
    kafka.close()
    broker.stop()
