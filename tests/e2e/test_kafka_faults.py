"""Brokers that are away, groups that change, topics that come and grow: nothing is lost."""

import pytest
from harness import Kafka, Load, NewBroker, ServeKafka, Server, Topic, kafka_pipeline, wait_until

SHORT_SESSION = 'properties={"session.timeout.ms": 1500, "heartbeat.interval.ms": 300}'
STOPS = 8


def numbers(topic: Topic) -> set[int]:
    """Returns the different numbers that are in a topic now."""
    return {int(record.value or b"-1") for record in topic.records()}


def check_nothing_lost(load: Load, topic_out: Topic) -> None:
    """Stops the load; every number must come out, and nothing else."""
    count = load.stop()
    wait_until(
        lambda: len(numbers(topic_out)) >= count,
        lambda: f"{count} numbers; missing are {sorted({*range(count)} - numbers(topic_out))[:9]}",
    )
    assert numbers(topic_out) == set(range(count))


def test_server_waits_for_a_broker_that_is_not_there_yet(
    serve_kafka: ServeKafka, new_broker: NewBroker
) -> None:
    broker = new_broker()
    kafka = Kafka(broker)
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    topic_in.produce(["one"])
    broker.stop()
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out, ready=False)
    server.wait_stderr("waiting")
    broker.start()
    assert "initialized" not in server.stdout.split("consuming")[0]
    server.ready()
    assert topic_out.wait_values(1) == [b"one"]
    assert server.terminate() == 0
    assert len(server.log_lines("waiting", topic_in.name)) <= 1, server.stderr
    assert len(server.log_lines("waiting", topic_out.name)) <= 1, server.stderr
    assert len(server.stderr.splitlines()) < 20, server.stderr
    kafka.close()


def test_server_that_waits_for_a_broker_can_be_stopped(
    serve_kafka: ServeKafka, new_broker: NewBroker
) -> None:
    broker = new_broker()
    kafka = Kafka(broker)
    topic_in, topic_out = kafka.new_topic("in"), kafka.new_topic("out")
    broker.stop()
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out, ready=False)
    server.wait_stderr("waiting")
    assert server.terminate() == 0
    kafka.close()


def test_broker_killed_and_restarted_under_load_loses_nothing(
    serve_kafka: ServeKafka, new_broker: NewBroker
) -> None:
    broker = new_broker()
    kafka = Kafka(broker)
    topic_in, topic_out = kafka.new_topic("in", 4), kafka.new_topic("out", 2)
    server = serve_kafka(
        *(kafka_pipeline(), "--commit-interval", "0.1"), source=topic_in, sink=topic_out
    )
    load = Load(topic_in)
    for _ in range(2):
        load.wait_more(2000)
        topic_out.wait_records(load.count - 1500)
        broker.kill()
        load.wait_more(500)
        broker.start()
    check_nothing_lost(load, topic_out)
    topic_in.wait_committed(load.count)
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 0
    assert len(server.stderr.splitlines()) < 60, server.stderr
    kafka.close()


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_second_instance_joins_and_goes_under_load(
    serve_kafka: ServeKafka, kafka: Kafka, end: str
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 6), kafka.new_topic("out", 2)
    # A short session ends by itself on a busy machine, and what was under way is repeated then.
    session = SHORT_SESSION if end == "SIGKILL" else "properties={}"
    text = kafka_pipeline(source=f"source(args, {session})")

    def instance() -> Server:
        return serve_kafka(text, "--commit-interval", "0.1", source=topic_in, sink=topic_out)

    first = instance()
    load = Load(topic_in)
    topic_out.wait_records(1000)
    for _ in range(2):
        second = instance()
        kafka.wait_members(topic_in.name, 2)
        second.wait_stderr("3 partitions assigned")
        load.wait_more(1000)
        if end == "SIGTERM":
            assert second.terminate() == 0
        else:
            second.kill()
        kafka.wait_members(topic_in.name, 1)
        load.wait_more(500)
    check_nothing_lost(load, topic_out)
    topic_in.wait_committed(load.count)
    assert first.terminate() == 0
    repeated = len(topic_out.records()) - load.count
    if end == "SIGTERM":
        assert repeated == 0


def test_stops_while_a_commit_is_on_its_way_repeat_nothing(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 4), kafka.new_topic("out", 2)
    load = Load(topic_in)
    for stop in range(STOPS):
        server = serve_kafka(
            kafka_pipeline(), "--commit-interval", "0.001", source=topic_in, sink=topic_out
        )
        topic_out.wait_records(len(topic_out.records()) + 500)
        if stop == STOPS - 1:
            check_nothing_lost(load, topic_out)
        assert server.terminate() == 0
    topic_in.wait_committed(load.count)
    assert len(topic_out.records()) == load.count


def test_partitions_of_an_instance_that_left_go_on_with_the_other(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 2), kafka.new_topic("out")
    first = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    second = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    second.wait_stderr("1 partitions assigned")
    assert first.terminate() == 0
    topic_in.produce(["a"], partition=0)
    topic_in.produce(["b"], partition=1)
    assert {*topic_out.wait_values(2)} == {b"a", b"b"}
    assert second.terminate() == 0


def test_topic_that_does_not_exist_yet_is_consumed_when_it_is_created(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.topic("in"), kafka.new_topic("out")
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    server.wait_stderr(topic_in.name)
    topic_in.create(2)
    topic_in.produce(["one", "two"], partition=1)
    assert topic_out.wait_values(2) == [b"one", b"two"]
    assert server.terminate() == 0
    assert len(server.log_lines(" warning ", topic_in.name)) <= 1, server.stderr


def test_new_partitions_are_picked_up_from_their_beginning(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 1), kafka.new_topic("out")
    server = serve_kafka(kafka_pipeline(), source=topic_in, sink=topic_out)
    topic_in.produce(["old"])
    topic_out.wait_records(1)
    topic_in.grow(3)
    topic_in.produce(["new"], partition=2)
    assert topic_out.wait_values(2) == [b"old", b"new"]
    assert server.terminate() == 0


def test_drain_without_the_sinks_broker_gives_up_and_repeats_at_the_next_start(
    serve_kafka: ServeKafka, kafka: Kafka, new_broker: NewBroker
) -> None:
    broker = new_broker()
    other = Kafka(broker)
    topic_in, topic_out = kafka.new_topic("in"), other.new_topic("out")
    text = kafka_pipeline(
        "ab.to(show)",
        """\
        @wallaroo.computation(name="show")
        def show(data):
            print("saw", data)
            return data
        """,
    )
    server = serve_kafka(text, "--drain-timeout", "1", source=topic_in, sink=topic_out)
    topic_in.produce(["one"])
    topic_out.wait_records(1)
    topic_in.wait_committed(1)
    broker.stop()
    topic_in.produce(["two"])
    server.wait_stdout("saw two")
    assert server.terminate() == 1
    assert topic_out.name in server.stderr
    broker.start()
    server = serve_kafka(text, source=topic_in, sink=topic_out)
    assert set(topic_out.wait_values(2)) == {b"one", b"two"}
    assert server.terminate() == 0
    other.close()
