"""What is wrong with a topology is said before anything starts, all at once."""

import json
from pathlib import Path

import pytest
from harness import PRELUDE, Receiver, Serve, Server, one_pipeline

SETUP = "def application_setup(args):\n"
TWO_STATES = (
    PRELUDE
    + """
@wallaroo.computation_multi(name="split words")
def split(data):
    return data.split()

@wallaroo.state_computation(name="count word")
def count(data, state):
    return data, True

@wallaroo.state_computation(name="total up")
def total(data, state):
    return data, True

@wallaroo.partition
def by_word(data):
    return data

def application_setup(args):
    ab = wallaroo.ApplicationBuilder("The Application")
    ab.new_pipeline("words in", source(args, 0))
    ab.to(split)
    ab.to_state_partition(count, dict, "word counts", by_word, ["a", "b"])
    ab.to_sink(sink(args))
    ab.new_pipeline("numbers in", source(args, 1))
    ab.to_stateful(total, list, "grand total")
    ab.done()
    return ab.build()
"""
)


def mistake(serve: Serve, text: str, *options: str) -> Server:
    """Starts the server on a wrong application; it must end with 2 and have listened nowhere."""
    server = serve(text, *options, ready=False)
    assert server.wait() == 2, server.describe()
    assert "listening on" not in server.stdout
    assert "successfully initialized" not in server.stdout
    return server


def test_all_mistakes_of_a_hand_made_list_are_reported_together(
    serve: Serve, receiver: Receiver
) -> None:
    text = (
        PRELUDE
        + """
class NoDecode:
    def header_length(self): return 4
    def payload_length(self, bs): return 1

class LongHeader:
    def header_length(self): return 9
    def payload_length(self, bs): return 1
    def decode(self, bs): return bs

def undecorated(data):
    return data

@wallaroo.computation(name="fine")
def fine(data):
    return data

def application_setup(args):
    return [
        ("name", "wrong"),
        ("to", fine),
        ("new_pipeline", "first", ("tcp", "127.0.0.1", "no port", decoder)),
        ("to", undecorated),
        ("to", 17),
        ("paint", "it", "black"),
        "not a tuple",
        ("to_state_partition", fine, 5, "state", by_nothing, ["a"])
            if False else ("to_stateful", fine),
        ("to_sink", ("tcp", "127.0.0.1", "99999", encoder)),
        ("to", fine),
        ("new_pipeline", "second", ("tcp", "127.0.0.1", "0", NoDecode())),
        ("to_sinks", []),
        ("new_pipeline", "second", ("carrier pigeon", "coop", decoder)),
        ("to_sink", ("tcp", "127.0.0.1", "7002", object())),
        ("new_pipeline", "third", ("tcp", "127.0.0.1", "0", LongHeader())),
    ]
"""
    )
    errors = mistake(serve, text).stderr
    for part in [
        "fine",
        "no port",
        "undecorated",
        "17",
        "paint",
        "not a tuple",
        "to_stateful",
        "99999",
        "after a sink",
        "decode",
        "to_sinks",
        "carrier pigeon",
        "encode",
        "header_length",
        "9",
        "third",
    ]:
        assert part in errors, f"{part} is missing in:\n{errors}"
    assert receiver.connections == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return None", "list"),
        ("return 5", "list"),
        ("return []", "pipeline"),
        ("return [('name', 'x')]", "at least 1 pipeline"),
        (
            "return [('new_pipeline', 'p', ('tcp', '127.0.0.1', '0', decoder)), ('done',)]",
            "At least one pipeline must define a sink",
        ),
        (
            "return [('new_pipeline', 'p', ('tcp', '127.0.0.1', '0', decoder))]",
            "Did you forget to close out a pipeline?",
        ),
        (
            "return [('new_pipeline', 'p', ('tcp', '127.0.0.1', '0', decoder)),"
            " ('to_state_partition', 1, dict, 's', 2, ['k', 'k', []]), ('done',)]",
            "'k'",
        ),
    ],
)
def test_list_that_is_no_application(serve: Serve, body: str, said: str) -> None:
    server = mistake(serve, PRELUDE + SETUP + f"    {body}\n")
    assert said in server.stderr


