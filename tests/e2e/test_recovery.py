"""What a restart finds: the directory, states and keys of all kinds, and what is not kept."""

import re
from pathlib import Path

import pytest
from harness import (
    Client,
    Receiver,
    Serve,
    Server,
    ask_store,
    change_store,
    newest_epoch,
    one_pipeline,
    wait_quiet,
    wait_until,
)
from harness.apptext import COUNT, COUNT_STEP, SLOWLY_READ_BACK

DIRECTORY = "recovery"
RESILIENT = ("--resilience-dir", DIRECTORY, "--epoch-interval", "0.02")
LATE = ("--resilience-dir", DIRECTORY, "--epoch-interval", "3600")
BY_VALUE = """\
import ast

@wallaroo.partition
def by_value(data):
    return ast.literal_eval(data)

"""
COUNTING = one_pipeline(COUNT_STEP, COUNT)


def say(server: Server, receiver: Receiver, *payloads: str) -> list[str]:
    """Sends frames; returns what comes out for them, one line each."""
    before = receiver.data.count(b"\n")
    with Client(server.address()) as client:
        client.send_frames(*payloads)
        return receiver.wait_lines(before + len(payloads))[before:]


def test_states_survive_a_stop(serve: Serve, receiver: Receiver) -> None:
    for count in (1, 2, 3):
        server = serve(COUNTING, *RESILIENT)
        assert say(server, receiver, "a", "b") == [f"a {count}", f"b {count}"]
        assert server.terminate() == 0
    assert len(receiver.lines) == 6, "a restart repeats nothing"
    assert server.log_lines("2 keys restored")


def test_state_without_a_partition_survives(serve: Serve, receiver: Receiver) -> None:
    text = one_pipeline('ab.to_stateful(count, Count, "total")', COUNT)
    for count in (1, 2):
        server = serve(text, *RESILIENT)
        assert say(server, receiver, "a") == [f"a {count}"]
        assert server.terminate() == 0


def test_states_of_listed_keys_survive_unless_they_are_listed_no_more(
    serve: Serve, receiver: Receiver
) -> None:
    listed = one_pipeline(f"{COUNT_STEP[:-1]}, ['a', 'b'])", COUNT)
    server = serve(listed, *RESILIENT)
    assert say(server, receiver, "a", "b") == ["a 1", "b 1"]
    assert server.terminate() == 0
    fewer = one_pipeline(f"{COUNT_STEP[:-1]}, ['b'])", COUNT)
    server = serve(fewer, *RESILIENT)
    assert say(server, receiver, "b") == ["b 2"]
    assert server.log_lines("1 keys", "counts")
    assert server.terminate() == 0


def test_all_kinds_of_keys_survive(serve: Serve, receiver: Receiver) -> None:
    keys = ["'a'", "''", "'\\ud800'", "'\\xe9\\x00'", "7", "-1", str(2**80), "True", "1.5"]
    keys += ["b'a'", "b''", "b'\\xff\\x00'", "None", "()", "('a', 1)", "(None, (b'x', 2.5))"]
    text = one_pipeline(COUNT_STEP.replace("by_itself", "by_value"), BY_VALUE + COUNT)
    for count in (1, 2, 3):
        server = serve(text, *RESILIENT)
        assert say(server, receiver, *keys) == [f"{key} {count}" for key in keys]
        assert server.terminate() == 0
    assert server.log_lines(f"{len(keys)} keys restored")


