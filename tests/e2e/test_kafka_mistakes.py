"""A mistake in a Kafka configuration ends the server at its start, with status 2 and the place."""

import json
from pathlib import Path

import pytest
from harness import KAFKA_PRELUDE, READY, ServeKafka, Server, Start, kafka_pipeline

NOWHERE = ("--kafka_source_brokers", "127.0.0.1:9", "--kafka_sink_brokers", "127.0.0.1:9")
TOPICS = ("--kafka_source_topic", "in", "--kafka_sink_topic", "out")

MISTAKES = {
    "unknown source property": (
        dict(source='source(args, properties={"fetch.mni.bytes": 1})'),
        ["fetch.mni.bytes"],
    ),
    "unknown sink property": (
        dict(sink='sink(args, properties={"lingr.ms": 1})'),
        ["lingr.ms"],
    ),
    "value that is no number": (
        dict(source='source(args, properties={"fetch.min.bytes": "many"})'),
        ["fetch.min.bytes"],
    ),
    "value out of range": (
        dict(sink='sink(args, properties={"retry.backoff.ms": -7})'),
        ["retry.backoff.ms"],
    ),
    "missing certificate of the source": (
        dict(
            source='source(args, properties={"security.protocol": "SSL",'
            ' "ssl.ca.location": "no/such/ca.pem"})'
        ),
        ["ssl.ca.location", "no/such/ca.pem"],
    ),
    "missing certificate of the sink": (
        dict(
            sink='sink(args, properties={"security.protocol": "SSL",'
            ' "ssl.certificate.location": "no/such/cert.pem"})'
        ),
        ["ssl.certificate.location", "no/such/cert.pem"],
    ),
    "certificate that is none": (
        dict(
            source='source(args, properties={"security.protocol": "SSL",'
            ' "ssl.ca.location": "/dev/null"})'
        ),
        ["ssl.ca.location"],
    ),
    "SASL without a password": (
        dict(
            sink='sink(args, properties={"security.protocol": "SASL_SSL",'
            ' "sasl.mechanisms": "PLAIN", "sasl.username": "me"})'
        ),
        ["sasl.password"],
    ),
    "what the server answers for": (
        dict(source='source(args, properties={"enable.auto.commit": True})'),
        ["enable.auto.commit"],
    ),
    "start that is no place": (
        dict(source='source(args, start="middle")'),
        ["start", "middle"],
    ),
    "no size for a message": (
        dict(sink="sink(args, max_message_size=0)"),
        ["max_message_size"],
    ),
    "no encoder": (dict(sink="sink(args, None)"), ["encoder"]),
}

TUPLES = {
    "no brokers": ("('kafka', 'in', [], 'Warn', decoder)", ["brokers"]),
    "a log level of its own": (
        "('kafka', 'in', [('h', '1')], 'Loud', decoder)",
        ["log_level", "Loud"],
    ),
    "an option that there is not": (
        "('kafka', 'in', [('h', '1')], 'Warn', decoder, {'grup': 'g'})",
        ["grup"],
    ),
    "a topic with a space": ("('kafka', 'a b', [('h', '1')], 'Warn', decoder)", ["a b"]),
    "options that the command line lacks": (
        "('kafka-internal', 'kafka_source', decoder)",
        ["pipeline 'main', source", "--kafka_source_topic is missing"],
    ),
    "a tuple of the command line with too much": (
        "('kafka-internal', 'kafka_source', decoder, 3)",
        ["pipeline 'main', source", "kafka-internal"],
    ),
    "too few": ("('kafka', 'in', [('h', '1')], decoder)", ["kafka"]),
}


def check_mistake(server: Server, texts: list[str]) -> None:
    """The server must end with 2, say the texts, and start nothing."""
    assert server.wait() == 2
    for text in texts:
        assert text in server.stderr, server.stderr
    assert READY not in server.stdout and "consuming" not in server.stdout


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_ends_with_2_and_names_the_place(serve_kafka: ServeKafka, name: str) -> None:
    parts, texts = MISTAKES[name]
    server = serve_kafka(kafka_pipeline(**parts), *TOPICS, *NOWHERE, ready=False)
    check_mistake(server, texts)


@pytest.mark.parametrize("name", TUPLES)
def test_mistake_in_a_hand_made_tuple_ends_with_2(serve_kafka: ServeKafka, name: str) -> None:
    source, texts = TUPLES[name]
    text = KAFKA_PRELUDE + (
        "def application_setup(args):\n"
        f"    return [('name', 'test'), ('new_pipeline', 'main', {source}), ('to_sink',\n"
        "        ('kafka', 'out', [('h', '1')], 'Warn', 0, 100000, encoder))]\n"
    )
    check_mistake(serve_kafka(text, ready=False), texts)


def test_all_mistakes_are_reported_together(serve_kafka: ServeKafka) -> None:
    text = kafka_pipeline(
        source='source(args, properties={"no.such.one": 1, "no.such.two": 2})',
        sink='sink(args, properties={"no.such.three": 3})',
    )
    server = serve_kafka(text, *TOPICS, *NOWHERE, ready=False)
    check_mistake(server, ["no.such.one", "no.such.two", "no.such.three", "main"])


def test_message_decoder_over_tcp_is_a_mistake(serve_kafka: ServeKafka) -> None:
    text = kafka_pipeline(
        defs="""\
        @wallaroo.message_decoder
        def told(value, message):
            return value
        """,
        source="tcp_source(args, 0, told)",
    )
    server = serve_kafka(text, "--in", "127.0.0.1:0", *TOPICS, *NOWHERE, ready=False)
    check_mistake(server, ["message_decoder"])


@pytest.mark.parametrize("option", ["--memory-budget=0", "--commit-interval=0"])
def test_impossible_option_is_a_mistake(serve_kafka: ServeKafka, option: str) -> None:
    server = serve_kafka(kafka_pipeline(), *TOPICS, *NOWHERE, option, ready=False)
    check_mistake(server, [option.split("=")[0]])


def test_properties_do_not_show_a_password(serve_kafka: ServeKafka) -> None:
    secret = "do-not-tell"
    text = kafka_pipeline(
        source='source(args, properties={"security.protocol": "SASL_PLAINTEXT",'
        f' "sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "{secret}",'
        ' "ssl.ca.location": "no/such/ca.pem"})'
    )
    server = serve_kafka(text, *TOPICS, *NOWHERE, ready=False)
    check_mistake(server, ["no/such/ca.pem"])
    assert secret not in server.stderr + server.stdout


def test_check_tells_of_topics_without_asking_a_broker(start: Start, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(kafka_pipeline())
    command = ("--application-module", "app", *TOPICS, *NOWHERE)
    human = start(*command, "--check")
    assert human.wait() == 0
    assert "in" in human.stdout and "out" in human.stdout and "127.0.0.1:9" in human.stdout
    machine = start(*command, "--check=json")
    assert machine.wait() == 0
    text = json.dumps(json.loads(machine.stdout))
    assert '"kafka"' in text and '"in"' in text and '"out"' in text
