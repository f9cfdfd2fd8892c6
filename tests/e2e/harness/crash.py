"""A keyed running count of a topic's words that outlives its servers.

The oracle of everything that is killed: for each word the counts 1, 2, 3, ... up to the number of
messages with it come out in order. Readers with read_committed see each once; over TCP a server may
begin with some that the one before had sent, and leaves none out.
"""

import random
import signal
import time
from collections.abc import Hashable, Mapping
from pathlib import Path

from harness.apptext import COUNT_STEP
from harness.closing import Closing
from harness.committed import Reader
from harness.kafka import Kafka
from harness.kafka_app import COUNT_PAIRS, kafka_arguments, kafka_pipeline
from harness.kafka_load import Load
from harness.receiver import Receiver
from harness.sequences import Sequences
from harness.server import Server
from harness.store import ask_store
from harness.topic import Topic

STARTING_S_MAX = 0.5  # a server is killed that long after its start, at the latest,
RUNNING_S_MAX = 0.6  # or that long after it was ready
KILLED_WHILE_STARTING = 0.25  # that share of them
KEYS_TWICE_IN_AN_EPOCH = (
    "SELECT epoch, state, key FROM snap GROUP BY epoch, state, key, key_kind HAVING count(*) > 1"
)
LINE = """
@wallaroo.encoder
def line(data):
    word, count = data
    return f"{word} {count}\\n"
"""
TO_KAFKA = kafka_pipeline(COUNT_STEP, COUNT_PAIRS, sink="sink(args, counted)", name="counting")
TO_TCP = kafka_pipeline(
    COUNT_STEP, COUNT_PAIRS + LINE, sink="tcp_sink(args, 0, line)", name="counting"
)


class Survivor(Closing):
    """A resilience directory and the servers that run on it, one after the other.

    text: the application. args: its part of the command line. directory: where it lies.
    """

    def __init__(
        self, text: str, args: list[str], directory: Path, interval_s: float = 0.05
    ) -> None:
        self.directory = directory
        self.store = directory / "recovery"
        self.servers: list[Server] = []
        (directory / "app.py").write_text(text)
        self.args = ["--application-module", "app", *args, "--resilience-dir", str(self.store)]
        self.args += ["--epoch-interval", str(interval_s), "--log-level", "debug"]

    def close(self) -> None:
        """Ends all servers."""
        for server in self.servers:
            server.close()

    def start(self, *options: str, env: Mapping[str, str | None] | None = None) -> Server:
        """Starts the next server; the one before must have ended."""
        self.servers.append(Server([*self.args, *options], self.directory, env))
        return self.servers[-1]

    def start_to_die(self, point: str, times: int = 1) -> None:
        """Starts a server that kills itself; waits until it has reached the point that often."""
        server = self.start(env={"MACHIDA_CRASH_AT": f"{point}:{times}"})
        status = server.wait()
        assert status == -signal.SIGKILL, f"{point}:{times} not reached{server.describe()}"

    def kill_sometime(self, rng: random.Random) -> None:
        """Starts a server and kills it at a random time, perhaps before it was ready."""
        server = self.start()
        if rng.random() < KILLED_WHILE_STARTING:
            time.sleep(rng.uniform(0, STARTING_S_MAX))
        else:
            server.ready()
            time.sleep(rng.uniform(0, RUNNING_S_MAX))
        assert server.process.poll() is None, f"it ended by itself{server.describe()}"
        server.kill()

    def describe(self) -> str:
        """Returns what there is to know of the latest servers when a test fails."""
        return "".join(server.describe() for server in self.servers[-3:])

    def start_listening(self) -> tuple[str, int]:
        """Starts a server whose --in is 127.0.0.1:0; it and those after it listen there."""
        address = self.start().ready().address()
        self.args[self.args.index("127.0.0.1:0")] = "{}:{}".format(*address)
        return address

    def drain(self) -> None:
        """Asks the running server to stop; it must end well."""
        server = self.servers[-1]
        assert server.terminate() == 0, server.describe()