@pytest.mark.parametrize(
    ("header_length", "length_fmt"),
    [(4, ">H"), (4, ">f"), (9, ">Q"), (0, ""), (4, "s"), (4, "nonsense")],
)
def test_header_format_that_cannot_work(serve: Serve, header_length: int, length_fmt: str) -> None:
    defs = f"""\
    @wallaroo.decoder(header_length={header_length}, length_fmt={length_fmt!r})
    def odd(payload):
        return payload.decode()
    """
    server = mistake(serve, one_pipeline(defs=defs, decoder="odd"))
    assert "header_length" in server.stderr or "length_fmt" in server.stderr
    assert "app.py:" in server.stderr


def test_header_of_a_decoder_for_kafka_does_not_count(serve: Serve) -> None:
    text = (
        PRELUDE
        + """
@wallaroo.decoder(header_length=0, length_fmt=">I")
def whole(value):
    return value

def application_setup(args):
    ab = wallaroo.ApplicationBuilder("kafka")
    brokers = [("127.0.0.1", "9")]
    ab.new_pipeline("main", wallaroo.KafkaSourceConfig("words", brokers, "Warn", whole))
    ab.to_sink(sink(args))
    return ab.build()
"""
    )
    assert serve(text, "--check", ready=False).wait() == 0


def test_builder_mistake_names_pipeline_and_step(serve: Serve) -> None:
    defs = "def undecorated(data):\n    return data\n"
    server = mistake(serve, one_pipeline("ab.to(undecorated)", defs))
    assert "undecorated" in server.stderr and "main" in server.stderr


def test_step_before_a_pipeline_keeps_the_original_message(serve: Serve) -> None:
    text = PRELUDE + SETUP + '    return wallaroo.ApplicationBuilder("x").to(None).build()\n'
    server = mistake(serve, text)
    assert "Please declare a new pipeline before adding computation steps." in server.stderr


def test_check_prints_the_topology_and_starts_nothing(serve: Serve, receiver: Receiver) -> None:
    server = serve(TWO_STATES, "--check", inputs="127.0.0.1:0,127.0.0.1:7010", ready=False)
    assert server.wait() == 0
    for name in [
        "The Application",
        "words in",
        "numbers in",
        "split words",
        "count word",
        "total up",
        "word counts",
        "grand total",
        "127.0.0.1:7010",
        receiver.address,
    ]:
        assert name in server.stdout, name
    assert "listening on" not in server.stdout
    assert "successfully" not in server.stdout
    assert receiver.connections == []


def test_check_json_prints_the_topology_for_programs(serve: Serve, receiver: Receiver) -> None:
    server = serve(TWO_STATES, "--check=json", inputs="127.0.0.1:0,127.0.0.1:7010", ready=False)
    assert server.wait() == 0
    plan = json.loads(server.stdout)
    assert plan["application"] == "The Application"
    words, numbers = plan["pipelines"]
    assert words["name"] == "words in"
    assert [step["name"] for step in words["steps"]] == ["split words", "count word"]
    assert words["steps"][1]["state"] == "word counts"
    assert [sink["port"] for sink in words["sinks"]] == [receiver.port]
    assert numbers["source"]["port"] == 7010
    assert numbers["sinks"] == []
    assert {state["name"] for state in plan["states"]} == {"word counts", "grand total"}
    assert receiver.connections == []


def test_check_finds_mistakes(serve: Serve) -> None:
    mistake(serve, PRELUDE + SETUP + "    return []\n", "--check")
    mistake(serve, PRELUDE + SETUP + "    return []\n", "--check=json")


def test_check_does_not_need_the_ports(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(), "--check", inputs=receiver.address, ready=False)
    assert server.wait() == 0


def test_check_does_not_touch_the_dead_letter_file(serve: Serve, tmp_path: Path) -> None:
    server = serve(one_pipeline(), "--check", "--dead-letters", "letters", ready=False)
    assert server.wait() == 0
    assert not (tmp_path / "letters").exists()
