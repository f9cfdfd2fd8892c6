"""Measures the server between Kafka topics beside a loop written by hand over confluent-kafka.

The job is the keyed running count: messages of 100 bytes in, for each its key's count out. Broker,
input and machine are the same, the two take turns, and every output is checked. A rate is from the
first to the last output by the broker's clock. Prints `name value unit` lines; never part of pass
or fail.

* `kafka.loop_per_s`: the loop, tuned; the better of one call per output and one per batch
* `kafka.server_per_s`: an ordinary KafkaSourceConfig -> to_state_partition -> KafkaSinkConfig
* `kafka.ratio`: server / loop, the median over the rounds of paired runs
* `kafka.server_keyed_per_s`, `kafka.keyed_ratio`: with a decoder that gets the whole message
* `kafka.server_peak_rss_mib`: the server's largest resident memory in such a run
* `kafka.latency_*_us`: produced -> counted -> consumed, two hops, at --latency-rate messages/s
* `kafka.relay_*_us`: the same with a C program in between that only copies

For comparison, on another day but such a machine (two cores, broker included, the same job):
C with well-sized queues 1.5-1.7 M/s; Kafka Streams 146-215 k/s, 322 k/s warm in memory; Quix
Streams 50 k/s; Faust 4 k/s.
"""

import argparse
import signal
import statistics
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka_topics import ROOT, Topics
from run import memory_mib

HERE = Path(__file__).resolve().parent
LATENCY_KEYS = 1000
LATENCY_PARTITIONS = 1  # more cost the broker more requests than it can answer on two cores


def show(name: str, value: float, unit: str) -> None:
    """Print a line."""
    print(f"kafka.{name} {value:.4g} {unit}", flush=True)


