"""Storage sinks of the application: recognised by structure, called once per epoch, closed once."""

from pathlib import Path

import pytest
from harness import (
    LETTERS,
    Client,
    Serve,
    calls,
    failing,
    send,
    storage_app,
    wait_letters,
    wait_until,
    wait_written,
    written,
)

SHORT = ("--epoch-interval", "0.05")
CALL_FILES = ("calls.jsonl", "other.jsonl")
FAST = (*SHORT, "--sink-retries", "2")


def test_dataclass_without_base_class_is_a_sink(serve: Serve, tmp_path: Path) -> None:
    server = serve(storage_app(), *SHORT)
    send(server.address(), "a", "b", "c")
    assert wait_written(tmp_path, 3) == ["a", "b", "c"]
    assert server.terminate() == 0
    kinds = [call["call"] for call in calls(tmp_path)]
    assert kinds[0] == "build"
    assert kinds[-1] == "close"
    assert kinds.count("build") == kinds.count("close") == 1
    (build,) = calls(tmp_path, "build")
    assert (build["worker"], build["workers"], build["config"]) == (0, 1, {})
    assert server.summary()["outputs"] == 3


def test_records_arrive_without_an_encoder_as_the_objects_they_are(
    serve: Serve, tmp_path: Path
) -> None:
    step = """
    @wallaroo.computation(name="pair")
    def pair(text):
        return {"text": text, "length": len(text)}
    """
    server = serve(storage_app(defs=step, steps="ab.to(pair)"), *SHORT)
    send(server.address(), "abc")
    assert wait_written(tmp_path, 1) == [{"text": "abc", "length": 3}]


def test_an_epoch_is_one_call_and_an_empty_one_none(serve: Serve, tmp_path: Path) -> None:
    server = serve(storage_app(), "--epoch-interval", "1000")
    send(server.address(), *map(str, range(1000)))
    assert calls(tmp_path, "write") == []
    assert server.terminate() == 0  # ends the epoch
    (write,) = calls(tmp_path, "write")
    assert write["items"] == [str(i) for i in range(1000)]


def test_nothing_written_is_closed_all_the_same(serve: Serve, tmp_path: Path) -> None:
    server = serve(storage_app(), *SHORT)
    assert server.terminate() == 0
    assert [call["call"] for call in calls(tmp_path)] == ["build", "close"]


def test_all_calls_come_from_one_thread_of_the_sink(serve: Serve, tmp_path: Path) -> None:
    end = 'ab.to_sinks([Recorder(), Recorder(path="other.jsonl")])'
    server = serve(storage_app(end), *SHORT)
    send(server.address(), "a")
    wait_written(tmp_path, 1)
    wait_written(tmp_path, 1, "other.jsonl")
    assert server.terminate() == 0
    threads = [{call["thread"] for call in calls(tmp_path, name=x)} for x in CALL_FILES]
    assert [len(x) for x in threads] == [1, 1]
    assert threads[0] != threads[1]


def test_to_sinks_mixes_storage_and_tcp(serve: Serve, tmp_path: Path, receiver) -> None:
    server = serve(storage_app("ab.to_sinks([sink(args), Recorder()])"), *SHORT)
    send(server.address(), "a", "b")
    assert wait_written(tmp_path, 2) == ["a", "b"]
    wait_until(lambda: receiver.data == b"a\nb\n", lambda: repr(receiver.data))
    assert server.terminate() == 0


def test_a_slow_storage_does_not_hold_up_the_worker(serve: Serve, tmp_path: Path, receiver) -> None:
    slow = failing("while not Path('go').exists(): time.sleep(0.005)")
    server = serve(storage_app("ab.to_sinks([FailingRecorder(), sink(args)])", slow), *SHORT)
    send(server.address(), "first")
    wait_until(lambda: calls(tmp_path, "try"), "the first try")
    send(server.address(), "second")  # is processed while write_batch waits
    wait_until(lambda: receiver.data == b"first\nsecond\n", lambda: repr(receiver.data))
    assert written(tmp_path) == []
    (tmp_path / "go").touch()
    assert wait_written(tmp_path, 2) == ["first", "second"]


