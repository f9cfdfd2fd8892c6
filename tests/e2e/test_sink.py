"""A TCP sink that is away, dies or comes back loses nothing that was accepted meanwhile."""

from pathlib import Path

from harness import (
    Client,
    NewReceiver,
    Receiver,
    Serve,
    Server,
    frames,
    one_pipeline,
    wait_until,
)

# Each record is a line of its number, filled up so that many lines make many writes.
LINES = """\
@wallaroo.encoder
def line(data):
    return data + "." * 80 + "\\n"
"""


def numbers(lines: list[str]) -> list[int]:
    """Returns the numbers in the lines that the application above wrote."""
    assert all(line.endswith("." * 80) for line in lines)
    return [int(line.rstrip(".")) for line in lines]


def kill(receiver: Receiver, server: Server) -> None:
    """Stops the receiver and waits until the server says that it noticed."""
    lost = (receiver.address, "connection lost")
    before = len(server.log_lines(*lost))
    receiver.stop()
    server.wait_for(lambda: len(server.log_lines(*lost)) > before, "news of the loss")
    receiver.connections.clear()


def failed_attempts() -> int:
    """Returns how many outgoing TCP connections have failed on this machine since its start."""
    counters = Path("/proc/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in counters if line.startswith("Tcp:"))
    return int(values[names.index("AttemptFails")])


def test_server_waits_for_a_sink_that_is_not_up_and_says_so_once(
    serve: Serve, new_receiver: NewReceiver
) -> None:
    late = new_receiver(start=False)
    server = serve(one_pipeline(), out=late, ready=False)
    server.wait_for(lambda: server.log_lines(late.address), "a log line about the sink")
    assert "listening on" not in server.stdout
    before = failed_attempts()
    wait_until(lambda: failed_attempts() >= before + 3, "three more attempts to connect")
    assert len(server.log_lines(late.address)) == 1
    assert "listening on" not in server.stdout
    late.start()
    server.ready()
    with Client(server.address()) as client:
        client.send_frames("at last")
        assert late.wait_lines(1) == ["at last"]


def test_terminate_while_waiting_for_a_sink_ends_the_server(
    serve: Serve, new_receiver: NewReceiver
) -> None:
    late = new_receiver(start=False)
    server = serve(one_pipeline(), out=late, ready=False)
    server.wait_for(lambda: server.log_lines(late.address), "a log line about the sink")
    assert server.terminate() == 0


def test_all_sinks_must_be_up_before_sources_open(
    serve: Serve, receiver: Receiver, new_receiver: NewReceiver
) -> None:
    text = one_pipeline("ab.to_sinks([sink(args, 0), sink(args, 1)])\nreturn ab.build()")
    late = new_receiver(start=False)
    server = serve(text, out=f"{receiver.address},{late.address}", ready=False)
    receiver.wait_connections(1)
    server.wait_for(lambda: server.log_lines(late.address), "a log line about the sink")
    assert "listening on" not in server.stdout
    late.start()
    server.ready()


def test_records_sent_while_the_sink_is_away_arrive_when_it_is_back(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(one_pipeline(defs=LINES, encoder="line"))
    with Client(server.address()) as client:
        client.send_frames(*map(str, range(100)))
        assert numbers(receiver.wait_lines(100)) == list(range(100))
        kill(receiver, server)
        client.send_frames(*map(str, range(100, 3000)))
        receiver.start()
        wait_until(lambda: b"2999..." in receiver.data, "the records sent meanwhile")
        client.send_frames("3000")
        wait_until(lambda: b"3000..." in receiver.data, "a record sent later")
        receiver.wait_lines(1)
        arrived = numbers(receiver.wait_lines(1))
        # What the dead receiver had already taken may come again; nothing is missing or mixed up.
        assert arrived == list(range(arrived[0], 3001)) and arrived[0] <= 100
        assert server.terminate() == 0


def test_sink_killed_in_the_middle_of_a_stream(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(defs=LINES, encoder="line"))
    total = 40_000
    with Client(server.address()) as client:
        receiver.wait_connections(1)
        stream = frames(*map(str, range(total)))
        half = len(stream) // 2
        client.send(stream[:half])
        receiver.wait_bytes(100_000)
        receiver.stop()
        first = receiver.data
        client.send(stream[half:])
        receiver.connections.clear()
        receiver.start()
        wait_until(lambda: f"{total - 1}...".encode() in receiver.data, "the last record")
    seen = numbers(first[: first.rfind(b"\n") + 1].decode().splitlines())
    assert seen == list(range(len(seen)))
    second = numbers(
        receiver.wait_lines(1)
    )  # whole lines: the connection starts at a record's start
    assert second == list(range(second[0], total)), "order and completeness"
    # Between them lies only what the dead receiver's system had taken but not handed over.


def test_sink_that_comes_and_goes(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(defs=LINES, encoder="line"))
    with Client(server.address()) as client:
        seen: set[int] = set()
        for turn in range(5):
            client.send_frames(str(turn))
            wait_until(lambda t=turn: f"{t}...".encode() in receiver.data, f"record {turn}")
            seen.update(numbers(receiver.wait_lines(1)))
            kill(receiver, server)
            receiver.start()
    assert seen == set(range(5))


def test_one_sink_that_dies_does_not_cost_the_other_anything(
    serve: Serve, new_receiver: NewReceiver
) -> None:
    text = one_pipeline("ab.to_sinks([sink(args, 0), sink(args, 1)])\nreturn ab.build()")
    steady, shaky = new_receiver(), new_receiver()
    server = serve(text, out=f"{steady.address},{shaky.address}")
    words = [str(i) for i in range(2000)]
    with Client(server.address()) as client:
        client.send_frames(*words[:1000])
        shaky.wait_lines(1000)
        kill(shaky, server)
        client.send_frames(*words[1000:])
        assert steady.wait_lines(2000) == words
        shaky.start()
        arrived = shaky.wait_lines(1000)
        assert arrived == words[2000 - len(arrived) :]


def test_bytes_from_the_sinks_peer_are_ignored(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline())
    receiver.wait_connections(1)
    receiver.say(b"thank you\n" * 1000)
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]
