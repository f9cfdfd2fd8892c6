"""Clients and applications over TCP for servers that are killed.

A client sends "C 0", "C 1", "C 2", ... over its connection C; when the connection breaks it goes on
with C + 1. The application counts by connection, so that an output "C I COUNT" tells whether the
state fits: COUNT must be I + 1.
"""

import threading
import time
from collections.abc import Hashable, Mapping

from harness.apptext import PRELUDE
from harness.client import Client
from harness.deadline import DEADLINE_S

BATCHES_PER_S = 100
COUNT_FRAMES = """\
class Count:
    def __init__(self):
        self.count = 0


@wallaroo.partition
def by_connection(data):
    return data.split()[0]


@wallaroo.state_computation(name="count")
def count(data, state):
    state.count += 1
    return f"{data} {state.count}", True


@wallaroo.encoder
def message(data):
    return data.encode(), data.split()[0].encode()


def kafka_sink(args):
    topic, brokers, log_level, buffer_ms, size = wallaroo.kafka_parse_sink_options(args)
    return wallaroo.KafkaSinkConfig(topic, brokers, log_level, buffer_ms, size, message)


"""


def frames_application(sink: str) -> str:
    """Returns a module that counts frames. sink: "sink(args)" (TCP) or "kafka_sink(args)"."""
    setup = f"""\
def application_setup(args):
    ab = wallaroo.ApplicationBuilder("frames")
    ab.new_pipeline("main", source(args))
    ab.to_state_partition(count, Count, "counts", by_connection)
    ab.to_sink({sink})
    return ab.build()
"""
    return f"{PRELUDE}{COUNT_FRAMES}{setup}"


class Talker:
    """The client, in a thread of its own.

    sent: for each connection, how many frames were sent at most. complete: whether the server has
    read all of them.
    """

    def __init__(self, address: tuple[str, int], per_s: int = 2000) -> None:
        self.sent: list[int] = []
        self.complete: list[bool] = []
        self._address = address
        self._per_batch = max(1, per_s // BATCHES_PER_S)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when the server has read all of a last connection. It must be running."""
        self._stopping.set()
        self._thread.join(2 * DEADLINE_S)
        assert not self._thread.is_alive(), "the server does not take the last connection"

    def _run(self) -> None:
        while not self._stopping.is_set() or not (self.complete and self.complete[-1]):
            try:
                client = Client(self._address)
            except OSError:
                time.sleep(0.01)
                continue
            self.sent.append(0)
            self.complete.append(False)
            with client:
                try:
                    self._talk(client)
                except OSError:
                    continue

    def _talk(self, client: Client) -> None:
        connection = len(self.sent) - 1
        while not self._stopping.is_set():
            begin = self.sent[-1]
            self.sent[-1] += self._per_batch
            client.send_frames(*(f"{connection} {i}" for i in range(begin, self.sent[-1])))
            time.sleep(1 / BATCHES_PER_S)
        client.finish()
        self.complete[-1] = client.socket.recv(1) == b""  # the server closes when it has all


def parse_frame(text: str) -> tuple[int, int]:
    """Returns connection and count of an output, for harness.Sequences."""
    connection, number, count = map(int, text.split())
    assert count == number + 1, f"the state does not fit: {text!r}"
    return connection, count


def check_frames(talker: Talker, counts: Mapping[Hashable, int]) -> None:
    """Compares the numbers that connections have reached with what was sent."""
    assert set(counts) <= set(range(len(talker.sent))), counts
    for connection, sent in enumerate(talker.sent):
        count = counts.get(connection, 0)
        assert count <= sent, f"connection {connection}: {count} outputs, {sent} sent"
        if talker.complete[connection]:
            assert count == sent, f"connection {connection}: {count} outputs of {sent}"