class Bench:
    """What the runs have in common."""

    def __init__(self, args: argparse.Namespace, topics: Topics) -> None:
        self.args = args
        self.topics = topics
        self.peak_rss_mib = 0.0

    def loop(self, topic_in: str, topic_out: str, batch: bool) -> subprocess.Popen[str]:
        """Start the loop on the topics."""
        words = [self.topics.brokers, topic_in, topic_out, new_group(), str(self.args.messages)]
        command = [sys.executable, HERE / "kafka_loop.py", *words]
        return subprocess.Popen([*command, "--batch"] if batch else command, text=True)

    def server(self, topic_in: str, topic_out: str, *words: str) -> subprocess.Popen[str]:
        """Start the server on the topics."""
        command = [self.args.build / "machida", "--application-module", "kafka_count"]
        for kind, topic in (("source", topic_in), ("sink", topic_out)):
            command += [f"--kafka_{kind}_topic", topic]
            command += [f"--kafka_{kind}_brokers", self.topics.brokers]
        return subprocess.Popen(
            [*command, "--log-level", "error", *self.args.server_option, *words, new_group()],
            cwd=HERE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    def keyed_server(self, topic_in: str, topic_out: str) -> subprocess.Popen[str]:
        """The server with the decoder that gets the whole message."""
        return self.server(topic_in, topic_out, "message")

    def rate(self, begin: Callable[[str, str], subprocess.Popen[str]], topic_in: str) -> float:
        """Messages per second of one run, checked."""
        topic_out = self.topics.new("out", self.args.partitions)
        with running(lambda: begin(topic_in, topic_out)) as process:
            self.topics.wait(topic_out, self.args.messages, process)
            if begin == self.server:
                self.peak_rss_mib = max(self.peak_rss_mib, memory_mib(process.pid, "VmHWM"))
        rate = self.topics.rate(topic_out, self.args.messages, self.args.keys)
        self.topics.delete(topic_out)
        return rate

    def throughput(self) -> None:
        """Print the rates and their ratios."""
        topic_in = self.topics.new("in", self.args.partitions)
        self.topics.fill(topic_in, self.args.messages, self.args.keys)
        batch = self.better_loop(topic_in)
        loops, servers, keyed = [], [], []
        for _ in range(self.args.rounds):
            loops.append(self.rate(lambda i, o: self.loop(i, o, batch), topic_in))
            servers.append(self.rate(self.server, topic_in))
            keyed.append(self.rate(self.keyed_server, topic_in))
        self.topics.delete(topic_in)
        show("loop_per_s", statistics.median(loops), "1/s")
        show("server_per_s", statistics.median(servers), "1/s")
        show("ratio", median_ratio(servers, loops), "server/loop")
        show("server_keyed_per_s", statistics.median(keyed), "1/s")
        show("keyed_ratio", median_ratio(keyed, loops), "server/loop")
        show("server_peak_rss_mib", self.peak_rss_mib, "MiB")

    def better_loop(self, topic_in: str) -> bool:
        """Whether producing by batches is the faster loop here; one run of each."""
        single, batch = (
            self.rate(lambda i, o, b=batch: self.loop(i, o, b), topic_in) for batch in (False, True)
        )
        show("loop_single_calls_per_s", single, "1/s")
        show("loop_batch_calls_per_s", batch, "1/s")
        return batch > single

    def latency(self) -> None:
        """Print the latencies, the relay's first."""
        self.measure(self.relay, "echo")  # warms up the broker
        for name, begin, answers in (
            ("relay", self.relay, "echo"),
            ("latency", self.server, "count"),
        ):
            runs = [self.measure(begin, answers) for _ in range(self.args.rounds)]
            for part in ("p50_us", "p99_us", "p999_us"):
                show(f"{name}_{part}", statistics.median(run[part] for run in runs), "us")

    def relay(self, topic_in: str, topic_out: str) -> subprocess.Popen[str]:
        """Start the program that only copies."""
        words = [self.topics.brokers, topic_in, topic_out, new_group()]
        return subprocess.Popen([self.tool, "relay", *words], text=True)

    def measure(
        self, begin: Callable[[str, str], subprocess.Popen[str]], answers: str
    ) -> dict[str, float]:
        """One run at a steady rate."""
        topic_in = self.topics.new("in", LATENCY_PARTITIONS)
        topic_out = self.topics.new("out", LATENCY_PARTITIONS)
        numbers = (LATENCY_KEYS, self.args.latency_rate, self.args.latency_seconds)
        with running(lambda: begin(topic_in, topic_out)):
            done = subprocess.run(
                [self.tool, "measure", self.topics.brokers, topic_in, topic_out]
                + [*map(str, numbers), answers],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        self.topics.delete(topic_in)
        self.topics.delete(topic_out)
        return {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}

    @property
    def tool(self) -> Path:
        """The program that measures latency."""
        return self.args.build / "tests/bench/bench_kafka"


def new_group() -> str:
    """A consumer group that starts from nothing."""
    return f"bench-{uuid.uuid4().hex[:8]}"


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of paired runs."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


@contextmanager
def running(begin: Callable[[], subprocess.Popen[str]]) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended afterwards, and must end well."""
    process = begin()
    try:
        yield process
    finally:
        if process.poll() is None and process.args[0] != sys.executable:
            process.send_signal(signal.SIGTERM)
        status = process.wait(60)
    if status != 0:
        raise RuntimeError(f"{process.args[0]} ended with status {status}")


def main() -> None:
    """Parse the options and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = parser.add_argument
    add("--build", type=lambda p: Path(p).resolve(), default=ROOT / "build")
    add("--messages", type=int, default=1_000_000, help="per run")
    add("--keys", type=int, default=10_000)
    add("--partitions", type=int, default=4)
    add("--rounds", type=int, default=3, help="paired runs")
    add("--heap-mib", type=int, default=512, help="of the broker")
    add("--latency-rate", type=int, default=10_000, help="messages per second")
    add("--latency-seconds", type=int, default=10, help="of each latency run")
    add("--only", choices=["throughput", "latency"])
    add("--server-option", action="append", default=[], help="for the server (repeatable)")
    args = parser.parse_args()
    if args.messages % args.keys:
        parser.error("--messages must be a multiple of --keys")
    topics = Topics(args.heap_mib)
    try:
        bench = Bench(args, topics)
        if args.only != "latency":
            bench.throughput()
        if args.only != "throughput":
            bench.latency()
    finally:
        topics.close()


if __name__ == "__main__":
    main()
