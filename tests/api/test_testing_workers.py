"""wallaroo.testing with several workers: the same results, each key at its worker."""

from collections import Counter

import pytest
import wallaroo
from api_samples import Counts, SINK, builder, count, first_letter
from hypothesis import given, settings
from hypothesis import strategies as st
from wallaroo import testing


def counting_app():
    letters = [chr(code) for code in range(ord("a"), ord("h") + 1)]
    return (
        builder().to_state_partition(count, Counts, "counts", first_letter, letters).to_sink(SINK)
    )


words = st.text(st.sampled_from("abcdefgh"), min_size=1, max_size=3)
connections = st.lists(st.lists(words, max_size=20), max_size=5)


@settings(max_examples=50, deadline=None)
@given(connections, st.integers(2, 4))
def test_several_workers_do_what_one_does(inputs, workers):
    feeds = [("main", [word.encode() for word in connection]) for connection in inputs]
    one = testing.run(counting_app(), feeds)
    several = testing.run(counting_app(), feeds, workers=workers)
    assert Counter(several.output()) == Counter(one.output())
    assert {key: vars(state) for key, state in several.states["counts"].items()} == {
        key: vars(state) for key, state in one.states["counts"].items()
    }


@pytest.mark.parametrize("workers", [0, -1, True, "2", 1.0])
def test_a_wrong_number_of_workers_is_refused(workers):
    with pytest.raises(ValueError, match="workers must be an int of 1 or more"):
        testing.run(counting_app(), [], workers=workers)


def test_the_partition_function_runs_once_for_a_record_that_stays_and_twice_for_one_that_moves():
    asked = Counter()

    @wallaroo.partition
    def letter(data):
        asked[data[0]] += 1
        return data[0]

    app = builder().to_state_partition(count, Counts, "counts", letter, ["a", "b"]).to_sink(SINK)
    records = [b"a"] * 300 + [b"b"] * 300
    testing.run(app, [("main", records), ("main", records)], workers=2)
    assert asked == {"a": 300 + 2 * 300, "b": 300 + 2 * 300}
