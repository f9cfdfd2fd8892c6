"""Windows in a Wallaroo pipeline: `ab.to_window(...)` in the real server."""

import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from harness import (
    BINARY,
    LETTERS,
    Client,
    Kafka,
    Reader,
    Receiver,
    Serve,
    ServeKafka,
    Server,
    Start,
    kafka_pipeline,
    newest_epoch,
    one_pipeline,
    wait_letters,
    wait_until,
)
from harness.workers import children, kill

RESILIENT = ("--resilience-dir", "recovery", "--epoch-interval", "0.05")
KEYS = [f"key{n}" for n in range(12)]
TEN_DAYS = 60 * 24 * 10  # in minutes: far enough to close windows of a clock that waits for nine
DEFS = """\
from datetime import UTC, datetime, timedelta

START = datetime(2024, 1, 1, tzinfo=UTC)

def at(item):
    return START + timedelta(minutes=int(item.split()[1]))

@wallaroo.partition
def by_key(item):
    return item.split()[0]

def add(count, item):
    return count + int(item.split()[2])

@wallaroo.computation(name="show")
def show(closed):
    key, (window, count) = closed
    return f"{key} {(window.open_time - START) // timedelta(minutes=1)} {count}"

HOURS = wallaroo.TumblingWindow(length=timedelta(hours=1), align_to=START)
"""


def steps(clock: str, windows: str = "HOURS") -> str:
    return f"""\
ab.to_window("hours", {clock}, {windows}, by_key, int, add)
ab.to(show)
"""


def windowed(clock: str, windows: str = "HOURS") -> str:
    """Returns an application that adds up the numbers of items "KEY MINUTE NUMBER"."""
    return one_pipeline(steps(clock, windows), DEFS)


PATIENT = windowed("wallaroo.EventClockConfig(at, timedelta(days=9))")
EXACT = windowed("wallaroo.EventClockConfig(at, timedelta(0))")


def send(server: Server, *items: str) -> None:
    """Sends items over one connection, and waits until they have run through the pipeline."""
    with Client(server.address()) as client:
        client.send_frames(*items)
        client.finish()
        client.wait_closed()


@pytest.mark.parametrize("workers", [1, 3])
def test_windows_that_are_open_at_a_stop_are_given_when_nothing_keeps_them(
    serve: Serve, receiver: Receiver, workers: int
) -> None:
    server = serve(PATIENT, "--workers", str(workers))
    for number in range(4):
        send(server, *(f"{key} {minute} {number}" for key in KEYS for minute in (1, 61)))
    assert receiver.data == b""
    assert server.terminate() == 0
    receiver.wait_sorted([f"{key} {minute} 6" for key in KEYS for minute in (0, 60)])


