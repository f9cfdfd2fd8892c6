"""Records find the state of their key, and keys that nobody listed are not lost in silence."""

import pytest
from harness import Client, Receiver, Serve, one_pipeline

COUNTING = """\
class Count:
    def __init__(self):
        self.value = 0

@wallaroo.partition
def first_letter(data):
    return data[:1]

@wallaroo.partition
def number(data):
    return int(data)

@wallaroo.state_computation(name="count")
def count(data, state):
    state.value += 1
    return f"{data}={state.value}", True
"""
LISTED = 'ab.to_state_partition(count, Count, "counts", first_letter, ["a", "b"])'


def test_each_key_has_its_own_state(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(LISTED, COUNTING))
    with Client(server.address()) as client:
        client.send_frames("a", "b", "a", "ax", "b")
        assert receiver.wait_lines(5) == ["a=1", "b=1", "a=2", "ax=3", "b=2"]


def test_unknown_key_is_dropped_counted_and_logged_once_with_its_repr(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(one_pipeline(LISTED, COUNTING))
    with Client(server.address()) as client:
        client.send_frames("a", "x", "b", "x", "y")
        client.send_frames("a")
        assert receiver.wait_lines(3) == ["a=1", "b=1", "a=2"]
        assert server.terminate() == 0
    (line,) = server.log_lines("'x'")
    assert "main" in line and "count" in line
    assert server.summary()["unknown keys"] == 3


def test_unknown_keys_create_makes_their_state(serve: Serve, receiver: Receiver) -> None:
    server = serve(one_pipeline(LISTED, COUNTING), "--unknown-keys=create")
    with Client(server.address()) as client:
        client.send_frames("a", "x", "x", "y")
        assert receiver.wait_lines(4) == ["a=1", "x=1", "x=2", "y=1"]
        assert server.terminate() == 0
    assert not server.log_lines("'x'")


def test_without_a_list_keys_are_made_on_demand(serve: Serve, receiver: Receiver) -> None:
    steps = 'ab.to_state_partition(count, Count, "counts", first_letter)'
    server = serve(one_pipeline(steps, COUNTING))
    with Client(server.address()) as client:
        client.send_frames("a", "x", "x")
        assert receiver.wait_lines(3) == ["a=1", "x=1", "x=2"]


def test_u64_keys(serve: Serve, receiver: Receiver) -> None:
    keys = "[0, 7, 2**64 - 1]"
    steps = f'ab.to_state_partition_u64(count, Count, "counts", number, {keys})'
    server = serve(one_pipeline(steps, COUNTING))
    with Client(server.address()) as client:
        client.send_frames("0", "7", "18446744073709551615", "07", "8", "0")
        assert receiver.wait_lines(5) == ["0=1", "7=1", "18446744073709551615=1", "07=2", "0=2"]


@pytest.mark.parametrize(
    "keys", ["[Key('a'), Key('b')]", "[('a', 1), ('b', 1)]", "[1.0, True + 1]"]
)
def test_keys_are_what_hash_and_eq_say(serve: Serve, receiver: Receiver, keys: str) -> None:
    own_keys = f"""
class Key:
    def __init__(self, text):
        self.text = text
    def __hash__(self):
        return 1
    def __eq__(self, other):
        return isinstance(other, Key) and self.text == other.text

KEYS = {keys}

@wallaroo.partition
def by_key(data):
    which = 0 if data == "a" else 1
    if isinstance(KEYS[0], Key):
        return Key("ab"[which])
    return (data, 1) if isinstance(KEYS[0], tuple) else which + 1
"""
    steps = 'ab.to_state_partition(count, Count, "counts", by_key, KEYS)'
    server = serve(one_pipeline(steps, COUNTING + own_keys))
    with Client(server.address()) as client:
        client.send_frames("a", "b", "a")
        assert receiver.wait_lines(3) == ["a=1", "b=1", "a=2"]


def test_state_that_cannot_be_made_is_a_mistake_or_a_dead_letter(
    serve: Serve, receiver: Receiver
) -> None:
    brittle = """
class Brittle(Count):
    made = 0
    def __init__(self):
        super().__init__()
        Brittle.made += 1
        if Brittle.made == 2:
            raise RuntimeError("the second one breaks")
"""
    steps = 'ab.to_state_partition(count, Brittle, "counts", first_letter)'
    server = serve(one_pipeline(steps, COUNTING + brittle))
    with Client(server.address()) as client:
        client.send_frames("a", "b", "a", "c")
        assert receiver.wait_lines(3) == ["a=1", "a=2", "c=1"]
    assert "the second one breaks" in server.stderr


def test_none_is_a_key_like_others(serve: Serve, receiver: Receiver) -> None:
    steps = 'ab.to_state_partition(count, Count, "counts", none_key, ["a"])'
    none_key = (
        COUNTING
        + """
@wallaroo.partition
def none_key(data):
    return None if data == "none" else data
"""
    )
    server = serve(one_pipeline(steps, none_key))
    with Client(server.address()) as client:
        client.send_frames("none", "a", "none", "a")
        assert receiver.wait_lines(2) == ["a=1", "a=2"]
        assert server.terminate() == 0
    assert len(server.log_lines("the key None")) == 1
