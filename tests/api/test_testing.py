"""wallaroo.testing runs an application in process, on the real engine."""

import struct
import sys

import api_samples
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
from wallaroo import testing


@wallaroo.computation(name="Fail on x")
def fail_on_x(text):
    if text == "x":
        raise ValueError("x is not wanted")
    return text


def framed(*payloads):
    return b"".join(struct.pack(">I", len(payload)) + payload for payload in payloads)


def reverse_app():
    return builder().to(reverse).to_sink(SINK)


@pytest.mark.parametrize(
    "application",
    [
        reverse_app(),
        reverse_app().build(),
        api_samples,
        api_samples.application_setup,
        lambda args: reverse_app(),
    ],
    ids=["builder", "list", "module", "application_setup", "setup that returns a builder"],
)
def test_every_form_of_an_application_runs(application):
    result = testing.run(application, {"main": [b"abc", b""]})
    assert result.output() == [b"cba\n", b"\n"]


def test_application_setup_gets_the_given_arguments():
    seen = []

    def application_setup(args):
        seen.append(args)
        return reverse_app().build()

    testing.run(application_setup, {}, args=["app", "--mine"])
    assert seen == [["app", "--mine"]]


def test_default_arguments_have_addresses_for_several_sources_and_sinks():
    def application_setup(args):
        assert len(wallaroo.tcp_parse_input_addrs(args)) >= 8
        (*_, last) = wallaroo.tcp_parse_output_addrs(args)
        return builder().to_sink(wallaroo.TCPSinkConfig(*last, encode)).build()

    assert testing.run(application_setup, {"main": [b"a"]}).output() == [b"a\n"]


def test_frames_stream_and_items_give_the_same():
    expected = [b"cba\n", b"\n", b"d\n"]
    stream = framed(b"abc", b"", b"d")
    for feed in (
        testing.frames([b"abc", bytearray(b""), memoryview(b"d")]),
        testing.stream([stream]),
        testing.stream([bytes([byte]) for byte in stream]),
        testing.items(["abc", "", "d"]),
        [b"abc", b"", b"d"],
    ):
        assert testing.run(reverse_app(), {"main": feed}).output() == expected


@given(st.lists(st.binary(max_size=20), max_size=10), st.data())
def test_stream_may_be_cut_anywhere(payloads, data):
    @wallaroo.encoder
    def same(payload):
        return payload

    @wallaroo.decoder(header_length=2, length_fmt="<H")
    def whole(payload):
        return bytes(payload)

    stream = b"".join(struct.pack("<H", len(payload)) + payload for payload in payloads)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    ab = wallaroo.ApplicationBuilder("echo").new_pipeline("main", ("tcp", "host", "1", whole))
    result = testing.run(ab.to_sink(("tcp", "host", "1", same)), {"main": testing.stream(chunks)})
    assert result.output() == payloads


def test_stream_with_a_frame_over_the_limit_is_refused():
    stream = testing.stream([framed(b"12345")])
    assert testing.run(reverse_app(), {"main": stream}, max_frame_bytes=5).output()
    with pytest.raises(ValueError, match="main"):
        testing.run(reverse_app(), {"main": stream}, max_frame_bytes=4)


def test_multi_outputs_go_on_one_by_one():
    ab = builder().to(split).to_stateful(count_twice, Counts, "counts").to_sink(SINK)
    assert testing.run(ab, {"main": [b"a b"]}).output() == [b"a 1\n", b"a 1\n", b"b 1\n", b"b 1\n"]


def test_every_sink_gets_every_output():
    @wallaroo.encoder
    def shout(text):
        return text.upper()

    ab = builder().to_sinks([SINK, ("tcp", "host", "1", shout)])
    result = testing.run(ab, {"main": [b"a", b"b"]})
    assert result.outputs == {"main": [[b"a\n", b"b\n"], [b"A", b"B"]]}
    assert result.output(sink=1) == [b"A", b"B"]
    assert result.output("main", 0) == [b"a\n", b"b\n"]


def test_sink_that_got_nothing_is_there():
    assert testing.run(reverse_app(), {}).outputs == {"main": [[]]}


def test_pipelines_share_state_by_name_and_inputs_keep_their_order():
    ab = builder().to_stateful(count, Counts, "counts").done()
    ab.new_pipeline("other", SOURCE).to_stateful(count, Counts, "counts").to_sink(SINK)
    inputs = [("main", [b"a"]), ("other", [b"a"]), ("main", [b"a"]), ("other", [b"a"])]
    result = testing.run(ab, inputs)
    assert result.output() == [b"a 2\n", b"a 4\n"]
    assert list(result.outputs) == ["other"]
    assert result.states["counts"][None].counts == {"a": 4}


def test_states_are_given_by_key_and_start_afresh():
    ab = builder().to_state_partition(count, Counts, "counts", first_letter).to_sink(SINK)
    for _ in range(2):
        result = testing.run(ab, {"main": [b"a", b"b", b"a"]})
        counts = {key: state.counts for key, state in result.states["counts"].items()}
        assert counts == {"a": {"a": 2}, "b": {"b": 1}}


