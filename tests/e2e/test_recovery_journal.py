"""Frames that were read over TCP: journaled, replayed after a crash, bounded in size."""

from pathlib import Path

from harness import (
    Client,
    NewReceiver,
    Receiver,
    Serve,
    Server,
    newest_epoch,
    one_pipeline,
)
from harness.apptext import COUNT, COUNT_STEP, PRELUDE

PADDED_COUNT = f"""\
{COUNT}
@wallaroo.encoder
def padded(data):
    return f"{{data:1023}}\\n"
"""
COUNTING = one_pipeline(COUNT_STEP, COUNT)
PADDED = one_pipeline(COUNT_STEP, PADDED_COUNT, encoder="padded")
LATE = ("--resilience-dir", "recovery", "--epoch-interval", "3600")
SOON = ("--resilience-dir", "recovery", "--epoch-interval", "0.02")


def wait_lines_of_life(receiver: Receiver, server: Server, life: int, count: int) -> list[str]:
    """Waits for at least so many lines on the life-th connection, from 1 on; returns them."""

    def has_lines() -> bool:
        return len(receiver.lives) >= life and len(receiver.lives[life - 1]) >= count

    server.wait_for(has_lines, f"{count} lines")
    return receiver.lives[life - 1]


def test_open_epoch_is_replayed_after_a_crash(serve: Serve, receiver: Receiver) -> None:
    server = serve(COUNTING, *LATE)
    with Client(server.address()) as client:
        client.send_frames("a", "b", "a")
        receiver.wait_lines(3)
        client.send_frames("", "a")
        receiver.wait_lines(5)
        server.kill()
    expected = ["a 1", "b 1", "a 2", " 1", "a 3"]
    server = serve(COUNTING, *LATE)
    assert server.log_lines("replaying 2 journaled batches"), server.stderr
    assert wait_lines_of_life(receiver, server, 2, 5) == expected
    server.kill()
    server = serve(COUNTING, *LATE)
    with Client(server.address()) as client:
        client.send_frames("b")
        assert wait_lines_of_life(receiver, server, 3, 6) == [*expected, "b 2"]
    assert server.terminate() == 0
    server = serve(COUNTING, *LATE)
    with Client(server.address()) as client:
        client.send_frames("b")
        assert wait_lines_of_life(receiver, server, 4, 1) == ["b 3"]
    assert server.terminate() == 0
    assert [len(life) for life in receiver.lives] == [5, 5, 6, 1]