def test_a_window_closes_when_its_time_has_come_though_nothing_comes(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(
        windowed("wallaroo.SystemClockConfig()", "wallaroo.SessionWindow(gap=timedelta(seconds=1))")
    )
    send(server, "a 0 1", "a 0 2", "b 0 4")
    lines = receiver.wait_lines(2)
    assert sorted((line.split()[0], line.split()[2]) for line in lines) == [("a", "3"), ("b", "4")]
    assert server.terminate() == 0
    assert receiver.data.count(b"\n") == 2


def cpu_ticks(server: Server) -> int:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_waiting_for_a_window_costs_no_processor_time(serve: Serve, receiver: Receiver) -> None:
    server = serve(windowed("wallaroo.SystemClockConfig()"))
    send(server, *(f"{key} 0 1" for key in KEYS))
    before, began = cpu_ticks(server), time.monotonic()
    wait_until(lambda: time.monotonic() > began + 3, lambda: "time does not pass")
    assert cpu_ticks(server) - before <= 3, "hundredths of a second in three"
    assert server.terminate() == 0
    assert len(receiver.wait_lines(len(KEYS))) == len(KEYS)


def test_late_records_are_counted_and_logged(serve: Serve, receiver: Receiver) -> None:
    server = serve(EXACT)
    send(server, "a 1 1", "a 61 2", "a 2 4", "b 1 8")
    assert receiver.wait_lines(1) == ["a 0 1"]
    assert server.terminate() == 0
    assert server.log_lines("step 'hours': an item of key 'a' came late")
    assert server.summary()["late records"] == 1
    assert sorted(receiver.wait_lines(3)) == ["a 0 1", "a 60 2", "b 0 8"]


def test_what_user_code_fails_on_is_a_dead_letter(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    server = serve(PATIENT, *LETTERS)
    send(server, "a 1 1", "a x 1", "a 2 y", "a 3 3")
    assert server.terminate() == 0
    assert receiver.wait_lines(1) == ["a 0 4"]
    assert [letter["step"] for letter in wait_letters(tmp_path, 2)] == ["hours", "hours"]
    assert server.summary()["dead letters"] == 2


@pytest.mark.parametrize("workers", [1, 3])
def test_open_windows_and_watermarks_survive_a_kill(
    serve: Serve, receiver: Receiver, tmp_path: Path, workers: int
) -> None:
    options = (*RESILIENT, "--workers", str(workers))
    server = serve(PATIENT, *options)
    send(server, *(f"{key} 1 1" for key in KEYS))
    server.wait_for(lambda: newest_epoch(tmp_path / "recovery") > 0, "an epoch")
    send(server, *(f"{key} 2 2" for key in KEYS))  # in an epoch, or in the journal
    server.kill()
    server = serve(PATIENT, *options)
    send(server, *(f"{key} 3 4" for key in KEYS), *(f"{key} {TEN_DAYS} 8" for key in KEYS))
    receiver.wait_sorted([f"{key} 0 7" for key in KEYS])
    assert server.terminate() == 0


@pytest.mark.parametrize("kind", ["kill", "terminate"])
def test_time_that_passes_while_the_server_is_down_has_passed_for_the_clocks(
    serve: Serve, receiver: Receiver, tmp_path: Path, kind: str
) -> None:
    gap_s = 3.0
    session = f"wallaroo.SessionWindow(gap=timedelta(seconds={gap_s}))"
    text = windowed("wallaroo.EventClockConfig(at, timedelta(0))", session)
    server = serve(text, *RESILIENT)
    send(server, "a 1 1")
    came, before = time.monotonic(), newest_epoch(tmp_path / "recovery")
    server.wait_for(lambda: newest_epoch(tmp_path / "recovery") > before + 1, "an epoch behind it")
    if kind == "kill":
        server.kill()
    else:
        assert server.terminate() == 0
    wait_until(lambda: time.monotonic() > came + gap_s, "the end of the gap")
    server = serve(text, *RESILIENT)
    send(server, "a 1 2")  # too late for that session: the watermark has gone on
    assert receiver.wait_lines(1) == ["a 1 1"]
    assert server.terminate() == 0


def test_windows_are_pickled_although_the_application_serializes_its_states(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    text = f"""{PATIENT}
def serialize(state):
    raise ValueError("not for windows")

def deserialize(data):
    raise ValueError("not for windows")
"""
    server = serve(text, *RESILIENT)
    send(server, "a 1 1")
    server.wait_for(lambda: newest_epoch(tmp_path / "recovery") > 0, "an epoch")
    server.kill()
    server = serve(text, *RESILIENT)
    send(server, "a 2 2", f"a {TEN_DAYS} 8")
    assert receiver.wait_lines(1) == ["a 0 3"]
    assert server.terminate() == 0


def test_a_stop_keeps_open_windows_in_the_store_and_another_number_of_workers_goes_on(
    serve: Serve, receiver: Receiver
) -> None:
    minutes = {1: 1, 3: 2, 2: 4}
    for workers, number in minutes.items():
        server = serve(PATIENT, *RESILIENT, "--workers", str(workers))
        send(server, *(f"{key} {number} {number}" for key in KEYS))
        assert server.terminate() == 0
    assert receiver.data == b""
    server = serve(PATIENT, *RESILIENT, "--workers", "3")
    send(server, *(f"{key} {TEN_DAYS} 8" for key in KEYS))
    receiver.wait_sorted([f"{key} 0 {sum(minutes.values())}" for key in KEYS])
    assert server.terminate() == 0


def test_windows_move_with_their_keys_when_a_running_server_is_scaled(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    server = serve(PATIENT, *RESILIENT, "--workers", "1")
    send(server, *(f"{key} 1 1" for key in KEYS))
    subprocess.run(
        [BINARY, "scale", "3", str(tmp_path / "recovery")],
        capture_output=True,
        text=True,
        check=True,
    )
    send(server, *(f"{key} 2 2" for key in KEYS), *(f"{key} {TEN_DAYS} 8" for key in KEYS))
    receiver.wait_sorted([f"{key} 0 3" for key in KEYS])
    assert server.terminate() == 0


def test_a_replaced_worker_begins_its_windows_anew_and_the_others_keep_theirs(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(PATIENT, "--workers", "3")
    send(server, *(f"{key} 1 1" for key in KEYS))
    kill(children(server)[1])
    server.wait_for(lambda: server.stderr.count("3 workers are ready") == 2, "a replacement")
    send(server, *(f"{key} 2 2" for key in KEYS), *(f"{key} {TEN_DAYS} 8" for key in KEYS))
    wait_until(
        lambda: receiver.data.count(b"\n") >= len(KEYS),
        lambda: f"a line of each key; there is {receiver.data!r}",
    )
    lines = sorted(receiver.data.decode().splitlines())
    assert sorted(line.split()[0] for line in lines) == sorted(KEYS)
    assert {line.split()[1] for line in lines} == {"0"}
    assert {line.split()[2] for line in lines} == {"2", "3"}  # without what the killed one had
    assert server.terminate() == 0


def test_windows_between_topics_are_given_exactly_once_over_kills(
    serve_kafka: ServeKafka, kafka: Kafka, tmp_path: Path
) -> None:
    clock = "wallaroo.EventClockConfig(at, timedelta(days=9))"
    text = kafka_pipeline(steps(clock), DEFS)
    source, sink = kafka.new_topic("in", 3), kafka.new_topic("out", 2)
    for minute in range(3):
        server = serve_kafka(text, *RESILIENT, "--workers", "2", source=source, sink=sink)
        before = newest_epoch(tmp_path / "recovery")
        source.produce_keyed((key, f"{key} {minute} 1") for key in KEYS for _ in range(20))
        server.wait_for(lambda b=before: newest_epoch(tmp_path / "recovery") > b, "an epoch")
        server.kill()
    server = serve_kafka(text, *RESILIENT, "--workers", "3", source=source, sink=sink)
    source.produce_keyed((key, f"{key} {TEN_DAYS} 1") for key in KEYS)
    values = sorted(value.decode() for value in sink.wait_values(len(KEYS)))
    assert values == sorted(f"{key} 0 60" for key in KEYS)
    assert server.terminate() == 0
    with closing(Reader(sink)) as reader:
        assert len(reader.read_new()) == len(KEYS)


def test_user_code_that_fails_at_a_stop_ends_the_server_if_it_is_to(
    serve: Serve, receiver: Receiver
) -> None:
    """Sessions are folded when they close."""
    server = serve(
        windowed("wallaroo.SystemClockConfig()", "wallaroo.SessionWindow(gap=timedelta(hours=1))"),
        "--on-error",
        "stop",
    )
    send(server, "a 1 1", "a 1 x")
    assert server.terminate() == 1
    assert server.log_lines("step 'hours'", "stopping (--on-error=stop)")


def test_check_shows_windows_and_their_mistakes(start: Start, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PATIENT)
    arguments = ("--application-module", "app", "--in", "127.0.0.1:0", "--out", "127.0.0.1:9")
    shown = start(*arguments, "--check")
    assert shown.wait() == 0
    assert "'hours' (to_window), sliding windows of each key, fold, event time" in shown.stdout
    (tmp_path / "app.py").write_text(PATIENT.replace("by_key, int, add", "print, int"))
    refused = start(*arguments, "--check")
    assert refused.wait() == 2
    assert refused.log_lines("missing partition method", "to_window('hours')", "app.py:")
    assert refused.log_lines("there is no folder", "to_window('hours')", "app.py:")