def test_records_that_wait_for_a_storage_pause_the_sources(serve: Serve, tmp_path: Path) -> None:
    slow = failing("while not Path('go').exists(): time.sleep(0.005)")
    server = serve(storage_app("ab.to_sink(FailingRecorder())", slow), *SHORT)
    client = Client(server.address())
    frames = b"".join(b"\0\0\0\1x" for _ in range(1_500_000))
    sent = client.send_until_blocked(frames)
    assert sent < len(frames)
    (tmp_path / "go").touch()
    client.send(frames[sent:])
    client.finish()
    client.wait_closed()
    assert server.terminate() == 0
    assert len(written(tmp_path)) == 1_500_000


def test_a_write_that_fails_is_tried_again(serve: Serve, tmp_path: Path) -> None:
    text = storage_app(
        "ab.to_sink(FailingRecorder())", failing("if self.tries < 3: raise OSError('not yet')")
    )
    server = serve(text, *FAST, *LETTERS)
    send(server.address(), "a", "b")
    assert wait_written(tmp_path, 2) == ["a", "b"]
    assert len(calls(tmp_path, "try")) == 3
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 0
    assert "not yet" in server.stderr


def test_a_write_that_goes_on_failing_makes_dead_letters_of_its_records(
    serve: Serve, tmp_path: Path
) -> None:
    text = storage_app(
        "ab.to_sink(FailingRecorder())", failing("if 'bad' in items: raise ValueError('no way')")
    )
    server = serve(text, *FAST, *LETTERS)
    send(server.address(), "bad", "b")
    letters = wait_letters(tmp_path, 2)
    assert [letter["input"] for letter in letters] == ["'bad'", "'b'"]
    assert {letter["error"] for letter in letters} == {"ValueError: no way"}
    assert "Traceback" in letters[0]["traceback"]
    assert len(calls(tmp_path, "try")) == 3
    send(server.address(), "good")
    assert wait_written(tmp_path, 1) == ["good"]
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 2


def test_on_error_stop_ends_the_server_and_closes_the_sinks(serve: Serve, tmp_path: Path) -> None:
    text = storage_app("ab.to_sink(FailingRecorder())", failing("raise ValueError('no way')"))
    server = serve(text, *FAST, *LETTERS, "--on-error", "stop")
    send(server.address(), "a", "b")
    assert server.wait() == 1
    assert [letter["input"] for letter in wait_letters(tmp_path, 2)] == ["'a'", "'b'"]
    assert len(calls(tmp_path, "close")) == 1


def test_rejected_items_become_dead_letters_and_the_rest_is_written(
    serve: Serve, tmp_path: Path
) -> None:
    body = """\
wrong = {i: f"{x} is odd" for i, x in enumerate(items) if int(x) % 2}
if wrong: raise wallaroo.RejectedItems(wrong)"""
    text = storage_app("ab.to_sink(FailingRecorder())", failing(body))
    server = serve(text, *FAST, *LETTERS)
    send(server.address(), "0", "1", "2", "3", "4")
    assert wait_written(tmp_path, 3) == ["0", "2", "4"]
    letters = wait_letters(tmp_path, 2)
    assert [letter["error"] for letter in letters] == [
        "RejectedItems: 1 is odd",
        "RejectedItems: 3 is odd",
    ]


def test_an_unavailable_storage_is_tried_until_it_is_there(serve: Serve, tmp_path: Path) -> None:
    body = "if not Path('go').exists(): raise wallaroo.SinkUnavailable('the disk is away')"
    text = storage_app("ab.to_sink(FailingRecorder())", failing(body))
    server = serve(text, *SHORT, "--sink-retries", "0", *LETTERS)
    send(server.address(), "a")
    wait_until(lambda: len(calls(tmp_path, "try")) > 3, "more tries than allowed for failures")
    (tmp_path / "go").touch()
    assert wait_written(tmp_path, 1) == ["a"]
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 0
    assert len(server.log_lines("the disk is away")) == 1


