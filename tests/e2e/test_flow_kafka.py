"""The Kafka source and sink of dataflows, called as the engine calls them, on a real broker."""

from datetime import UTC, datetime

import pytest
from bytewax.connectors.kafka import KafkaSink, KafkaSource
from bytewax.testing import poll_next_batch
from harness import Kafka
from wallaroo.flows.kafka import OFFSET_END
from wallaroo.flows.sink_adapter import adapt_sink
from wallaroo.flows.source_adapter import adapt_source


def build(source, part, resume_state=None):
    """Opens a partition of a source."""
    adapted = adapt_source(source)
    return adapted.build_part(datetime.now(UTC), part, resume_state).part


def read_all(source, part, resume_state=None):
    """Reads a partition to its end; returns the items, and the position behind them."""
    opened = build(source, part, resume_state)
    items = []
    try:
        while True:
            items += poll_next_batch(opened)
    except StopIteration:
        position = opened.snapshot()
        opened.close()
        return items, position


def write(sink, items):
    part = adapt_sink(sink).build(0, 1).part
    part.write_batch(items)
    part.close()


def test_a_source_has_the_partitions_of_its_topics(kafka: Kafka) -> None:
    one, other = kafka.new_topic("one", 2), kafka.new_topic("other", 1)
    source = KafkaSource([kafka.address], [one.name, other.name])
    assert source.list_parts() == [f"0-{one.name}", f"1-{one.name}", f"0-{other.name}"]


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_a_source_reads_keys_values_and_tombstones_to_the_end(kafka: Kafka, batch_size) -> None:
    topic = kafka.new_topic("in", 1)
    topic.produce_keyed([("k", "a"), (None, "b"), ("k", None), ("", "")])
    source = KafkaSource([kafka.address], [topic.name], tail=False, batch_size=batch_size)
    items, position = read_all(source, f"0-{topic.name}")
    assert items == [(b"k", b"a"), (None, b"b"), (b"k", None), (b"", b"")]
    assert position == 4


def test_a_source_goes_on_at_its_snapshot(kafka: Kafka) -> None:
    topic = kafka.new_topic("in", 1)
    topic.produce(["a", "b", "c"])
    source = KafkaSource([kafka.address], [topic.name], tail=False, batch_size=2)
    part = build(source, f"0-{topic.name}")
    first = poll_next_batch(part)
    position = part.snapshot()
    part.close()
    rest, _ = read_all(source, f"0-{topic.name}", position)
    assert [value for _, value in first + rest] == [b"a", b"b", b"c"]
    assert position == len(first)


def test_a_source_from_the_end_keeps_its_place_before_it_saw_a_message(kafka: Kafka) -> None:
    topic = kafka.new_topic("in", 1)
    topic.produce(["before"])
    source = KafkaSource([kafka.address], [topic.name], starting_offset=OFFSET_END)
    part = build(source, f"0-{topic.name}")
    position = part.snapshot()
    part.close()
    topic.produce(["after"])
    part = build(source, f"0-{topic.name}", position)
    assert poll_next_batch(part) == [(None, b"after")]
    part.close()


def test_a_source_that_tails_sees_what_comes_later(kafka: Kafka) -> None:
    topic = kafka.new_topic("in", 1)
    part = build(KafkaSource([kafka.address], [topic.name], batch_size=10), f"0-{topic.name}")
    assert part.next_batch(datetime.now(UTC)) == []
    assert part.next_awake() > datetime.now(UTC).replace(year=2000)
    topic.produce(["later"])
    assert poll_next_batch(part) == [(None, b"later")]
    assert part.next_awake() is None
    part.close()


def test_a_source_from_an_offset_that_is_gone_is_an_error(kafka: Kafka) -> None:
    topic = kafka.new_topic("in", 1)
    topic.produce(["a"])
    source = KafkaSource([kafka.address], [topic.name])
    part = build(source, f"0-{topic.name}", 1000)
    with pytest.raises(RuntimeError, match=r"error consuming from partition 0 of .*ffset"):
        poll_next_batch(part)
    part.close()
    config = {"auto.offset.reset": "earliest"}
    patient = KafkaSource([kafka.address], [topic.name], add_config=config)
    part = build(patient, f"0-{topic.name}", 1000)
    assert poll_next_batch(part) == [(None, b"a")]
    part.close()


def test_an_unknown_topic_is_an_error(kafka: Kafka) -> None:
    source = KafkaSource([kafka.address], ["no-such-topic"])
    with pytest.raises(
        RuntimeError,
        match=r"error listing partitions for Kafka topic `'no-such-topic'`: "
        r"Broker: Unknown topic or partition",
    ):
        source.list_parts()


def test_a_wrong_property_is_an_error(kafka: Kafka) -> None:
    source = KafkaSource([kafka.address], ["t"], add_config={"no.such.property": "1"})
    with pytest.raises(RuntimeError, match=r"no\.such\.property"):
        source.list_parts()
    sink = KafkaSink([kafka.address], "t", add_config={"no.such.property": "1"})
    with pytest.raises(
        RuntimeError, match=r"error opening Kafka topic `'t'`: .*no\.such\.property"
    ):
        sink.build(0, 1)


def test_a_sink_has_written_when_it_returns(kafka: Kafka) -> None:
    topic = kafka.new_topic("out", 3)
    sink = KafkaSink([kafka.address], topic.name)
    items = [(b"a", b"1"), (b"b", b"2"), ("a", "3"), (None, b"4"), (b"a", None), (b"", b"")]
    part = adapt_sink(sink).build(0, 1).part
    part.write_batch(items)
    records = topic.records()
    assert {(r.key, r.value) for r in records} == {
        *((b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (None, b"4"), (b"a", None), (b"", b"")),
    }
    of_a = [(r.partition, r.value) for r in records if r.key == b"a"]
    assert [value for _, value in of_a] == [b"1", b"3", None]
    assert len({partition for partition, _ in of_a}) == 1
    part.close()
    with pytest.raises(ValueError, match="the Kafka client is closed"):
        part.write_batch(items)


def test_a_sink_refuses_what_is_no_message(kafka: Kafka) -> None:
    topic = kafka.new_topic("out", 1)
    sink = KafkaSink([kafka.address], topic.name)
    with pytest.raises(TypeError, match=r"takes `\(key, value\)` 2-tuples; got 'text'"):
        write(sink, ["text"])
    with pytest.raises(TypeError, match="the value of a Kafka message must be bytes, str or None"):
        write(sink, [(b"k", 3)])
    assert topic.records() == []


def test_a_sink_reports_what_the_brokers_refuse(kafka: Kafka) -> None:
    topic = kafka.new_topic("out", 1, max_message_bytes="1000")
    with pytest.raises(RuntimeError, match=r"error producing to Kafka topic .*[Mm]essage size"):
        write(KafkaSink([kafka.address], topic.name), [(b"k", b"x" * 5000)])


def test_a_sink_takes_more_than_its_queue_holds(kafka: Kafka) -> None:
    topic = kafka.new_topic("out", 1)
    config = {"queue.buffering.max.messages": "10"}
    sink = KafkaSink([kafka.address], topic.name, add_config=config)
    write(sink, [(None, str(number)) for number in range(100)])
    assert [r.value for r in topic.records()] == [str(n).encode() for n in range(100)]
