"""A record that user code fails on becomes a dead letter; all others go on."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from harness import Client, Receiver, Serve, Server, one_pipeline, wait_until

FAILING = {
    "decoder": dict(
        defs="""\
        @wallaroo.decoder(header_length=4, length_fmt=">I")
        def picky(payload):
            if payload == b"bad":
                raise ValueError("no such luck")
            return payload.decode()
        """,
        decoder="picky",
    ),
    "computation": dict(
        defs="""\
        @wallaroo.computation(name="picky step")
        def picky(data):
            if data == "bad":
                raise ValueError("no such luck")
            return data
        """,
        steps="ab.to(picky)",
    ),
    "multi": dict(
        defs="""\
        @wallaroo.computation_multi(name="picky step")
        def picky(data):
            if data == "bad":
                raise ValueError("no such luck")
            return [data]
        """,
        steps="ab.to(picky)",
    ),
    "state computation": dict(
        defs="""\
        @wallaroo.state_computation(name="picky step")
        def picky(data, state):
            if data == "bad":
                raise ValueError("no such luck")
            return data, True
        """,
        steps='ab.to_stateful(picky, dict, "things")',
    ),
    "partition": dict(
        defs="""\
        @wallaroo.partition
        def by_text(data):
            if data == "bad":
                raise ValueError("no such luck")
            return "key"
        @wallaroo.state_computation(name="picky step")
        def keep(data, state):
            return data, True
        """,
        steps='ab.to_state_partition(keep, dict, "things", by_text, ["key"])',
    ),
    "encoder": dict(
        defs="""\
        @wallaroo.encoder
        def picky(data):
            if data == "bad":
                raise ValueError("no such luck")
            return data + "\\n"
        """,
        encoder="picky",
    ),
}

WRONG_RESULTS = {
    "multi returns a tuple": dict(
        defs="""\
        @wallaroo.computation_multi(name="picky step")
        def picky(data):
            return (data,) if data == "bad" else [data]
        """,
        steps="ab.to(picky)",
    ),
    "multi returns a str": dict(
        defs="""\
        @wallaroo.computation_multi(name="picky step")
        def picky(data):
            return data if data == "bad" else [data]
        """,
        steps="ab.to(picky)",
    ),
    "state computation returns one value": dict(
        defs="""\
        @wallaroo.state_computation(name="picky step")
        def picky(data, state):
            return data if data == "bad" else (data, True)
        """,
        steps='ab.to_stateful(picky, dict, "things")',
    ),
    "state computation returns three values": dict(
        defs="""\
        @wallaroo.state_computation(name="picky step")
        def picky(data, state):
            return (data, True, 1) if data == "bad" else (data, True)
        """,
        steps='ab.to_stateful(picky, dict, "things")',
    ),
    "state computation returns None": dict(
        defs="""\
        @wallaroo.state_computation(name="picky step")
        def picky(data, state):
            return None if data == "bad" else (data, True)
        """,
        steps='ab.to_stateful(picky, dict, "things")',
    ),
    "state multi returns a str": dict(
        defs="""\
        @wallaroo.state_computation_multi(name="picky step")
        def picky(data, state):
            return (data, True) if data == "bad" else ([data], True)
        """,
        steps='ab.to_stateful(picky, dict, "things")',
    ),
    "partition returns what has no hash": dict(
        defs="""\
        @wallaroo.partition
        def by_text(data):
            return [data] if data == "bad" else "key"
        @wallaroo.state_computation(name="picky step")
        def keep(data, state):
            return data, True
        """,
        steps='ab.to_state_partition(keep, dict, "things", by_text, ["key"])',
    ),
    "encoder returns an int": dict(
        defs="""\
        @wallaroo.encoder
        def picky(data):
            return 7 if data == "bad" else data + "\\n"
        """,
        encoder="picky",
    ),
    "encoder returns a list": dict(
        defs="""\
        @wallaroo.encoder
        def picky(data):
            return [1, 2] if data == "bad" else data + "\\n"
        """,
        encoder="picky",
    ),
}


def letters(path: Path, count: int) -> list[dict[str, Any]]:
    """Waits for that many dead letters in the file; returns them."""
    wait_until(
        lambda: path.exists() and path.read_text().count("\n") >= count,
        lambda: f"{count} dead letters; there is {path.read_text() if path.exists() else None}",
    )
    return [json.loads(line) for line in path.read_text().splitlines()]


def send_good_and_bad(server: Server, receiver: Receiver) -> None:
    """Sends a bad record among good ones; the good ones arrive."""
    with Client(server.address()) as client:
        client.send_frames("one", "bad", "two")
        assert receiver.wait_lines(2) == ["one", "two"]
        client.send_frames("three")
        assert receiver.wait_lines(3) == ["one", "two", "three"]


@pytest.mark.parametrize("place", FAILING)
def test_raising_function_makes_a_dead_letter(
    serve: Serve, receiver: Receiver, tmp_path: Path, place: str
) -> None:
    server = serve(one_pipeline(**FAILING[place]), "--dead-letters", "letters.jsonl")
    send_good_and_bad(server, receiver)
    (letter,) = letters(tmp_path / "letters.jsonl", 1)
    assert letter["pipeline"] == "main"
    assert letter["step"] == {"decoder": "decoder", "encoder": "encoder"}.get(place, "picky step")
    assert "ValueError" in letter["error"] and "no such luck" in letter["error"]
    assert "Traceback" in letter["traceback"] and "app.py" in letter["traceback"]
    assert letter["time"]
    if place == "decoder":
        assert letter["input"] == "b'bad'"
        assert base64.b64decode(letter["input_base64"]) == b"bad"
    else:
        assert letter["input"] == "'bad'"
        assert "input_base64" not in letter
    assert "no such luck" in server.stderr and "Traceback" in server.stderr


@pytest.mark.parametrize("place", WRONG_RESULTS)
def test_wrong_result_makes_a_dead_letter(
    serve: Serve, receiver: Receiver, tmp_path: Path, place: str
) -> None:
    server = serve(one_pipeline(**WRONG_RESULTS[place]), "--dead-letters", "letters.jsonl")
    send_good_and_bad(server, receiver)
    (letter,) = letters(tmp_path / "letters.jsonl", 1)
    assert letter["step"] == ("encoder" if place.startswith("encoder") else "picky step")
    assert letter["input"] == "'bad'"
    assert letter["error"]


def test_dead_letters_need_no_file_to_be_survived(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(**FAILING["computation"]))
    send_good_and_bad(server, receiver)
    assert server.terminate() == 0
    assert "no such luck" in server.stderr


def test_many_failures_do_not_flood_the_log(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    server = serve(one_pipeline(**FAILING["computation"]), "--dead-letters", "letters.jsonl")
    with Client(server.address()) as client:
        client.send_frames(*["bad"] * 1000, "good")
        assert receiver.wait_lines(1) == ["good"]
    assert len(letters(tmp_path / "letters.jsonl", 1000)) == 1000
    assert server.terminate() == 0
    assert server.stderr.count("Traceback") == 1
    assert len(server.log_lines()) < 100
    assert server.log_lines("1000", "dead letter")


@pytest.mark.parametrize("place", [*FAILING, "encoder returns an int"])
def test_on_error_stop_ends_with_status_1(serve: Serve, receiver: Receiver, place: str) -> None:
    server = serve(one_pipeline(**(FAILING | WRONG_RESULTS)[place]), "--on-error=stop")
    with Client(server.address()) as client:
        client.send_frames("one")
        assert receiver.wait_lines(1) == ["one"]
        client.send_frames("bad")
        assert server.wait() == 1
    assert "Traceback" in server.stderr or "encoder" in server.stderr
    assert server.summary()["dead letters"] == 1


def test_dead_letter_file_that_cannot_be_opened_is_a_mistake(serve: Serve) -> None:
    server = serve(one_pipeline(), "--dead-letters", "no/such/dir/file", ready=False)
    assert server.wait() in {1, 2}
    assert "no/such/dir/file" in server.stderr
    assert "listening on" not in server.stdout


def test_input_that_has_no_repr_still_makes_a_dead_letter(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    shy = """\
    class Shy:
        def __repr__(self):
            raise RuntimeError("no repr for you")
    @wallaroo.computation(name="wrap")
    def wrap(data):
        return Shy() if data == "bad" else data
    @wallaroo.computation(name="fail")
    def fail(data):
        if isinstance(data, Shy):
            raise ValueError("shy")
        return data
    """
    server = serve(one_pipeline("ab.to(wrap)\nab.to(fail)", shy), "--dead-letters", "letters.jsonl")
    send_good_and_bad(server, receiver)
    assert letters(tmp_path / "letters.jsonl", 1)[0]["step"] == "fail"


def test_exception_whose_text_fails_is_survived(serve: Serve, receiver: Receiver) -> None:
    mute = """\
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("no text")
    @wallaroo.computation(name="fail")
    def fail(data):
        if data == "bad":
            raise Mute()
        return data
    """
    server = serve(one_pipeline("ab.to(fail)", mute))
    send_good_and_bad(server, receiver)


def test_keyboard_interrupt_in_a_step_is_an_error_like_others(
    serve: Serve, receiver: Receiver
) -> None:
    interrupt = """\
    @wallaroo.computation(name="fail")
    def fail(data):
        if data == "bad":
            raise KeyboardInterrupt
        return data
    """
    server = serve(one_pipeline("ab.to(fail)", interrupt))
    send_good_and_bad(server, receiver)


def test_sys_exit_in_a_step_ends_with_its_status(serve: Serve) -> None:
    leaving = """\
    @wallaroo.computation(name="leave")
    def leave(data):
        sys.exit(5)
    """
    server = serve(one_pipeline("ab.to(leave)", leaving))
    with Client(server.address()) as client:
        client.send_frames("go")
        assert server.wait() == 5


@pytest.mark.parametrize("workers", ["1", "2"])
def test_text_of_sys_exit_in_a_step_is_told(serve: Serve, workers: str) -> None:
    leaving = """\
    @wallaroo.computation(name="leave")
    def leave(data):
        sys.exit("no licence")
    """
    server = serve(
        one_pipeline("ab.to(leave)", leaving), "--workers", workers, "--log-level", "error"
    )
    with Client(server.address()) as client:
        client.send_frames("go")
        assert server.wait() == 1
    assert server.log_lines("no licence")


def test_text_that_is_no_utf8_is_a_dead_letter(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    server = serve(one_pipeline(), "--dead-letters", "letters.jsonl")
    with Client(server.address()) as client:
        client.send_frames(b"\xff\xfe", "fine")
        assert receiver.wait_lines(1) == ["fine"]
    (letter,) = letters(tmp_path / "letters.jsonl", 1)
    assert base64.b64decode(letter["input_base64"]) == b"\xff\xfe"
    assert "UnicodeDecodeError" in letter["error"]