def test_frames_of_a_closed_epoch_are_not_replayed(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    server = serve(COUNTING, *SOON)
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        receiver.wait_lines(2)
        server.wait_for(lambda: newest_epoch(tmp_path / "recovery") > 0, "an epoch")
        server.kill()
    server = serve(COUNTING, *SOON)
    with Client(server.address()) as client:
        client.send_frames("a")
        assert wait_lines_of_life(receiver, server, 2, 1) == ["a 2"]
    assert server.terminate() == 0


def test_frames_without_outputs_and_states_are_in_an_epoch_too(
    serve: Serve, receiver: Receiver
) -> None:
    drop = """\
    @wallaroo.computation(name="drop")
    def drop(data):
        print("saw", data)
    """
    server = serve(one_pipeline("ab.to(drop)", drop), *LATE)
    with Client(server.address()) as client:
        client.send_frames("a")
        server.wait_stdout("saw a")
        server.kill()
    server = serve(one_pipeline("ab.to(drop)", drop), *LATE)
    server.wait_stdout("saw a")
    assert server.terminate() == 0
    server = serve(one_pipeline("ab.to(drop)", drop), *LATE)
    assert server.terminate() == 0
    assert "saw a" not in server.stdout


def test_full_journal_ends_the_epoch_early(serve: Serve, receiver: Receiver) -> None:
    server = serve(COUNTING, *LATE, "--journal-bytes", "100_000")
    frames = ["x" * 1000] * 2000
    with Client(server.address()) as client:
        client.send_frames(*frames)
        assert receiver.wait_lines(2000) == [f"{'x' * 1000} {i}" for i in range(1, 2001)]
        client.send_frames("y")
        receiver.wait_lines(2001)
    assert server.log_lines("journal has no room")
    assert server.terminate() == 0
    assert len(receiver.connections) == 1


def test_full_journal_pauses_the_source_until_the_sink_has_the_outputs(
    serve: Serve, new_receiver: NewReceiver, tmp_path: Path
) -> None:
    receiver = new_receiver(rcvbuf_bytes=65536)
    receiver.pause()
    server = serve(PADDED, *LATE, "--journal-bytes", "10_000", out=receiver)
    journal_bytes = 0
    with Client(server.address()) as client:
        client.send_frames(*map(str, range(50_000)))
        server.wait_stderr("journal has no room")
        journal_bytes = sum(
            p.stat().st_size for p in (tmp_path / "recovery").iterdir() if "journal" in p.name
        )
        receiver.resume()
        lines = receiver.wait_lines(50_000)
        assert [line.rstrip() for line in lines] == [f"{i} 1" for i in range(50_000)]
    assert 0 < journal_bytes < 20_000
    assert server.terminate() == 0


def test_two_sources_are_replayed_to_their_own_pipelines(serve: Serve, receiver: Receiver) -> None:
    text = one_pipeline(defs=COUNT)
    text = text[: text.index("def application_setup")] + (
        "def application_setup(args):\n"
        '    ab = wallaroo.ApplicationBuilder("two")\n'
        '    ab.new_pipeline("left", source(args, 0))\n'
        '    ab.to_state_partition(count, Count, "lefts", by_itself)\n'
        "    ab.to_sink(sink(args, 0))\n"
        '    ab.new_pipeline("right", source(args, 1))\n'
        '    ab.to_state_partition(count, Count, "rights", by_itself)\n'
        "    ab.to_sink(sink(args, 0))\n"
        "    return ab.build()\n"
    )
    inputs = "127.0.0.1:0,127.0.0.1:0"
    server = serve(text, *LATE, inputs=inputs)
    with Client(server.address("left")) as left, Client(server.address("right")) as right:
        left.send_frames("l")
        receiver.wait_lines(1)
        right.send_frames("r")
        receiver.wait_lines(2)
        left.send_frames("l")
        receiver.wait_lines(3)
        server.kill()
    before = len(receiver.connections)
    server = serve(text, *LATE, inputs=inputs)
    server.wait_for(
        lambda: sum(len(life) for life in receiver.lives[before:]) == 3, "three lines again"
    )
    again = sorted(line for life in receiver.lives[before:] for line in life)
    assert again == ["l 1", "l 2", "r 1"]
    assert server.terminate() == 0


def test_what_was_journaled_finds_its_pipeline_though_the_pipelines_have_changed(
    serve: Serve, receiver: Receiver
) -> None:
    several = f"""{PRELUDE}\
def application_setup(args):
    ab = wallaroo.ApplicationBuilder("changing")
    for name in NAMES:
        step = wallaroo.computation(name=name)(lambda data, name=name: name + " " + data)
        ab.new_pipeline(name, source(args))
        ab.to(step)
        ab.to_sink(sink(args))
    return ab.build()
"""
    server = serve(f"NAMES = ['one', 'two', 'three']\n{several}", *LATE)
    for name in ("one", "two", "three"):
        with Client(server.address(name)) as client:
            client.send_frames("a")
    assert sorted(receiver.wait_lines(3)) == ["one a", "three a", "two a"]
    server.kill()
    server = serve(f"NAMES = ['new', 'two', 'one']\n{several}", *LATE)
    assert sorted(receiver.wait_lines(5)) == sorted(["one a", "two a"] * 2 + ["three a"])
    assert server.log_lines("pipelines that the application does not have any more")
    assert server.terminate() == 0
    assert len(receiver.lines) == 5