def test_change_that_is_not_saved_is_not_there_after_a_restart(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    unsaved = COUNT.replace('", True', '", not data.startswith("tmp")')
    text = one_pipeline(COUNT_STEP, unsaved)
    server = serve(text, *RESILIENT)
    assert say(server, receiver, "tmp", "a", "tmp", "a") == ["tmp 1", "a 1", "tmp 2", "a 2"]
    assert server.terminate() == 0
    assert ask_store(tmp_path / DIRECTORY, "SELECT DISTINCT key FROM snap") == [("a",)]
    server = serve(text, *RESILIENT)
    assert say(server, receiver, "tmp", "a") == ["tmp 1", "a 3"]
    assert server.terminate() == 0


def test_state_that_fails_after_a_change_is_as_the_last_success_left_it(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    """A computation that raises has not asked to save."""
    fails = COUNT.replace(
        "    return f", '    if data == "bad":\n        raise ValueError\n    return f'
    )
    server = serve(one_pipeline(COUNT_STEP, fails), *RESILIENT)
    with Client(server.address()) as client:
        client.send_frames("bad", "good")
        receiver.wait_lines(1)
    assert server.terminate() == 0
    assert ask_store(tmp_path / DIRECTORY, "SELECT DISTINCT key FROM snap") == [("good",)]


def test_application_serializes_its_states_itself(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    own = """
def serialize(data):
    return b"mine:%d" % data.count

def deserialize(data):
    state = Count()
    state.count = int(data.removeprefix(b"mine:"))
    return state
"""
    text = one_pipeline(COUNT_STEP, COUNT + own)
    for count in (1, 2):
        server = serve(text, *RESILIENT)
        assert say(server, receiver, "a") == [f"a {count}"]
        assert server.terminate() == 0
    values = ask_store(tmp_path / DIRECTORY, "SELECT value FROM snap ORDER BY id")
    assert values == [(b"mine:1",), (b"mine:2",)]


def test_long_restore_tells_how_far_it_is(serve: Serve, receiver: Receiver) -> None:
    """A key that takes long is enough; it need not be a million of them."""
    text = one_pipeline(COUNT_STEP, COUNT + SLOWLY_READ_BACK)
    keys = [f"key-{i}" for i in range(300)]
    server = serve(text, *RESILIENT)
    say(server, receiver, *keys)
    assert server.terminate() == 0
    server = serve(text, *RESILIENT)
    told = [re.search(r"restoring states: (\d+) of 300 keys", x) for x in server.log_lines("")]
    done = [int(x[1]) for x in told if x]
    assert done, server.stderr
    assert 0 < done[0] < 300
    assert server.log_lines("300 keys restored")
    assert say(server, receiver, keys[-1]) == [f"{keys[-1]} 2"]
    assert server.terminate() == 0


def test_state_that_can_never_be_saved_is_a_mistake_of_the_application(serve: Serve) -> None:
    unpicklable = COUNT.replace("self.count = 0", "self.count = 0; self.helper = lambda: 1")
    server = serve(one_pipeline(COUNT_STEP, unpicklable), *RESILIENT, ready=False)
    assert server.wait() == 2
    assert server.log_lines("counts", "can't be saved"), server.stderr
    assert "listening on" not in server.stdout
    server = serve(one_pipeline(COUNT_STEP, unpicklable))
    assert server.terminate() == 0, "without recovery it runs"


def test_state_that_cannot_be_saved_any_more_ends_the_run_naming_key_and_state(
    serve: Serve, receiver: Receiver
) -> None:
    spoilt = COUNT.replace(
        "    return f", '    if data == "bad":\n        state.helper = lambda: 1\n    return f'
    )
    server = serve(one_pipeline(COUNT_STEP, spoilt), *RESILIENT)
    with Client(server.address()) as client:
        client.send_frames("good")
        receiver.wait_lines(1)
        client.send_frames("bad")
        assert server.wait() == 1
    assert server.log_lines("counts", "bad", "can't be saved", "change the application")
    server = serve(COUNTING, *RESILIENT)
    assert say(server, receiver, "good")[-1] == "good 2"
    assert server.terminate() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_state_that_does_not_unpickle_is_refused_naming_key_and_state(
    serve: Serve, receiver: Receiver, workers: str
) -> None:
    server = serve(COUNTING, *RESILIENT, "--workers", workers)
    say(server, receiver, "some key")
    assert server.terminate() == 0
    changed = COUNT.replace(
        "    def __init__",
        "    def __setstate__(self, state):\n"
        "        if state['count']:\n"
        "            raise ValueError('of another version')\n\n"
        "    def __init__",
    )
    server = serve(one_pipeline(COUNT_STEP, changed), *RESILIENT, "--workers", workers, ready=False)
    assert server.wait() == 4
    assert server.log_lines("counts", "some key", "can't be restored", "of another version")
    assert "Traceback" in server.stderr and "in __setstate__" in server.stderr
    assert "listening on" not in server.stdout
    server = serve(COUNTING, *RESILIENT, "--workers", workers)
    assert say(server, receiver, "some key")[-1] == "some key 2"


def test_idle_server_ends_no_epochs(serve: Serve, receiver: Receiver, tmp_path: Path) -> None:
    server = serve(COUNTING, *RESILIENT)
    store = tmp_path / DIRECTORY
    wait_quiet(lambda: newest_epoch(store), 1.0)
    assert newest_epoch(store) == 0
    say(server, receiver, "a", "b")
    server.wait_for(lambda: newest_epoch(store) > 0, "an epoch")
    wait_quiet(lambda: newest_epoch(store), 1.0)
    before = newest_epoch(store)
    assert before <= 2, "one for each batch at most"
    assert server.terminate() == 0
    assert newest_epoch(store) == before
    server = serve(COUNTING, *RESILIENT)
    wait_quiet(lambda: newest_epoch(store), 1.0)
    assert server.terminate() == 0
    assert newest_epoch(store) == before


def test_damaged_store_is_refused_or_taken_back_to_the_last_whole_epoch(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    store = tmp_path / DIRECTORY
    server = serve(COUNTING, *RESILIENT)
    for word in ("a", "b"):
        epoch = newest_epoch(store)
        say(server, receiver, word)
        wait_until(lambda epoch=epoch: newest_epoch(store) > epoch, "the next epoch")
    assert server.terminate() == 0
    assert change_store(store, "UPDATE snap SET value=x'00' WHERE key='b'") == 1
    server = serve(COUNTING, *RESILIENT, ready=False)
    assert server.wait() == 4
    assert server.log_lines("worker-0.sqlite3"), server.stderr
    assert "listening on" not in server.stdout
    server = serve(COUNTING, *RESILIENT, "--recover-damaged")
    assert server.log_lines(" warning ", "worker-0.sqlite3"), server.stderr
    assert say(server, receiver, "a")[-1] == "a 2"
    assert server.terminate() == 0
    server = serve(COUNTING, *RESILIENT)
    assert say(server, receiver, "a")[-1] == "a 3"
    assert server.terminate() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_damage_that_lies_further_back_than_the_journal_is_recovered_from(
    serve: Serve, receiver: Receiver, tmp_path: Path, workers: str
) -> None:
    options = (*RESILIENT, "--workers", workers)
    store = tmp_path / DIRECTORY
    counting = one_pipeline(f"{COUNT_STEP[:-1]}, ['a', 'b'])", COUNT)
    server = serve(counting, *options)
    for word in "abababababab":  # of several workers each has as many epochs as the others
        epoch = newest_epoch(store)
        say(server, receiver, word)
        wait_until(lambda epoch=epoch: newest_epoch(store) > epoch, "the next epoch")
    assert server.terminate() == 0
    old = "epoch=(SELECT epoch FROM snap WHERE key='a' ORDER BY epoch LIMIT 1 OFFSET 1)"
    assert change_store(store, f"UPDATE snap SET value=x'00' WHERE key='a' AND {old}") == 1
    server = serve(counting, *options, ready=False)
    assert server.wait() == 4
    server = serve(counting, *options, "--recover-damaged")
    assert server.log_lines(" warning ", "the states lack what those before it held")
    last = say(server, receiver, "a")[-1]
    assert server.terminate() == 0
    server = serve(counting, *options)
    assert say(server, receiver, "a")[-1] == f"a {int(last.split()[1]) + 1}"
    assert server.terminate() == 0


def test_keys_in_another_order_are_refused_by_two_workers_also_when_damage_is_accepted(
    serve: Serve, receiver: Receiver, tmp_path: Path
) -> None:
    def counting(keys: str) -> str:
        return one_pipeline(f"{COUNT_STEP[:-1]}, {keys})", COUNT)

    def count(server: Server, *expected: str) -> None:
        with Client(server.address()) as client:
            client.send_frames(*(line.split()[0] for line in expected))
            wait_until(
                lambda: set(expected) <= set(receiver.data.decode().splitlines()),
                lambda: f"{expected}; there is {receiver.data!r}",
            )

    two = ("--workers", "2")
    server = serve(counting("['a', 'b']"), *RESILIENT, *two)
    count(server, "a 1", "b 1")
    assert server.terminate() == 0
    for options in ((), ("--recover-damaged",)):
        server = serve(counting("['b', 'a']"), *RESILIENT, *two, *options, ready=False)
        assert server.wait() == 2, server.describe()
        assert server.log_lines("list of keys has changed"), server.describe()
    server = serve(counting("['a', 'b']"), *RESILIENT, *two)
    count(server, "a 2", "b 2")
    assert server.terminate() == 0
    server = serve(counting("['a', 'b']"), *RESILIENT, "--workers", "1")
    assert server.terminate() == 0
    server = serve(counting("['b', 'a']"), *RESILIENT, *two)
    count(server, "a 3", "b 3")
    assert server.terminate() == 0
    assert change_store(tmp_path / DIRECTORY, "UPDATE snap SET value=x'00'") > 0
    server = serve(counting("['b', 'a']"), *RESILIENT, *two, ready=False)
    assert server.wait() == 4
    assert server.log_lines("worker-0.sqlite3"), server.describe()


@pytest.mark.parametrize("option", ["--epoch-interval", "--journal-bytes"])
def test_wrong_value_is_a_mistake_that_names_the_option(serve: Serve, option: str) -> None:
    server = serve(COUNTING, "--resilience-dir", DIRECTORY, option, "0", ready=False)
    assert server.wait() == 2
    assert option in server.stderr
