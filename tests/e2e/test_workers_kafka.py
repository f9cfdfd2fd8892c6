"""Several workers between Kafka topics, without a resilience directory."""

from harness import COUNT_PAIRS, COUNT_STEP, Kafka, ServeKafka, Topic, kafka_pipeline

MESSAGES = [f"word{n % 50}" for n in range(3000)]


def words(topic: Topic, count: int) -> list[str]:
    """Waits for that many outputs; returns their keys, sorted."""
    return sorted((record.key or b"").decode() for record in topic.wait_records(count))


def test_a_stop_commits_what_all_workers_have_delivered_and_a_restart_repeats_nothing(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 3), kafka.new_topic("out", 2)
    topic_in.produce(MESSAGES)
    text = kafka_pipeline(COUNT_STEP, COUNT_PAIRS, sink="sink(args, counted)")
    for times in (1, 2):
        server = serve_kafka(text, "--workers", "2", source=topic_in, sink=topic_out)
        assert words(topic_out, times * len(MESSAGES)) == sorted(MESSAGES * times)
        assert server.stdout.count("consuming") == 1
        assert server.terminate() == 0, server.describe()
        topic_in.wait_committed(times * len(MESSAGES), topic_in.name)
        if times == 1:
            topic_in.produce(MESSAGES)


def test_offsets_are_committed_only_for_what_other_workers_have_delivered(
    serve_kafka: ServeKafka, kafka: Kafka
) -> None:
    topic_in, topic_out = kafka.new_topic("in", 2), kafka.new_topic("out")
    text = kafka_pipeline(COUNT_STEP, COUNT_PAIRS, sink="sink(args, counted)")
    options = ["--workers", "2", "--commit-interval", "0.05"]
    server = serve_kafka(text, *options, source=topic_in, sink=topic_out)
    topic_in.produce(MESSAGES)
    topic_out.wait_records(len(MESSAGES) // 4)
    server.kill()
    server = serve_kafka(text, *options, source=topic_in, sink=topic_out)
    seen: set[str] = set()

    def all_there() -> bool:
        seen.update((record.key or b"").decode() for record in topic_out.records())
        return sum(offset or 0 for offset in topic_in.committed(topic_in.name)) == len(MESSAGES)

    server.wait_for(all_there, "all offsets to be committed")
    assert len(topic_out.records()) >= len(MESSAGES), "an output was lost"
    assert server.terminate() == 0
