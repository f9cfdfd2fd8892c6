"""Values and exceptions that few programs meet do not hurt the server either."""

import json
from pathlib import Path

import pytest
from harness import Client, Receiver, Serve, Server, one_pipeline

RAISING = """\
class Grumpy:
    def __hash__(self):
        raise ValueError("no hash today")

class Touchy:
    def __hash__(self):
        return hash("key")
    def __eq__(self, other):
        raise ValueError("do not compare me")

@wallaroo.partition
def by_text(data):
    return {"grumpy": Grumpy(), "touchy": Touchy()}.get(data, "key")

@wallaroo.state_computation(name="keep")
def keep(data, state):
    return data, True
"""


def good_bad_good(server: Server, receiver: Receiver, bad: str = "bad") -> None:
    """Sends a bad record between two good ones, which arrive."""
    with Client(server.address()) as client:
        client.send_frames("good", bad, "fine")
        assert receiver.wait_lines(2) == ["good", "fine"]


@pytest.mark.parametrize("bad", ["grumpy", "touchy"])
@pytest.mark.parametrize("policy", ["drop", "create"])
def test_key_whose_methods_raise(serve: Serve, receiver: Receiver, bad: str, policy: str) -> None:
    steps = 'ab.to_state_partition(keep, dict, "things", by_text, ["key"])'
    server = serve(one_pipeline(steps, RAISING), "--unknown-keys", policy)
    good_bad_good(server, receiver, bad)
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        "raise ValueError('\\udcff\\ud800')",
        "raise ValueError('nul \\0 and newline \\n' * 3)",
        "raise BaseException('rare')",
        "raise GeneratorExit",
        "raise StopIteration",
        "raise MemoryError",
        "raise ExceptionGroup('two', [ValueError(1), ValueError(2)])",
        "fail(data)",
        "raise ValueError('x' * 1_000_000)",
        "raise type('Weird', (Exception,), {'__module__': None})('weird')",
        "raise 5",
    ],
)
def test_exception_of_any_kind_is_a_dead_letter(
    serve: Serve, receiver: Receiver, tmp_path: Path, bad: str
) -> None:
    defs = f"""\
    @wallaroo.computation(name="fail")
    def fail_step(data):
        return fail(data)
    def fail(data):
        if data == "bad":
            {bad}
        return data
    """
    server = serve(one_pipeline("ab.to(fail_step)", defs), "--dead-letters", "letters")
    good_bad_good(server, receiver)
    assert server.terminate() == 0
    (line,) = (tmp_path / "letters").read_text().splitlines()
    letter = json.loads(line)
    assert letter["step"] == "fail"
    assert letter["input"] == "'bad'"


@pytest.mark.parametrize(
    "name", [r"'st\udcffep'", r"'two\nlines'", r"'quo\'ted\"'", r"'n\u00e4chster'", "''"]
)
def test_step_of_any_name_runs_and_fails_cleanly(
    serve: Serve, receiver: Receiver, tmp_path: Path, name: str
) -> None:
    defs = f"""\
    class Step:
        def name(self):
            return {name}
        def compute(self, data):
            return data[100] if data == "bad" else data
    """
    server = serve(one_pipeline("ab.to(Step())", defs), "--dead-letters", "letters", ready=False)
    server.wait_for(
        lambda: "initialized" in server.stdout or server.process.poll() is not None, "an outcome"
    )
    if "initialized" not in server.stdout:
        assert server.wait() == 2  # refusing such a name is fine as well
        return
    good_bad_good(server, receiver)
    assert json.loads((tmp_path / "letters").read_text())["input"] == "'bad'"


def test_str_that_is_no_text_is_a_dead_letter_of_the_encoder(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    defs = """\
    @wallaroo.encoder
    def lone_surrogate(data):
        return (chr(0xDCFF) if data == "bad" else data) + "\\n"
    """
    server = serve(one_pipeline(defs=defs, encoder="lone_surrogate"), "--dead-letters", "letters")
    good_bad_good(server, receiver)
    letter = json.loads((tmp_path / "letters").read_text())
    assert letter["step"] == "encoder" and "UnicodeEncodeError" in letter["error"]


def test_subclasses_of_the_expected_types_pass(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    from collections import namedtuple
    class Text(str):
        pass
    class Raw(bytes):
        pass
    class Many(list):
        pass
    Result = namedtuple("Result", "output save")
    @wallaroo.computation_multi(name="many")
    def many(data):
        return Many([Text(data), Text(data)])
    @wallaroo.state_computation(name="result")
    def result(data, state):
        return Result(data, True)
    @wallaroo.encoder
    def raw(data):
        return Raw(data.encode() + b"\\n") if data == "a" else Text(data + "\\n")
    """
    steps = 'ab.to(many)\nab.to_stateful(result, dict, "x")'
    server = serve(one_pipeline(steps, defs, encoder="raw"))
    with Client(server.address()) as client:
        client.send_frames("a", "b")
        assert receiver.wait_lines(4) == ["a", "a", "b", "b"]


def test_list_that_changes_after_it_was_returned(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    KEPT = []
    @wallaroo.computation_multi(name="keep")
    def keep(data):
        KEPT.append(data)
        return KEPT
    @wallaroo.computation(name="clear")
    def clear(data):
        KEPT.clear()
        return data
    """
    server = serve(one_pipeline("ab.to(keep)\nab.to(clear)", defs))
    with Client(server.address()) as client:
        for count, word in enumerate(("a", "b", "c"), 1):
            client.send_frames(word)
            receiver.wait_bytes(2 * count)
    assert receiver.lines == ["a", "b", "c"]


def test_input_with_a_huge_repr_does_not_flood_the_log(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    @wallaroo.decoder(header_length=4, length_fmt=">I")
    def picky(payload):
        if len(payload) > 100:
            raise ValueError("too long")
        return payload.decode()
    """
    server = serve(one_pipeline(defs=defs, decoder="picky"), "--dead-letters", "letters")
    good_bad_good(server, receiver, "x" * 5_000_000)
    assert server.terminate() == 0
    assert len(server.stderr) < 100_000


def test_garbage_collection_and_weak_references_work(serve: Serve, receiver: Receiver) -> None:
    defs = """\
    import gc, weakref
    class Cycle:
        def __init__(self, data):
            self.data, self.me = data, self
    LAST = []
    @wallaroo.computation(name="wrap")
    def wrap(data):
        made = Cycle(data)
        LAST.append(weakref.ref(made))
        return made
    @wallaroo.encoder
    def unwrap(made):
        return made.data + "\\n"
    @wallaroo.computation(name="count")
    def count(made):
        gc.collect()
        made.data += f" {sum(ref() is not None for ref in LAST)}"
        return made
    """
    server = serve(one_pipeline("ab.to(wrap)\nab.to(count)", defs, encoder="unwrap"))
    with Client(server.address()) as client:
        for number in range(20):
            client.send_frames(str(number))
            receiver.wait_lines(number + 1)
    # No record outlives its way through the pipeline by more than one.
    assert all(int(line.split()[1]) <= 2 for line in receiver.lines)
