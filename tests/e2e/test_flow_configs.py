"""Dataflows that read and write what Wallaroo's source and sink configurations name."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import BINARY, Client, Kafka, NewReceiver, Receiver, frames, wait_until
from harness.flow_processes import addresses

RUN_S_MAX = 100
PRELUDE = """
import wallaroo
from bytewax.dataflow import Dataflow

@wallaroo.decoder(header_length=2, length_fmt=">H")
def decode(payload):
    return None if payload == b"drop" else payload.decode()

@wallaroo.message_decoder
def decode_message(value, message):
    return f"{message.topic} {message.partition} {message.offset} {message.key} {value}"

@wallaroo.encoder
def line(item):
    return None if "quiet" in item else f"{item}\\n"

@wallaroo.encoder
def keyed(item):
    return f"{item}!", item[:1]

def count(state, item):
    return state + 1, f"{item} {state + 1}"

def by_itself(item):
    return item, item

flow = Dataflow()
"""
COUNTING = """
flow.map("key", by_itself)
flow.stateful_map("count", int, count)
flow.map("value", lambda pair: pair[1])
"""


class Running:
    """A process that runs the dataflow of app.py; ended when the test is over."""

    def __init__(self, command: list[str], directory: Path, number: int) -> None:
        self.log = directory / f"log-{number}"
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=directory,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
        )

    @property
    def text(self) -> str:
        return self.log.read_text()

    def address(self) -> tuple[str, int]:
        """Waits until it listens; returns where."""
        wait_until(lambda: "listening on" in self.text, lambda: self.text)
        address = self.text.rpartition("listening on ")[2].split()[0]
        host, _, port = address.rpartition(":")
        return host, int(port)

    def ended(self) -> int:
        return self.process.wait(RUN_S_MAX)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.ended()


Runs = Callable[..., Running]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Runs]:
    """A function (text, *flags, machida=False) -> Running."""
    running: list[Running] = []

    def begin(text: str, *flags: str, machida: bool = False) -> Running:
        (tmp_path / "app.py").write_text(PRELUDE + text)
        command = [BINARY, "run"] if machida else [sys.executable, "-m", "bytewax.run"]
        words = [*(str(part) for part in command), "app:flow", *flags]
        running.append(Running(words, tmp_path, len(running)))
        return running[-1]

    yield begin
    for each in running:
        each.process.kill()
        each.process.wait()


def make_recovery(directory: Path) -> tuple[str, str]:
    """Makes recovery partitions; returns the flags that name them."""
    (directory / "recovery").mkdir()
    command = [sys.executable, "-m", "bytewax.recovery", "recovery", "2"]
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, cwd=directory, env=path, check=True, timeout=RUN_S_MAX)
    return "-r", "recovery"


def tcp_flow(receiver: Receiver, steps: str = "") -> str:
    host, port = receiver.address.rsplit(":", 1)
    return f"""
flow.input("in", wallaroo.TCPSourceConfig("127.0.0.1", "0", decode))
{steps}
flow.output("out", wallaroo.TCPSinkConfig("{host}", "{port}", line))
"""


def say(address: tuple[str, int], *payloads: str) -> None:
    """Sends frames over one connection, and waits until they have been processed."""
    with Client(address) as client:
        client.send(frames(*payloads, fmt=">H"))
        client.finish()
        client.wait_closed()


@pytest.mark.parametrize("machida", [False, True])
def test_frames_are_decoded_and_outputs_encoded_until_a_signal_ends_the_flow(
    run: Runs, receiver: Receiver, machida: bool
) -> None:
    running = run(tcp_flow(receiver), machida=machida)
    address = running.address()
    say(address, "a", "drop", "", "quiet")
    say(address, *(f"{number}" for number in range(300)))
    assert running.terminate() == 0
    assert receiver.data.decode().splitlines() == ["a", "", *(str(n) for n in range(300))]
    assert "a crash loses what was read over TCP" in running.text


def cpu_s(process: subprocess.Popen) -> float:
    """Returns the processor time that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_port_costs_next_to_nothing(run: Runs, receiver: Receiver) -> None:
    running = run(tcp_flow(receiver))
    say(running.address(), "a")
    assert receiver.wait_lines(1) == ["a"]
    before, began = cpu_s(running.process), time.monotonic()
    wait_until(lambda: time.monotonic() > began + 4, "four seconds")
    assert cpu_s(running.process) - before <= 0.04 * (time.monotonic() - began) / 4
    assert running.terminate() == 0


def test_workers_share_one_port_and_each_writes(run: Runs, receiver: Receiver) -> None:
    running = run(tcp_flow(receiver, COUNTING), "-w", "2")
    address = running.address()
    words = [f"word{number}" for number in range(20)]
    for _ in range(3):
        say(address, *words)
    receiver.wait_sorted([f"{word} {count}" for word in words for count in (1, 2, 3)])
    assert running.text.count("listening on") == 1
    assert len(receiver.connections) == 2
    assert running.terminate() == 0


