"""Every mistake in an application is a clear error, which names the pipeline and the step."""

import inspect

import pytest
import wallaroo
from api_samples import (
    SINK,
    SOURCE,
    Counts,
    builder,
    count,
    decode,
    encode,
    first_letter,
    reverse,
)
from hypothesis import given
from hypothesis import strategies as st


class OtherCounts(Counts):
    pass


class Unhashable:
    __hash__ = None


class RaisingHash:
    def __hash__(self):
        raise RuntimeError("no hash today")


def plain(data):
    return data


def mistakes(ab):
    with pytest.raises(wallaroo.WallarooParameterError) as caught:
        ab.build()
    return caught.value.mistakes


def only_mistake(ab):
    (mistake,) = mistakes(ab)
    return mistake


def partitioned(keys, method="to_state_partition", function=first_letter):
    return getattr(builder(), method)(count, Counts, "counts", function, keys).to_sink(SINK)


def test_mistake_names_application_pipeline_step_and_line():
    ab = builder("shop").to(reverse)
    line = inspect.currentframe().f_lineno + 1
    ab.to(plain)
    text = only_mistake(ab.to_sink(SINK))
    assert "application 'shop', pipeline 'main', step 2 to('plain')" in text
    assert f"{__file__}:{line}" in text


def test_mistake_in_a_method_with_old_keywords_names_the_users_line():
    ab = builder()
    line = inspect.currentframe().f_lineno + 1
    ab.to_stateful(plain, Counts, "counts")
    assert f"{__file__}:{line}" in only_mistake(ab.to_sink(SINK))


def test_all_mistakes_are_reported_together():
    ab = builder().to(plain).to_stateful(count, None, "").to_sink(None)
    found = mistakes(ab)
    assert len(found) == 4
    text = str(wallaroo.WallarooParameterError(*found))
    assert text.startswith("4 mistakes:\n  1. ")
    assert all(mistake in text for mistake in found)


@pytest.mark.parametrize("method", ["to", "to_parallel", "to_sink"])
def test_step_before_any_pipeline(method):
    thing = SINK if method == "to_sink" else reverse
    ab = getattr(wallaroo.ApplicationBuilder("app"), method)(thing)
    text = mistakes(ab)[0]
    assert "Please declare a new pipeline before adding computation steps." in text
    assert method in text


@pytest.mark.parametrize("end", ["to_sink", "to_sinks"])
def test_step_after_a_sink(end):
    ab = builder()
    ab = ab.to_sink(SINK) if end == "to_sink" else ab.to_sinks([SINK])
    text = only_mistake(ab.to(reverse))
    assert (
        "Unable to add a computation step after a sink. Please declare a new pipeline first."
    ) in text
    assert "pipeline 'main'" in text
    assert "to('Reverse')" in text


def test_second_sink_points_to_to_sinks():
    assert "to_sinks" in only_mistake(builder().to_sink(SINK).to_sink(SINK))


def test_step_after_done():
    ab = builder().to_sink(SINK).done().to(reverse)
    assert "Please declare a new pipeline before adding" in only_mistake(ab)


def test_no_pipeline():
    text = only_mistake(wallaroo.ApplicationBuilder("empty"))
    assert "At least one pipeline must define a sink" in text
    assert "application 'empty'" in text
    assert "no pipeline" in text


def test_no_sink_in_any_pipeline():
    ab = builder().to_stateful(count, Counts, "counts").done()
    assert "At least one pipeline must define a sink" in only_mistake(ab)


def test_last_pipeline_not_closed():
    ab = builder().to_sink(SINK).new_pipeline("open", SOURCE).to(reverse)
    text = only_mistake(ab)
    assert "The last pipeline is not closed" in text
    assert "pipeline 'open'" in text


def test_new_pipeline_while_one_is_open():
    ab = builder().to(reverse).new_pipeline("second", SOURCE).to_sink(SINK)
    text = only_mistake(ab)
    assert "pipeline 'main'" in text
    assert "not closed" in text
    assert "'second'" in text


def test_duplicate_pipeline_name():
    ab = builder().to_sink(SINK).new_pipeline("main", SOURCE).to_sink(SINK)
    assert "A pipeline named 'main' is defined more than once." in only_mistake(ab)


def test_done_without_a_pipeline():
    assert "done() without a pipeline" in mistakes(wallaroo.ApplicationBuilder("app").done())[0]


def test_done_twice():
    ab = builder().to_sink(SINK).done().done()
    assert "done() without a pipeline" in only_mistake(ab)


@pytest.mark.parametrize("name", ["", None, 7, b"bytes"])
def test_names_must_be_non_empty_str(name):
    ab = wallaroo.ApplicationBuilder(name).new_pipeline(name, SOURCE)
    found = mistakes(ab.to_stateful(count, Counts, name).to_sink(SINK))
    assert len(found) == 3
    assert "application's name must be a non-empty str" in found[0]
    assert "pipeline's name must be a non-empty str" in found[1]
    assert "state name must be a non-empty str" in found[2]


def test_two_computations_of_one_name_in_a_pipeline():
    @wallaroo.computation(name="Reverse")
    def other_reverse(data):
        return data

    text = only_mistake(builder().to(reverse).to(other_reverse).to_sink(SINK))
    assert "A computation named 'Reverse' is defined more than once." in text
    assert "Please use unique names for your steps." in text
    assert "reverse (" in text
    assert "other_reverse (" in text


@pytest.mark.parametrize("add", ["to", "to_parallel"])
@pytest.mark.parametrize("function", [plain, len, lambda data: data])
def test_undecorated_function_as_computation(add, function):
    text = only_mistake(getattr(builder(), add)(function).to_sink(SINK))
    assert 'decorate it with @wallaroo.computation(name="...")' in text


