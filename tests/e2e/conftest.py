"""Fixtures that start and end what the tests use."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import (
    BINARY,
    Broker,
    Kafka,
    NewBroker,
    NewReceiver,
    Receiver,
    Serve,
    ServeKafka,
    Server,
    Start,
    Topic,
    kafka_arguments,
)
from harness.flow_processes import Run
from harness.postgres import Postgres
from harness.small_disk import mounted


def pytest_configure() -> None:
    """What the tests start must not ignore SIGINT, as a background job of a shell does."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fails early, and once, when there is nothing to test."""
    if any(item.path.parent == Path(__file__).parent for item in items):
        if not os.access(BINARY, os.X_OK):
            pytest.exit(f"no server at {BINARY}; run scripts/build", returncode=1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A function (*args, env=None, cwd=tmp_path) -> Server; all are killed after the test."""
    servers: list[Server] = []

    def begin(*args: str, env: dict[str, str | None] | None = None, cwd: Path = tmp_path) -> Server:
        servers.append(Server(args, cwd, env))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


@pytest.fixture
def new_receiver() -> Iterator[NewReceiver]:
    """A function with Receiver's arguments; all are closed after the test."""
    receivers: list[Receiver] = []

    def begin(
        *, host: str = "127.0.0.1", start: bool = True, rcvbuf_bytes: int | None = None
    ) -> Receiver:
        receivers.append(Receiver(host, start, rcvbuf_bytes))
        return receivers[-1]

    yield begin
    for receiver in receivers:
        receiver.resume()
        receiver.close()


@pytest.fixture
def receiver(new_receiver: NewReceiver) -> Receiver:
    """A receiver that is up."""
    return new_receiver()


@pytest.fixture
def serve(start: Start, receiver: Receiver, tmp_path: Path) -> Serve:
    """Writes the text as app.py and starts the server on it, with --in and --out.

    out: the receiver, or addresses as --out takes them; the fixture `receiver` unless given.
    inputs: addresses as --in takes them. ready: wait until it runs.
    """

    def begin(
        text: str,
        *options: str,
        out: Receiver | str | None = None,
        inputs: str = "127.0.0.1:0",
        env: dict[str, str | None] | None = None,
        ready: bool = True,
    ) -> Server:
        (tmp_path / "app.py").write_text(text)
        out = receiver if out is None else out
        outputs = out if isinstance(out, str) else out.address
        server = start(
            "--application-module", "app", "--in", inputs, "--out", outputs, *options, env=env
        )
        return server.ready() if ready else server

    return begin


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker that tests share; they leave it running."""
    directory = tmp_path_factory.mktemp("broker")
    broker = Broker(directory)
    yield broker
    broker.stop()
    shutil.rmtree(directory)


@pytest.fixture
def kafka(broker: Broker) -> Iterator[Kafka]:
    """The shared broker with clients and topics of the test's own."""
    kafka = Kafka(broker)
    yield kafka
    kafka.close()


@pytest.fixture
def new_broker(tmp_path: Path) -> Iterator[NewBroker]:
    """A function () -> Broker for tests that stop or kill it; all are ended after the test."""
    brokers: list[Broker] = []

    def begin() -> Broker:
        brokers.append(Broker(tmp_path / f"broker{len(brokers)}"))
        return brokers[-1]

    yield begin
    for broker in brokers:
        broker.stop()
        shutil.rmtree(broker.directory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The database server that tests share; each uses tables of its own and leaves it running."""
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def serve_kafka(start: Start, tmp_path: Path) -> ServeKafka:
    """Writes the text as app.py and starts the server on it.

    source, sink: become --kafka_source_topic, --kafka_sink_topic and their brokers.
    ready: wait until it runs.
    """

    def begin(
        text: str,
        *options: str,
        source: Topic | None = None,
        sink: Topic | None = None,
        ready: bool = True,
    ) -> Server:
        (tmp_path / "app.py").write_text(text)
        topics = kafka_arguments(source, sink)
        server = start("--application-module", "app", *topics, *options)
        return server.ready() if ready else server

    return begin


@pytest.fixture
def start_flow(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """A function (module, arguments..., environment) -> Run of `python -m` there; all are ended."""
    runs: list[Run] = []

    def begin(*arguments: str, program: list[str] | None = None, **environment: str) -> Run:
        command = [*(program or [sys.executable, "-m"]), *arguments]
        runs.append(Run(tmp_path, *command, **environment))
        return runs[-1]

    yield begin
    for run in runs:
        run.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of DISK_BYTES at tmp_path/recovery."""
    yield from mounted(tmp_path / "recovery")
