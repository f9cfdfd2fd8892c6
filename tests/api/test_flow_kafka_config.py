"""What the Kafka source and sink of dataflows take and refuse, without a broker."""

import pytest
from bytewax.connectors.kafka import KafkaInput, KafkaOutput, KafkaSink, KafkaSource


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: KafkaSource("h:1", ["t"]), TypeError, "brokers must be an iterable and not a str"),
        (lambda: KafkaSource(["h:1"], "t"), TypeError, "topics must be an iterable and not a str"),
        (lambda: KafkaSource(3, ["t"]), TypeError, "brokers must be an iterable"),
        (lambda: KafkaSource([], ["t"]), ValueError, "brokers must not be empty"),
        (lambda: KafkaSource(["h:1"], []), ValueError, "topics must not be empty"),
        (lambda: KafkaSource(["h:1"], [3]), TypeError, "argument 'topics': 'int' object"),
        (lambda: KafkaSource(["h:1"], ["t"], batch_size=0), ValueError, "'batch_size': must be 1"),
        (lambda: KafkaSink("h:1", "t"), TypeError, "brokers must be an iterable and not a str"),
        (lambda: KafkaSink(["h:1"], ["t"]), TypeError, "argument 'topic': 'list' object"),
    ],
)
def test_a_wrong_argument_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_sources_and_sinks_are_made_without_a_broker():
    source = KafkaSource(
        brokers=["h:1", "h:2"],
        topics=iter(["t"]),
        tail=False,
        starting_offset=-1,
        add_config={"security.protocol": "plaintext"},
        batch_size=10,
    )
    assert isinstance(source, KafkaInput)
    sink = KafkaSink(brokers=["h:1"], topic="t", add_config={"linger.ms": "5"})
    assert isinstance(sink, KafkaOutput)


def test_brokers_that_are_away_are_an_error(monkeypatch):
    monkeypatch.setattr("wallaroo.flows.kafka._TIMEOUT_S", 0.2)
    source = KafkaSource(["127.0.0.1:9"], ["t"])
    with pytest.raises(RuntimeError, match="error listing partitions for Kafka topic `'t'`: Local"):
        source.list_parts()