def test_undecorated_function_as_state_computation():
    ab = builder().to_stateful(lambda data, state: (data, True), Counts, "counts")
    assert "@wallaroo.state_computation(name=" in only_mistake(ab.to_sink(SINK))


def test_state_computation_given_to_to():
    text = only_mistake(builder().to(count).to_sink(SINK))
    assert "is a StateComputation" in text
    assert "to_stateful()" in text


def test_plain_computation_given_to_a_step_with_state():
    ab = builder().to_stateful(reverse, Counts, "one")
    ab.to_state_partition(reverse, Counts, "several", first_letter, ["a"])
    for text in mistakes(ab.to_sink(SINK)):
        assert "is a Computation" in text
        assert "@wallaroo.state_computation" in text


@pytest.mark.parametrize("thing", [first_letter, encode, decode])
def test_other_decorated_function_as_computation(thing):
    text = only_mistake(builder().to(thing).to_sink(SINK))
    assert f"is a {type(thing).__name__}, not a computation" in text


@pytest.mark.parametrize("thing", [None, 5, "reverse", Counts, Counts()])
def test_computation_without_its_methods(thing):
    text = only_mistake(builder().to(thing).to_sink(SINK))
    assert "compute or compute_multi" in text
    assert "step 1 to(" in text


@pytest.mark.parametrize("state", [None, 5, "Counts", count])
def test_state_that_cannot_be_built(state):
    ab = builder().to_stateful(count, state, "counts").to_sink(SINK)
    assert "not a state class" in only_mistake(ab)


def test_one_state_name_with_another_class():
    ab = builder().to_stateful(count, Counts, "counts").to_stateful(count, OtherCounts, "counts")
    text = only_mistake(ab.to_sink(SINK))
    assert "A state with the name 'counts' has already been defined with an different type" in text
    assert "OtherCounts" in text
    assert "step 2" in text


@pytest.mark.parametrize("other_keys", [["a"], ["b", "a"], []])
def test_one_state_name_with_another_key_list(other_keys):
    ab = builder().to_state_partition(count, Counts, "counts", first_letter, ["a", "b"])
    ab.to_state_partition(count, Counts, "counts", first_letter, other_keys)
    text = only_mistake(ab.to_sink(SINK))
    assert (
        "A state with the name 'counts' has already been defined with an different paritioning "
        f"scheme ['a', 'b'], instead of {other_keys!r}."
    ) in text


def test_one_state_name_with_and_without_partitions():
    ab = builder().to_stateful(count, Counts, "counts")
    ab.to_state_partition(count, Counts, "counts", first_letter, ["a"])
    assert "different paritioning scheme None" in only_mistake(ab.to_sink(SINK))


@pytest.mark.parametrize("keys", [("a", "b"), "ab", {"a"}, 5, iter("ab")])
def test_key_list_of_another_type(keys):
    text = only_mistake(partitioned(keys))
    assert f"Partitions lists should be of type list. Got a {type(keys)} instead." in text


@pytest.mark.parametrize("keys", [["a", "b", "a"], [1, True], [1, 1.0]])
def test_duplicate_keys(keys):
    text = only_mistake(partitioned(keys))
    assert "Partition labels should be uniquely identified via equality" in text
    assert "at index 0 and at index" in text


@pytest.mark.parametrize("key", [[], {}, Unhashable(), RaisingHash()])
def test_unhashable_keys(key):
    text = only_mistake(partitioned(["a", key]))
    assert "objects which can't be used as keys in a dict" in text
    assert "index 1" in text


@given(st.lists(st.integers(), min_size=1, unique=True), st.data())
def test_any_repeated_key_is_found(keys, data):
    again = data.draw(st.sampled_from(keys))
    assert f"the key {again!r} is at index" in only_mistake(partitioned([*keys, again]))


@pytest.mark.parametrize("key", [-1, True, "7", 1.5, None])
def test_u64_key_that_is_no_non_negative_int(key):
    text = only_mistake(partitioned([0, key], "to_state_partition_u64"))
    assert (
        f"{key!r} is an invalid partition label. to_state_partition_u64 requires non-negative "
        "integers for all labels."
    ) in text


@pytest.mark.parametrize("function", [plain, "a string", None, reverse])
def test_partition_function_without_its_method(function):
    text = only_mistake(partitioned(["a"], function=function))
    assert "Partition function is missing partition method. Did you forget to use the" in text
    assert "@wallaroo.partition " in text


def test_long_key_lists_are_cut_in_messages():
    ab = builder().to_state_partition(count, Counts, "counts", first_letter, list(range(9999)))
    ab.to_state_partition(count, Counts, "counts", first_letter, [1])
    text = only_mistake(ab.to_sink(SINK))
    assert len(text) < 1000
    assert "(9999 items)" in text


@pytest.mark.parametrize(
    "source",
    [None, "tcp", (), ("tcp", "host"), ("tcp", "host", "7010", encode), wallaroo.TCPSourceConfig],
)
def test_source_that_is_none(source):
    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", source).to_sink(SINK)
    text = only_mistake(ab)
    assert "pipeline 'main', new_pipeline()" in text


@pytest.mark.parametrize("sink", [None, [SINK], (), ("tcp", "host", "0", encode), SOURCE])
def test_sink_that_is_none(sink):
    assert "pipeline 'main', to_sink()" in only_mistake(builder().to_sink(sink))


def test_empty_list_of_sinks():
    assert "at least one sink" in only_mistake(builder().to_sinks([]))


@pytest.mark.parametrize("sinks", [SINK, None, "tcp", 5])
def test_to_sinks_without_a_list(sinks):
    assert "to_sinks() takes a list of sinks" in only_mistake(builder().to_sinks(sinks))