def test_what_can_not_be_written_when_stopping_is_told(serve: Serve, tmp_path: Path) -> None:
    body = "raise wallaroo.SinkUnavailable('the disk is away')"
    text = storage_app("ab.to_sink(FailingRecorder(name='orders'))", failing(body))
    server = serve(text, *SHORT, "--drain-timeout", "0.3")
    send(server.address(), "a", "b")
    assert server.terminate() == 1
    assert server.log_lines("dropped 2 records for FailingRecorder 'orders'")
    assert len(calls(tmp_path, "close")) == 1


def test_sys_exit_in_a_write_ends_the_server_with_its_status(serve: Serve, tmp_path: Path) -> None:
    text = storage_app("ab.to_sink(FailingRecorder())", failing("sys.exit(7)"))
    server = serve(text, *SHORT)
    send(server.address(), "a")
    assert server.wait() == 7
    assert server.log_lines("1 records are not written")
    assert len(calls(tmp_path, "close")) == 1


def test_other_sinks_are_written_and_closed_after_a_failed_run(
    serve: Serve, tmp_path: Path
) -> None:
    step = """
    @wallaroo.computation(name="fail")
    def fail(text):
        if text == "fail":
            raise ValueError(text)
        return text
    """
    text = storage_app(defs=step, steps="ab.to(fail)")
    server = serve(text, "--epoch-interval", "1000", "--on-error", "stop")
    send(server.address(), "a", "b")
    send(server.address(), "fail")
    assert server.wait() == 1
    assert written(tmp_path) == ["a", "b"]
    assert len(calls(tmp_path, "close")) == 1


def test_build_partition_that_raises_starts_nothing(serve: Serve, tmp_path: Path) -> None:
    defs = """
    class Broken(Recorder):
        def build_partition(self, config, worker_index, worker_count, **more):
            return config["url"]
    """
    server = serve(storage_app("ab.to_sinks([Recorder(), Broken()])", defs), *SHORT, ready=False)
    assert server.wait() == 2
    assert "KeyError: 'url'" in server.stderr
    assert "pipeline 'main', sink Broken: its partition can't be made" in server.stderr
    assert server.addresses == {}
    assert len(calls(tmp_path, "build")) == len(calls(tmp_path, "close"))


def test_partition_without_its_methods_is_told(serve: Serve) -> None:
    defs = """
    class NoPartition:
        def write_batch(self): pass


    class Broken(Recorder):
        def build_partition(self, config, worker_index, worker_count, **more):
            return NoPartition()
    """
    server = serve(storage_app("ab.to_sink(Broken())", defs), ready=False)
    assert server.wait() == 2
    assert "its write_batch(items) can't be called: too many positional" in server.stderr
    assert "it has no method close()" in server.stderr


UNRELATED = """
class Flag(Partition):
    def __init__(self, *args):
        super().__init__(*args)
        self.open = False
        self.write_epoch = 7

class Path_(Partition):
    def open(self, path):
        raise AssertionError("it is not the server's to call")
    def write_epoch(self, name):
        raise AssertionError("it is not the server's to call")

class Async(Partition):
    async def open(self): ...
    async def write_epoch(self, items, epoch): ...

class MadeUp(Partition):
    def __getattr__(self, name):
        raise AssertionError(f"{name} was looked for")

class Other(Recorder):
    partition = PARTITION
    config_mistakes = 0
"""


@pytest.mark.parametrize("partition", ["Flag", "Path_", "Async", "MadeUp"])
def test_members_that_only_have_the_name_of_an_optional_method_are_passed_over(
    serve: Serve, tmp_path: Path, partition: str
) -> None:
    defs = UNRELATED.replace("PARTITION", partition)
    text = storage_app("ab.to_sink(Other())", defs)
    server = serve(text, *SHORT, "--resilience-dir", "state")
    send(server.address(), "a")
    assert wait_written(tmp_path, 1) == ["a"]
    assert server.terminate() == 0
    is_warned = "write_batch(items) is used" in server.stderr
    assert is_warned == (partition != "MadeUp")