def test_bytes_that_make_no_sense_close_their_connection_only(
    run: Runs, receiver: Receiver
) -> None:
    text = tcp_flow(receiver).replace('0", decode', '0", wide')
    wide = '@wallaroo.decoder(header_length=4, length_fmt=">i")\ndef wide(payload):\n'
    running = run(f"{wide}    return payload.decode()\n{text}")
    address = running.address()
    for bad in (b"\xff\xff\xff\xff", b"GET / HTTP/1.0\r\n\r\n", b"\x00\x00\x00\x05abc"):
        with Client(address) as client:
            client.send(bad)
            client.finish()
            client.wait_closed()
    with Client(address) as client:
        client.send(frames("fine"))
        assert receiver.wait_lines(1) == ["fine"]
    assert running.text.count("is closed: ") == 3
    assert running.terminate() == 0


def test_a_receiver_that_was_away_gets_everything(run: Runs, new_receiver: NewReceiver) -> None:
    receiver = new_receiver()
    running = run(tcp_flow(receiver))
    address = running.address()
    say(address, "one")
    assert receiver.wait_lines(1) == ["one"]
    receiver.stop()
    with Client(address) as client:
        client.send(frames("two", fmt=">H"))
        client.send(frames("three", fmt=">H"))
        client.send(frames("four", fmt=">H"))
        wait_until(lambda: "can't be reached" in running.text, lambda: running.text)
        receiver.start()
        wait_until(lambda: b"four\n" in receiver.data, lambda: str(receiver.data))
    assert running.terminate() == 0
    got = receiver.data.decode().splitlines()
    assert list(dict.fromkeys(got)) == ["one", "two", "three", "four"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_ends_a_flow_whose_receiver_is_not_there(
    run: Runs, new_receiver: NewReceiver, workers: str
) -> None:
    receiver = new_receiver()
    receiver.stop()
    running = run(tcp_flow(receiver), "-w", workers)
    wait_until(lambda: running.text.count("can't be reached") == int(workers), lambda: running.text)
    running.process.send_signal(signal.SIGTERM)
    assert abs(running.ended()) in (signal.SIGTERM, 128 + signal.SIGTERM)  # nothing was started
    assert "Traceback" not in running.text


PATIENCE = "from wallaroo.flows import tcp_sender\ntcp_sender.CLOSE_S_MAX = 0.3\n"
MUCH = 32 << 20  # more than the buffers of a connection take


def test_a_signal_ends_a_flow_whose_receiver_does_not_read(
    run: Runs, new_receiver: NewReceiver
) -> None:
    receiver = new_receiver(rcvbuf_bytes=4096)
    receiver.pause()
    much = f'flow.map("much", lambda item: print("made", flush=True) or item * {MUCH})'
    running = run(PATIENCE + tcp_flow(receiver, much))
    with Client(running.address()) as client:
        client.send(frames("x", fmt=">H"))
        wait_until(lambda: "made" in running.text, lambda: running.text)
        running.process.send_signal(signal.SIGTERM)
    assert running.ended() == 1
    assert "did not take the last outputs within 0.3 s" in running.text
    assert "dropped 1 outputs" in running.text


def lose(receiver: Receiver, running: Running) -> None:
    """Waits for an output, ends the receiver, and lets the dataflow have outputs for it."""
    address = running.address()
    say(address, "one")
    assert receiver.wait_lines(1) == ["one"]
    receiver.stop()
    with Client(address) as client:
        client.send(frames("two", "three", "four", fmt=">H"))
        wait_until(lambda: "can't be reached" in running.text, lambda: running.text)


@pytest.mark.parametrize("recovers", [False, True])
def test_a_signal_ends_a_flow_whose_receiver_went_away_and_stays_away(
    run: Runs, new_receiver: NewReceiver, tmp_path: Path, recovers: bool
) -> None:
    receiver = new_receiver()
    flags = (*make_recovery(tmp_path), "-s", "1") if recovers else ()
    running = run(PATIENCE + tcp_flow(receiver), *flags)
    lose(receiver, running)
    running.process.send_signal(signal.SIGTERM)
    assert running.ended() == 1
    assert "did not take the last outputs within 0.3 s" in running.text
    assert 'in step "out"' in running.text or "in step 'out'" in running.text


def test_a_signal_to_one_process_ends_all_also_the_one_that_waits_for_its_receiver(
    run: Runs, new_receiver: NewReceiver, tmp_path: Path
) -> None:
    receiver = new_receiver()
    arguments = ("-a", addresses(tmp_path, 2), "-i")
    waits, other = [run(PATIENCE + tcp_flow(receiver), *arguments, index) for index in "01"]
    lose(receiver, waits)
    assert other.terminate() == 1
    assert waits.ended() == 1
    assert "did not take the last outputs within 0.3 s" in waits.text


def test_a_process_that_ends_before_the_receiver_was_there_ends_the_one_that_waits_for_it(
    run: Runs, new_receiver: NewReceiver, tmp_path: Path
) -> None:
    receiver = new_receiver()
    receiver.stop()
    arguments = ("-a", addresses(tmp_path, 2), "-i")
    waits, other = [run(PATIENCE + tcp_flow(receiver), *arguments, index) for index in "01"]
    for each in (waits, other):
        wait_until(lambda each=each: "can't be reached" in each.text, lambda: waits.text)
    assert abs(other.terminate()) in (signal.SIGTERM, 128 + signal.SIGTERM)
    assert waits.ended() == 1
    assert "could not be reached within 0.3 s" in waits.text


def test_states_behind_a_tcp_source_survive_a_stop(
    run: Runs, receiver: Receiver, tmp_path: Path
) -> None:
    flags = (*make_recovery(tmp_path), "-s", "1")
    for _ in range(2):
        running = run(tcp_flow(receiver, COUNTING), *flags)
        say(running.address(), "a", "b")
        assert running.terminate() == 0
    receiver.wait_sorted(["a 1", "b 1", "a 2", "b 2"])


def test_what_the_decoder_raises_ends_the_flow_with_its_place(
    run: Runs, receiver: Receiver
) -> None:
    text = "@wallaroo.decoder\ndef fails(payload):\n    raise LookupError('no such thing')\n"
    running = run(text + tcp_flow(receiver).replace('0", decode', '0", fails'))
    with Client(running.address()) as client:
        client.send(frames("x"))
        assert running.ended() == 1
    assert "LookupError: no such thing" in running.text
    assert 'in step "in"' in running.text


def kafka_flow(kafka: Kafka, topic_in: str, topic_out: str, decoder: str, steps: str = "") -> str:
    host, port = kafka.address.rsplit(":", 1)
    return f"""
brokers = [("{host}", "{port}")]
flow.input("in", wallaroo.KafkaSourceConfig("{topic_in}", brokers, "Warn", {decoder}))
{steps}
flow.output("out", wallaroo.KafkaSinkConfig("{topic_out}", brokers, "Warn", keyed))
"""


def test_messages_are_decoded_with_key_and_place_and_encoded_with_a_key(
    run: Runs, kafka: Kafka
) -> None:
    topic, out = kafka.new_topic("in", 1), kafka.new_topic("out", 2)
    topic.produce_keyed([("k", "one"), (None, "two")])
    running = run(kafka_flow(kafka, topic.name, out.name, "decode_message"), machida=True)
    wait_until(lambda: len(out.records()) == 2, lambda: running.text)
    assert sorted((record.key, record.value) for record in out.records()) == sorted(
        (topic.name[:1].encode(), f"{topic.name} 0 {offset} {key} {value}!".encode())
        for offset, key, value in ((0, b"k", b"one"), (1, None, b"two"))
    )
    assert running.terminate() == 0


def test_a_group_which_a_dataflow_does_not_use_is_said_once(run: Runs, kafka: Kafka) -> None:
    topic, out = kafka.new_topic("in", 2), kafka.new_topic("out", 1)
    topic.produce_keyed([("k", "one")])
    flow = kafka_flow(kafka, topic.name, out.name, 'decode, group="mine"')
    running = run(flow, "-w", "2")
    wait_until(lambda: len(out.records()) == 1, lambda: running.text)
    assert running.terminate() == 0
    assert running.text.count("the consumer group 'mine' is not used") == 1


def test_without_partitions_to_go_on_from_each_run_begins_at_the_start(
    run: Runs, kafka: Kafka
) -> None:
    topic, out = kafka.new_topic("in", 2), kafka.new_topic("out", 1)
    topic.produce_keyed([("k", "one")])
    for runs in (1, 2):
        running = run(kafka_flow(kafka, topic.name, out.name, "decode"))
        wait_until(lambda n=runs: len(out.records()) == n, lambda r=running: r.text)
        assert running.terminate() == 0
    assert [record.value for record in out.records()] == [b"one!", b"one!"]


def test_offsets_are_part_of_the_epoch_and_survive_kills(
    run: Runs, kafka: Kafka, tmp_path: Path
) -> None:
    topic, out = kafka.new_topic("in", 4), kafka.new_topic("out", 2)
    words = [f"word{number}" for number in range(40)]
    flags = (*make_recovery(tmp_path), "-s", "1")
    flow = kafka_flow(kafka, topic.name, out.name, "decode", COUNTING)
    for round_, workers in enumerate(("2", "1", "3"), start=1):
        running = run(flow, *flags, "-w", workers)
        topic.produce_keyed([(word, word) for word in words])
        wait_until(
            lambda r=round_: (
                {f"{w} {r}!".encode() for w in words} <= {record.value for record in out.records()}
            ),
            lambda r=running: r.text,
        )
        if workers == "1":
            running.process.kill()
            running.ended()
        else:
            assert running.terminate() == 0
    seen = Counter(record.value for record in out.records())
    assert set(seen) == {f"{word} {count}!".encode() for word in words for count in (1, 2, 3)}