def test_unknown_keys_are_dropped_and_counted_or_created():
    ab = builder().to_state_partition(count, Counts, "counts", first_letter, ["a"]).to_sink(SINK)
    inputs = {"main": [b"a", b"b", b"c", b"a"]}
    dropped = testing.run(ab, inputs)
    assert dropped.output() == [b"a 1\n", b"a 2\n"]
    assert dropped.unknown_keys == {("main", "Count"): 2}
    assert dropped.dead_letters == []
    created = testing.run(ab, inputs, unknown_keys="create")
    assert created.output() == [b"a 1\n", b"b 1\n", b"c 1\n", b"a 2\n"]
    assert created.unknown_keys == {}


def test_failing_record_raises_with_its_traceback():
    ab = builder().to(fail_on_x).to_sink(SINK)
    with pytest.raises(testing.ApplicationError) as caught:
        testing.run(ab, {"main": [b"a", b"x", b"b"]})
    text = str(caught.value)
    assert "1 record(s) failed" in text
    assert "pipeline 'main', step 'Fail on x', with input 'x'" in text
    assert "Traceback (most recent call last)" in text
    assert 'raise ValueError("x is not wanted")' in text
    assert [letter.input for letter in caught.value.dead_letters] == ["x"]
    assert caught.value.result.output() == [b"a\n", b"b\n"]


def test_failing_record_is_kept_when_asked():
    ab = builder().to(fail_on_x).to_sink(SINK)
    result = testing.run(ab, {"main": [b"a", b"x", b"b"]}, on_error="keep")
    (letter,) = result.dead_letters
    assert result.output() == [b"a\n", b"b\n"]
    assert (letter.pipeline, letter.step, letter.input) == ("main", "Fail on x", "x")
    assert "ValueError" in letter.error
    assert "x is not wanted" in letter.error
    assert "fail_on_x" in letter.traceback


def test_failing_decoder_keeps_the_bytes():
    result = testing.run(reverse_app(), {"main": [b"\xff", b"a"]}, on_error="keep")
    assert result.output() == [b"a\n"]
    assert [letter.input for letter in result.dead_letters] == [b"\xff"]


def test_mistakes_of_a_hand_made_topology_are_all_raised():
    topology = [("name", "wrong"), ("new_pipeline", "main", SOURCE), ("to", 5), ("to_sink", None)]
    with pytest.raises(wallaroo.WallarooParameterError) as caught:
        testing.run(topology, {})
    assert len(caught.value.mistakes) >= 2


def test_mistakes_of_a_builder_are_raised():
    with pytest.raises(wallaroo.WallarooParameterError, match="not closed"):
        testing.run(builder().to(reverse), {})


def test_unknown_pipeline_is_said():
    with pytest.raises(KeyError, match="no pipeline 'mian'"):
        testing.run(reverse_app(), {"mian": [b"a"]})


@pytest.mark.parametrize("feed", ["text", b"bytes", ["text"], [5], [None]])
def test_frames_must_be_a_list_of_bytes(feed):
    with pytest.raises(TypeError, match="bytes"):
        testing.run(reverse_app(), {"main": feed})
    with pytest.raises(TypeError, match="bytes"):
        testing.stream(feed)


@pytest.mark.parametrize("application", [None, 5, lambda args: None, lambda args: ("name", "app")])
def test_what_is_no_application_is_said(application):
    with pytest.raises(TypeError, match="must"):
        testing.run(application, {})


@pytest.mark.parametrize(
    "option",
    [{"on_error": "stop"}, {"unknown_keys": "keep"}, {"max_frame_bytes": 0}],
    ids=lambda option: next(iter(option)),
)
def test_wrong_option_is_said(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        testing.run(reverse_app(), {}, **option)


def test_choice_of_output_that_is_not_clear_is_said():
    ab = reverse_app().new_pipeline("other", SOURCE).to_sink(SINK)
    result = testing.run(ab, {})
    with pytest.raises(LookupError, match="name the pipeline"):
        result.output()
    with pytest.raises(LookupError, match="no pipeline 'mian'"):
        result.output("mian")
    with pytest.raises(LookupError, match="no index 1"):
        result.output("main", sink=1)


def test_missing_engine_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "_machida", None)
    with pytest.raises(ImportError, match="run scripts/build"):
        testing.run(reverse_app(), {})


def test_decoder_that_returns_none_drops_the_frame():
    @wallaroo.decoder
    def only_a(payload):
        return "a" if payload == b"a" else None

    ab = wallaroo.ApplicationBuilder("app").new_pipeline("main", ("tcp", "host", "1", only_a))
    assert testing.run(ab.to_sink(SINK), {"main": [b"a", b"b", b"a"]}).output() == [b"a\n"] * 2


def test_decorators_defaults_frame_a_stream():
    assert decode.header_length() == 4
    result = testing.run(reverse_app(), {"main": testing.stream([framed(b"ab")])})
    assert result.output() == [b"ba\n"]
