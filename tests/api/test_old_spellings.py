"""Applications written for older versions load: objects with methods, classes, tuples, names."""

import pickle
import struct

import pytest
import wallaroo
from api_samples import SINK, SOURCE, Counts, builder, count, decode, encode, first_letter
from wallaroo import testing


class OldDecoder:
    def header_length(self):
        return 2

    def payload_length(self, header):
        return struct.unpack(">H", header)[0]

    def decode(self, payload):
        return payload.decode()


class OldEncoder:
    def encode(self, data):
        return data + "\n"


class OldUpper:
    def name(self):
        return "upper"

    def compute(self, data):
        return data.upper()


class OldWords:
    def name(self):
        return "words"

    def compute_multi(self, data):
        return data.split()


class NamelessUpper:
    def compute(self, data):
        return data.upper()


class OldCount:
    def name(self):
        return "count"

    def compute(self, data, state):
        state.counts[data] = state.counts.get(data, 0) + 1
        return f"{data} {state.counts[data]}", True


class OldPartition:
    def partition(self, data):
        return data[0]


class OldStateBuilder:
    def name(self):
        return "counts builder"

    def build(self):
        return Counts()


class OlderStateBuilder:
    def ____wallaroo_build____(self):
        return Counts()


class ConfigLikeObject:
    def to_tuple(self):
        return SINK


STATE_SOURCES = [
    Counts,
    lambda: Counts(),
    OldStateBuilder(),
    OlderStateBuilder(),
    OlderStateBuilder,
]


@pytest.mark.parametrize("state", STATE_SOURCES)
def test_state_builder_builds_from_every_kind_of_source(state):
    state_builder = wallaroo.StateBuilder("counts", state)
    first, second = (state_builder.____wallaroo_build____() for _ in range(2))
    assert type(first) is type(second) is Counts
    assert first is not second


def test_state_class_may_have_a_method_build_of_its_own():
    class House:
        def build(self):
            raise AssertionError("the engine does not build houses")

    assert type(wallaroo.StateBuilder("houses", House).____wallaroo_build____()) is House


def test_state_builder_of_a_builder_object_pickles():
    state_builder = wallaroo.StateBuilder("counts", OldStateBuilder())
    again = pickle.loads(pickle.dumps(state_builder))
    assert type(again.____wallaroo_build____()) is Counts


def test_two_builder_objects_of_one_class_are_one_type_of_state():
    ab = builder().to_stateful(count, OldStateBuilder(), "counts")
    assert ab.to_stateful(count, OldStateBuilder(), "counts").to_sink(SINK).build()
    other = builder().to_stateful(count, OldStateBuilder(), "counts")
    other.to_stateful(count, OlderStateBuilder(), "counts").to_sink(SINK)
    with pytest.raises(wallaroo.WallarooParameterError, match="an different type"):
        other.build()


def test_hand_made_tuples_stand_for_configurations():
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", ("tcp", "host", 7010, decode))
    topology = ab.to_sinks([("tcp", "host", 7002, encode), ConfigLikeObject()]).build()
    assert topology[1][2] == ("tcp", "host", "7010", decode)
    assert topology[2][1] == [("tcp", "host", "7002", encode), SINK]


def test_tuples_of_other_kinds_are_left_to_the_engine():
    source = ("gen", object())
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", source).to_sink(SINK)
    assert ab.build()[1][2] is source


def test_old_keywords_of_the_builder():
    ab = builder()
    ab.to_stateful(count, state_builder=OldStateBuilder(), state_name="one")
    old = {"partition_function": first_letter, "partition_keys": [1]}
    ab.to_state_partition(count, state_class=Counts, state_name="several", **old)
    ab.to_state_partition(count, state_builder=Counts, state_name="several", **old)
    ab.to_state_partition_u64(count, state_class=Counts, state_name="several", **old)
    ab.to_state_partition_u64(count, state=Counts, state_name="several", **old)
    assert [action[3] for action in ab.to_sink(SINK).build()[2:-1]] == ["one"] + ["several"] * 4


def test_old_and_current_keyword_together_are_refused():
    with pytest.raises(TypeError, match="state_class"):
        builder().to_state_partition(
            count, state=Counts, state_class=Counts, state_name="s", partition_function=first_letter
        )


@pytest.mark.parametrize("make", [lambda kind: kind, lambda kind: kind()], ids=["class", "object"])
def test_application_of_methods_runs(make):
    ab = wallaroo.ApplicationBuilder("old")
    ab.new_pipeline("main", wallaroo.TCPSourceConfig("host", "7010", make(OldDecoder)))
    ab.to(make(OldUpper)).to_parallel(make(OldWords))
    ab.to_state_partition(make(OldCount), OldStateBuilder(), "counts", make(OldPartition))
    ab.to_sink(wallaroo.TCPSinkConfig("host", "7002", make(OldEncoder)))
    result = testing.run(ab, {"main": testing.stream([b"\0\5a b a", b"\0\1b"])})
    assert result.output() == [b"A 1\n", b"B 1\n", b"A 2\n", b"B 2\n"]


def test_computation_without_a_name_runs():
    ab = builder().to(NamelessUpper()).to_sink(SINK)
    assert testing.run(ab, {"main": [b"a"]}).output() == [b"A\n"]


def test_several_computations_without_a_name_may_stand_in_one_pipeline():
    ab = builder().to(NamelessUpper()).to(NamelessUpper()).to(OldUpper).to(OldUpper()).to_sink(SINK)
    assert testing.run(ab, {"main": [b"a"]}).output() == [b"A\n"]


def test_hand_made_topology_runs():
    topology = [
        ("name", "old"),
        ("new_pipeline", "main", SOURCE),
        ("to", OldUpper()),
        ("to_stateful", OldCount(), OldStateBuilder(), "counts"),
        ("to_sink", SINK),
        ("done",),
    ]
    assert testing.run(topology, {"main": [b"a", b"a"]}).output() == [b"A 1\n", b"A 2\n"]
