"""A long backlog in a topic holds up nothing else: sockets and signals are served in between."""

import signal
from pathlib import Path

import pytest
from harness import (
    KAFKA_PRELUDE,
    Client,
    Kafka,
    Receiver,
    ServeKafka,
    Server,
    Topic,
)

BACKLOG = 200_000

# The first message is held, so that whatever comes next is there before the backlog is worked on.
TEXT = f"""{KAFKA_PRELUDE}
import os
import time

seen = 0

@wallaroo.computation(name="slow")
def slow(data):
    global seen
    seen += 1
    if seen == 1:
        print("held", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.001)
    sum(range(100))

@wallaroo.computation(name="tell")
def tell(data):
    return seen

def application_setup(args):
    ab = wallaroo.ApplicationBuilder("test")
    ab.new_pipeline("backlog", source(args))
    ab.to(slow)
    ab.to_sink(tcp_sink(args))
    ab.new_pipeline("tcp", tcp_source(args))
    ab.to(tell)
    ab.to_sink(tcp_sink(args))
    return ab.build()
"""


@pytest.fixture
def backlog(kafka: Kafka) -> Topic:
    """A topic with many small messages."""
    topic = kafka.new_topic("in", 2)
    topic.produce(b"%d" % i for i in range(BACKLOG))
    return topic


def held(serve_kafka: ServeKafka, backlog: Topic, receiver: Receiver) -> Server:
    """Starts the server; it works on the first message until there is a file `go`."""
    server = serve_kafka(
        *(TEXT, "--in", "127.0.0.1:0", "--out", receiver.address), source=backlog, ready=False
    )
    server.wait_stdout("held")
    return server


def test_tcp_client_is_answered_under_a_backlog(
    serve_kafka: ServeKafka, backlog: Topic, receiver: Receiver, tmp_path: Path
) -> None:
    server = held(serve_kafka, backlog, receiver)
    with Client(server.address("tcp")) as client:
        client.send_frames("how many?")
        (tmp_path / "go").touch()
        (answer,) = receiver.wait_lines(1)
    assert 0 < int(answer) < BACKLOG
    backlog.wait_committed(BACKLOG)
    assert server.terminate() == 0
    assert server.summary()["records in"] == BACKLOG + 1


def test_stop_signal_is_obeyed_under_a_backlog(
    serve_kafka: ServeKafka, backlog: Topic, receiver: Receiver, tmp_path: Path
) -> None:
    server = held(serve_kafka, backlog, receiver)
    server.send_signal(signal.SIGTERM)
    (tmp_path / "go").touch()
    assert server.wait() == 0
    count = server.summary()["records in"]
    assert 0 < count < BACKLOG
    backlog.wait_committed(count)
