"""Texts of application modules that speak to Kafka."""

from textwrap import dedent, indent

from harness.apptext import COUNT
from harness.topic import Topic

KAFKA_PRELUDE = """\
import json
import sys

import wallaroo


@wallaroo.decoder()
def decoder(value):
    return value.decode()


@wallaroo.encoder
def encoder(data):
    return data.encode(), None


@wallaroo.encoder
def lines(data):
    return f"{data}\\n"


def source(args, decoder=decoder, **options):
    topic, brokers, log_level = wallaroo.kafka_parse_source_options(args)
    options.setdefault("group", topic)  # so that tests do not wait for members of others
    return wallaroo.KafkaSourceConfig(topic, brokers, log_level, decoder, **options)


def sink(args, encoder=encoder, **options):
    topic, brokers, log_level, buffer_ms, size = wallaroo.kafka_parse_sink_options(args)
    options = {"max_produce_buffer_ms": buffer_ms, "max_message_size": size, **options}
    return wallaroo.KafkaSinkConfig(topic, brokers, log_level, encoder=encoder, **options)


def tcp_source(args, index=0, decoder=decoder):
    return wallaroo.TCPSourceConfig(*wallaroo.tcp_parse_input_addrs(args)[index], decoder)


def tcp_sink(args, index=0, encoder=lines):
    return wallaroo.TCPSinkConfig(*wallaroo.tcp_parse_output_addrs(args)[index], encoder)


"""

COUNT_PAIRS = (
    COUNT.replace('f"{data} {state.count}"', "(data, state.count)")
    + """
@wallaroo.encoder
def counted(data):
    word, count = data
    return str(count).encode(), word
"""
)
"""A running count per word; steps=COUNT_STEP, sink="sink(args, counted)"."""


def kafka_pipeline(
    steps: str = "",
    defs: str = "",
    source: str = "source(args)",
    sink: str = "sink(args)",
    name: str = "test",
) -> str:
    """Returns a module with the application `name` of one pipeline, "main", Kafka to Kafka.

    steps: statements that add steps to the builder `ab`. defs: what they need, in front.
    source, sink: expressions; those of the prelude turn a value into str and back. The group of the
    prelude's source is the name of its topic, unless it is given one.
    """
    setup = f"""\
def application_setup(args):
    ab = wallaroo.ApplicationBuilder({name!r})
    ab.new_pipeline("main", {source})
{indent(dedent(steps), "    ")}
    ab.to_sink({sink})
    return ab.build()
"""
    return f"{KAFKA_PRELUDE}{dedent(defs)}\n\n{setup}"


def kafka_arguments(source: Topic | None = None, sink: Topic | None = None) -> list[str]:
    """Returns the command line from which the prelude's source() and sink() know their topics."""
    arguments: list[str] = []
    for kind, topic in (("source", source), ("sink", sink)):
        if topic is not None:
            arguments += [f"--kafka_{kind}_topic", topic.name]
            arguments += [f"--kafka_{kind}_brokers", topic.clients.address]
    return arguments
