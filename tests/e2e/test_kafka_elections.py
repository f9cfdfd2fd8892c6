"""A cluster of three brokers: when one dies, others lead its partitions, and the server goes on."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from harness import (
    Broker,
    Counting,
    Kafka,
    Load,
    ServeKafka,
    Topic,
    kafka_pipeline,
    wait_until,
)

BROKERS = 3
SMALL = ("--heap-mib", "160")
REPLICATED = (
    *("--set", f"offsets.topic.replication.factor={BROKERS}"),
    *("--set", f"transaction.state.log.replication.factor={BROKERS}"),
    *("--set", "leader.imbalance.check.interval.seconds=1"),  # who comes back leads again soon
)

pytestmark = pytest.mark.timeout(300)


class Cluster(NamedTuple):
    """followers: the brokers that may be killed; the first one is also the controller."""

    kafka: Kafka
    followers: list[Broker]

    def elect_away_from(self, dead: Broker, topics: list[Topic]) -> None:
        """Kills a broker, and waits until others lead the partitions that it led."""
        for topic in topics:
            wait_until(lambda t=topic: dead.node in t.leaders(), "a partition that it leads")
        dead.kill()
        for topic in topics:
            wait_until(lambda t=topic: not t.leaders() & {dead.node, -1}, "an election")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three brokers that all have a copy of everything; a test leaves them running."""
    directory = tmp_path_factory.mktemp("cluster")
    first = Broker(directory / "1", *SMALL, *REPLICATED)
    brokers = [first]
    for name in ("2", "3"):
        join = ("--join", str(first.directory))
        brokers.insert(0, Broker(directory / name, *SMALL, *REPLICATED, *join))
    kafka = Kafka(first, replicas=BROKERS)
    wait_until(
        lambda: len(kafka.clients.admin.list_topics(timeout=30).brokers) == BROKERS, "all brokers"
    )
    yield Cluster(kafka, brokers[:-1])
    kafka.close()
    for broker in brokers:  # the first one, their controller, ends last
        broker.stop()
    shutil.rmtree(directory)


def test_elections_under_load_lose_nothing(serve_kafka: ServeKafka, cluster: Cluster) -> None:
    topic_in, topic_out = cluster.kafka.new_topic("in", 6), cluster.kafka.new_topic("out", 6)
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    load = Load(topic_in)
    for dead in cluster.followers:
        load.wait_more(1000)
        topic_out.wait_records(load.count - 500)
        cluster.elect_away_from(dead, [topic_in, topic_out])
        load.wait_more(1000)
        topic_out.wait_records(load.count - 500)
        dead.start()
        wait_until(lambda d=dead: d.node in topic_out.leaders(), "its leadership")
    count = load.stop()
    wait_until(lambda: len(values(topic_out)) >= count, "all outputs")
    assert values(topic_out) == {str(i).encode() for i in range(count)}
    topic_in.wait_committed(count)
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 0
    assert len(server.stderr.splitlines()) < 60, server.stderr


def values(topic: Topic) -> set[bytes | None]:
    """Returns the different values that are in a topic now."""
    return {record.value for record in topic.records()}


def test_elections_in_the_middle_of_transactions_repeat_and_lose_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    with Counting(cluster.kafka, tmp_path) as counting:
        counting.start()
        for dead in cluster.followers:
            counting.wait_more(1000)
            dead.kill()
            counting.load.wait_more(500)
            counting.wait_more(1000)
            dead.start()
        counting.finish()
