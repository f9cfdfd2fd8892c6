"""Routers give each output to one of several sinks."""

import json
from pathlib import Path

from harness import LETTERS, Serve, send, storage_app, wait_letters, wait_until, wait_written

SHORT = ("--epoch-interval", "0.05")


def test_check_shows_storage_sinks_and_branches(serve: Serve) -> None:
    end = """ab.to_router({"long": (lambda x: len(x) > 3, Recorder(name="long"))}, Recorder())"""
    server = serve(storage_app(end), "--check=json", ready=False)
    assert server.wait() == 0
    (pipeline,) = json.loads(server.stdout)["pipelines"]
    assert pipeline["sinks"] == [
        {"kind": "storage", "type": "Recorder", "name": "long", "branch": "long"},
        {"kind": "storage", "type": "Recorder", "name": "", "branch": "default"},
    ]


ROUTER = """\
ab.to_router({
        "even": (lambda x: int(x) % 2 == 0, Recorder(path="even.jsonl")),
        "small": (lambda x: int(x) < 10, sink(args)),
    })"""


def test_router_gives_each_record_to_the_first_branch_that_holds(
    serve: Serve, tmp_path: Path, receiver
) -> None:
    server = serve(storage_app(ROUTER), *SHORT, *LETTERS)
    send(server.address(), "1", "2", "3", "13", "x", "4")
    assert wait_written(tmp_path, 2, "even.jsonl") == ["2", "4"]
    wait_until(lambda: receiver.data == b"1\n3\n", lambda: repr(receiver.data))
    letters = wait_letters(tmp_path, 2)
    assert [(letter["step"], letter["input"]) for letter in letters] == [
        ("router", "'13'"),
        ("router", "'x'"),
    ]
    assert "no branch's predicate holds" in letters[0]["error"]
    assert letters[1]["error"].startswith("ValueError: invalid literal")
    assert server.terminate() == 0
    assert server.summary()["outputs"] == 4


def test_router_has_a_default(serve: Serve, tmp_path: Path) -> None:
    end = """\
ab.to_router({"a": (lambda x: x == "a", Recorder())}, default=Recorder(path="other.jsonl"))"""
    server = serve(storage_app(end), *SHORT)
    send(server.address(), "a", "b", "a", "c")
    assert wait_written(tmp_path, 2) == ["a", "a"]
    assert wait_written(tmp_path, 2, "other.jsonl") == ["b", "c"]


def test_router_refuses_a_sink_that_is_not_branch_safe(serve: Serve) -> None:
    defs = """
    class Unsafe(Recorder):
        router_branch_safe = False
    """
    end = 'ab.to_router({"a": (bool, Recorder()), "b": (bool, Unsafe())})'
    server = serve(storage_app(end, defs), ready=False)
    assert server.wait() == 2
    assert "The branch 'b': the sink" in server.stderr
    assert "router_branch_safe = False" in server.stderr