def test_open_is_called_until_the_storage_is_there(serve: Serve, tmp_path: Path) -> None:
    defs = """
    class Late(Partition):
        def open(self):
            if not Path("go").exists():
                raise wallaroo.SinkUnavailable("it is not up yet")


    class LateRecorder(Recorder):
        partition = Late
    """
    server = serve(storage_app("ab.to_sink(LateRecorder())", defs), *SHORT, ready=False)
    server.wait_stderr("it is not up yet")
    assert server.addresses == {}
    (tmp_path / "go").touch()
    server.ready()
    assert len(calls(tmp_path, "build")) == 1


def test_a_hanging_write_does_not_keep_the_server_from_ending(serve: Serve, tmp_path: Path) -> None:
    body = "self.bridge.run(__import__('asyncio').sleep(1000))"
    text = storage_app("ab.to_sink(FailingRecorder())", failing(body))
    server = serve(text, *SHORT, "--drain-timeout", "0.2")
    send(server.address(), "a")
    wait_until(lambda: calls(tmp_path, "try"), "the try")
    assert server.terminate() == 1
    assert server.log_lines("dropped 1 records")
    assert server.log_lines("what its coroutines do is cancelled")
    assert len(calls(tmp_path, "close")) == 1


def test_a_write_that_never_returns_is_left_behind(serve: Serve, tmp_path: Path) -> None:
    text = storage_app("ab.to_sink(FailingRecorder())", failing("print('hangs')\ntime.sleep(1000)"))
    server = serve(text, *SHORT, "--drain-timeout", "0.2")
    send(server.address(), "a")
    wait_until(lambda: calls(tmp_path, "try"), "the try")
    assert server.terminate() == 1
    assert server.log_lines("the server ends without it")
    assert "hangs" in server.stdout
    assert calls(tmp_path, "close") == []


def test_the_bridge_still_runs_when_the_sinks_are_closed(serve: Serve, tmp_path: Path) -> None:
    defs = """
    class Late(Partition):
        def close(self):
            async def last():
                return "flushed"
            self.note("close", said=self.bridge.run(last()))


    class LateRecorder(Recorder):
        partition = Late
    """
    end = "ab.to_sinks([LateRecorder(), LateRecorder()])"
    server = serve(storage_app(end, defs), *SHORT)
    assert server.terminate() == 0
    assert [call["said"] for call in calls(tmp_path, "close")] == ["flushed", "flushed"]


def test_the_bridge_runs_coroutines_on_one_thread_for_all_sinks(
    serve: Serve, tmp_path: Path
) -> None:
    body = """\
async def where():
    return threading.get_ident()
self.note("ran", on=self.bridge.run(where()))"""
    end = "ab.to_sinks([FailingRecorder(), FailingRecorder(path='other.jsonl')])"
    server = serve(storage_app(end, failing(body)), *SHORT)
    send(server.address(), "a")
    wait_written(tmp_path, 1)
    wait_written(tmp_path, 1, "other.jsonl")
    ran = [call for name in CALL_FILES for call in calls(tmp_path, "ran", name)]
    assert len({call["on"] for call in ran}) == 1
    assert ran[0]["on"] not in {call["thread"] for call in ran}


@pytest.mark.parametrize(
    ("end", "missing"),
    [
        ("class NearMiss: payload = str; name = ''; router_branch_safe = True", "build_partition"),
        (
            "class NearMiss:\n"
            "    payload = str; name = ''\n"
            "    def build_partition(self, config, worker_index, worker_count, **more): pass",
            "router_branch_safe",
        ),
        (
            "class NearMiss:\n"
            "    name = ''; router_branch_safe = True\n"
            "    def build_partition(self, config, worker_index, worker_count, **more): pass",
            "payload",
        ),
    ],
)
def test_near_miss_is_named_at_start(serve: Serve, end: str, missing: str) -> None:
    server = serve(storage_app("ab.to_sink(NearMiss())", end), ready=False)
    assert server.wait() == 2
    assert f"lacks {missing}" in server.stderr
    assert "pipeline 'main'" in server.stderr