class CommittedCounts:
    """What readers with read_committed see."""

    def __init__(self, topic: Topic) -> None:
        self._reader = Reader(topic)

    def read_new(self, outputs: Sequences) -> None:
        """Adds what has come: each once."""
        for record in self._reader.read_new():
            assert record.key is not None
            assert record.value is not None
            outputs.add(record.key.decode(), int(record.value))

    def close(self) -> None:
        """Ends reading."""
        self._reader.close()


class CountLines:
    """What a receiver got over TCP."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._life = self._lines = 0  # that were read

    def read_new(self, outputs: Sequences) -> None:
        """Adds what has come: at least once."""
        lives = self._receiver.lives
        while self._life < len(lives):
            for line in lives[self._life][self._lines :]:
                word, count = line.split()
                outputs.add_again(word, int(count))
            if self._life == len(lives) - 1:
                self._lines = len(lives[self._life])
                return
            self._life, self._lines = self._life + 1, 0
            outputs.begin_life()

    def close(self) -> None:
        """The receiver goes on."""


class Counting(Survivor):
    """The application, its topic, and a steady load.

    out: where the counts go; a topic of its own unless given.
    """

    def __init__(
        self,
        kafka: Kafka,
        directory: Path,
        *,
        out: Receiver | None = None,
        words: int = 300,
        per_s: int = 2000,
        interval_s: float = 0.05,
    ) -> None:
        self.topic_in = kafka.new_topic("in", 3)
        if out is None:
            self.topic_out = kafka.new_topic("out", 2)
            arguments = kafka_arguments(self.topic_in, self.topic_out)
            super().__init__(TO_KAFKA, arguments, directory, interval_s)
            self._seen: CommittedCounts | CountLines = CommittedCounts(self.topic_out)
        else:
            arguments = [*kafka_arguments(self.topic_in), "--out", out.address]
            super().__init__(TO_TCP, arguments, directory, interval_s)
            self._seen = CountLines(out)
        self.words = words
        self.load = Load(self.topic_in, per_s, words)
        self.outputs = Sequences()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._seen.close()
        if error[0] is None:
            self.load.stop()

    def group(self) -> str:
        """Returns the group with the epochs that are visible in topic_out."""
        identity = (self.store / "id").read_text().strip()
        return f"machida-{identity}-main-{self.topic_out.name}-0"

    def check_new_outputs(self) -> int:
        """Reads what has become visible; returns how many outputs there are, each counted once."""
        try:
            self._seen.read_new(self.outputs)
        except AssertionError as error:
            raise AssertionError(f"{error}{self.describe()}") from None
        return self.outputs.total

    def wait_outputs(self, count: int) -> None:
        """Waits until at least that many outputs are visible."""
        server = self.servers[-1]
        server.wait_for(lambda: self.check_new_outputs() >= count, f"{count} outputs")

    def wait_more(self, count: int = 1) -> None:
        """Waits until that many more outputs than now are visible."""
        self.wait_outputs(self.check_new_outputs() + count)

    def finish(self) -> None:
        """Ends the load; a server without trouble does the rest, and a restart nothing more."""
        messages = self.load.stop()
        server = self.servers[-1] if self.servers else None
        if server is None or server.process.poll() is not None:
            self.start().ready()  # it can be asked to stop from then on
        self.wait_outputs(messages)
        self.drain()
        twice = ask_store(self.store, KEYS_TWICE_IN_AN_EPOCH)
        assert not twice, f"epoch, state and key of rows that are there twice: {twice}"
        repeated = self.outputs.repeated
        self.start().ready()
        self.drain()
        self.check_new_outputs()
        assert self.outputs.repeated == repeated, "a restart after a stop repeats nothing"
        assert self.outputs.last == expected_counts(messages, self.words), self.describe()


def expected_counts(messages: int, words: int) -> dict[Hashable, int]:
    """Returns how often each word is among the first messages of a load with so many words."""
    return {str(i): (messages - i - 1) // words + 1 for i in range(min(words, messages))}
