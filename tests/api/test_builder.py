"""ApplicationBuilder returns the topology tuples of what it was told."""

import pytest
import wallaroo
from api_samples import (
    SINK,
    SOURCE,
    Counts,
    builder,
    count,
    count_twice,
    decode,
    encode,
    first_letter,
    reverse,
    split,
)
from hypothesis import given
from hypothesis import strategies as st

STEPS = {
    "to": lambda ab: ab.to(reverse),
    "to_parallel": lambda ab: ab.to_parallel(split),
    "to_stateful": lambda ab: ab.to_stateful(count, Counts, "one"),
    "to_state_partition": lambda ab: ab.to_state_partition(
        count_twice, Counts, "several", first_letter, ["a"]
    ),
    "to_state_partition_u64": lambda ab: ab.to_state_partition_u64(
        count_twice, Counts, "numbered", first_letter, [0, 1]
    ),
}


def test_topology_has_one_tuple_for_each_call():
    source = wallaroo.TCPSourceConfig("localhost", "7010", decode)
    sink = wallaroo.TCPSinkConfig("localhost", "7002", encode)
    ab = wallaroo.ApplicationBuilder("all of it")
    ab.new_pipeline("first", source)
    ab.to(reverse)
    ab.to_parallel(split)
    ab.to_stateful(count, Counts, "one")
    ab.done()
    ab.new_pipeline("second", source)
    ab.to_state_partition(count, Counts, "several", first_letter, ["a", "b"])
    ab.to_state_partition_u64(count_twice, Counts, "numbered", first_letter, [0, 7])
    ab.to_sinks([sink, sink])
    topology = ab.build()

    in_tuple = ("tcp", "localhost", "7010", decode)
    out_tuple = ("tcp", "localhost", "7002", encode)
    assert type(topology) is list
    one, several, numbered = topology[4][2], topology[7][2], topology[8][2]
    assert topology == [
        ("name", "all of it"),
        ("new_pipeline", "first", in_tuple),
        ("to", reverse),
        ("to_parallel", split),
        ("to_stateful", count, one, "one"),
        ("done",),
        ("new_pipeline", "second", in_tuple),
        ("to_state_partition", count, several, "several", first_letter, ["a", "b"]),
        ("to_state_partition_u64", count_twice, numbered, "numbered", first_letter, [0, 7]),
        ("to_sinks", [out_tuple, out_tuple]),
    ]
    for state_builder in (one, several, numbered):
        assert isinstance(state_builder.____wallaroo_build____(), Counts)


def test_every_method_returns_the_builder():
    ab = wallaroo.ApplicationBuilder("chain")
    assert ab.new_pipeline("main", SOURCE) is ab
    for step in STEPS.values():
        assert step(ab) is ab
    assert ab.to_sink(SINK) is ab
    assert ab.done() is ab
    assert ab.new_pipeline("other", SOURCE).to_sinks([SINK]) is ab


def test_methods_return_the_builder_even_after_a_mistake():
    ab = wallaroo.ApplicationBuilder("wrong")
    assert ab.to(None).done().to_sinks(None).new_pipeline(1, None).to_sink(None) is ab


def test_only_to_sinks_is_enough():
    assert builder().to_sinks([SINK]).build()[-1] == ("to_sinks", [SINK])


def test_done_may_follow_a_sink_before_the_next_pipeline():
    ab = builder().to(reverse).to_sink(SINK).done()
    ab.new_pipeline("other", SOURCE).to_sink(SINK).done()
    assert [action[0] for action in ab.build()].count("done") == 2


def test_pipeline_without_a_sink_may_end_in_done():
    ab = builder().to_stateful(count, Counts, "counts").done()
    assert ab.new_pipeline("other", SOURCE).to_sink(SINK).build()


def test_pipeline_may_have_no_steps():
    assert len(builder().to_sink(SINK).build()) == 3


@pytest.mark.parametrize("omitted", [{}, {"partition_keys": None}, {"partition_keys": []}])
def test_partition_keys_may_be_omitted(omitted):
    ab = builder().to_state_partition(count, Counts, "counts", first_letter, **omitted)
    ab.to_state_partition_u64(count_twice, Counts, "others", first_letter, **omitted)
    topology = ab.to_sink(SINK).build()
    assert topology[2][5] == []
    assert topology[3][5] == []


def test_key_list_is_the_one_at_the_time_of_the_call():
    keys = ["a"]
    ab = builder().to_state_partition(count, Counts, "counts", first_letter, keys)
    keys.append("b")
    assert ab.to_sink(SINK).build()[2][5] == ["a"]


def test_topology_does_not_change_when_the_builder_goes_on():
    ab = builder().to_sink(SINK)
    topology = ab.build()
    ab.new_pipeline("other", SOURCE).to_sink(SINK)
    assert len(topology) == 3
    assert len(ab.build()) == 5


def test_state_may_be_shared_by_name_across_pipelines():
    ab = builder().to_state_partition(count, Counts, "counts", first_letter, ["a", "b"]).done()
    ab.new_pipeline("other", SOURCE)
    ab.to_state_partition(count_twice, Counts, "counts", first_letter, ["a", "b"])
    assert ab.to_sink(SINK).build()


def test_one_computation_may_be_used_several_times():
    ab = builder().to(reverse).to(reverse).to_sink(SINK)
    assert ab.new_pipeline("other", SOURCE).to(reverse).to_sink(SINK).build()


def test_two_pipelines_may_have_steps_of_one_name():
    @wallaroo.computation(name="Reverse")
    def other_reverse(data):
        return data

    ab = builder().to(reverse).to_sink(SINK)
    assert ab.new_pipeline("other", SOURCE).to(other_reverse).to_sink(SINK).build()


def test_spec_names_of_the_arguments_work_as_keywords():
    ab = wallaroo.ApplicationBuilder(name="keywords")
    ab.new_pipeline(name="main", source_config=SOURCE)
    ab.to(computation=reverse).to_parallel(computation=split)
    ab.to_stateful(computation=count, state_class=Counts, state_name="one")
    partition = {"partition_function": first_letter, "partition_keys": [1]}
    ab.to_state_partition(
        computation=count, state=Counts, state_partition_name="several", **partition
    )
    ab.to_state_partition_u64(
        computation=count, state_builder=Counts, state_partition_name="numbered", **partition
    )
    assert ab.to_sinks(sink_configs=[SINK]).build()


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=6))
def test_any_row_of_steps_comes_back_in_order(names):
    ab = builder()
    for name in names:
        STEPS[name](ab)
    assert [action[0] for action in ab.to_sink(SINK).build()] == [
        "name",
        "new_pipeline",
        *names,
        "to_sink",
    ]


@given(st.lists(st.one_of(st.integers(), st.text(), st.tuples(st.integers())), unique=True))
def test_any_list_of_different_keys_is_kept(keys):
    ab = builder().to_state_partition(count, Counts, "counts", first_letter, keys)
    assert ab.to_sink(SINK).build()[2][5] == keys
