"""Decorated objects pickle as references: they come back as the same object."""

import copy
import os
import pickle
import subprocess
import sys

import api_samples
import pytest
import wallaroo
from hypothesis import given
from hypothesis import strategies as st

DECORATED = [
    api_samples.decode,
    api_samples.decode_message,
    api_samples.encode,
    api_samples.reverse,
    api_samples.split,
    api_samples.first_letter,
    api_samples.count,
    api_samples.count_twice,
]
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("thing", DECORATED, ids=lambda thing: thing.__name__)
def test_decorated_object_comes_back_as_itself(thing, protocol):
    assert pickle.loads(pickle.dumps(thing, protocol)) is thing


def test_decorated_static_method_comes_back_as_itself():
    assert pickle.loads(pickle.dumps(api_samples.Shelf.shelved)) is api_samples.Shelf.shelved


def test_decorated_lambda_is_found_by_its_module_attribute():
    assert pickle.loads(pickle.dumps(api_samples.double)) is api_samples.double


def test_copies_of_a_decorated_object_are_itself():
    assert copy.copy(api_samples.reverse) is api_samples.reverse
    assert copy.deepcopy([api_samples.decode]) == [api_samples.decode]


def test_decorated_local_function_is_refused_by_pickle():
    @wallaroo.computation(name="local")
    def local(data):
        return data

    with pytest.raises((pickle.PicklingError, AttributeError), match="local"):
        pickle.dumps(local)


def test_state_builder_comes_back_able_to_build():
    builder = wallaroo.StateBuilder("counts", api_samples.Counts)
    again = pickle.loads(pickle.dumps(builder))
    assert again.name == "counts"
    assert type(again.____wallaroo_build____()) is api_samples.Counts


def test_whole_topology_comes_back():
    topology = api_samples.application_setup(["app", "--in", "h:1", "--out", "h:2"])
    assert wallaroo.deserialize(wallaroo.serialize(topology)) == topology


def test_error_comes_back_with_its_mistakes():
    error = pickle.loads(pickle.dumps(wallaroo.WallarooParameterError("one", "two")))
    assert error.mistakes == ("one", "two")


def test_another_process_finds_the_same_attribute():
    pickled = pickle.dumps([api_samples.reverse, api_samples.double])
    code = (
        "import pickle, sys; "
        "reverse, double = pickle.load(sys.stdin.buffer); "
        "import api_samples; "
        "assert reverse is api_samples.reverse and double is api_samples.double; "
        "print(reverse('abc'), double('abc'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickled,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.stderr == b""
    assert done.stdout == b"cba abcabc\n"


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(values)
def test_serialize_and_deserialize_are_inverse(value):
    pickled = wallaroo.serialize(value)
    assert type(pickled) is bytes
    assert pickled[1] == 5
    assert wallaroo.deserialize(pickled) == value
