"""The decorators keep the function usable, and refuse what the engine could not call."""

import functools
import inspect
import struct

import pytest
import wallaroo
from api_samples import count, count_twice, decode, encode, first_letter, reverse, split
from hypothesis import given
from hypothesis import strategies as st

NAMED = {
    wallaroo.computation: (1, wallaroo.Computation),
    wallaroo.computation_multi: (1, wallaroo.ComputationMulti),
    wallaroo.state_computation: (2, wallaroo.StateComputation),
    wallaroo.state_computation_multi: (2, wallaroo.StateComputationMulti),
}
UNNAMED = {
    wallaroo.partition: wallaroo.Partition,
    wallaroo.encoder: wallaroo.Encoder,
    wallaroo.decoder: wallaroo.Decoder,
}
named = pytest.mark.parametrize("decorator", NAMED)
unnamed = pytest.mark.parametrize("decorator", UNNAMED)


def one(data):
    return data


def two(data, state):
    return data, True


def error_of(call, *args, **kwargs):
    with pytest.raises(wallaroo.WallarooParameterError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def header_error(*args, **kwargs):
    decoder = wallaroo.decoder(*args, **kwargs)(one)
    return error_of(wallaroo.TCPSourceConfig, "127.0.0.1", "0", decoder)


def test_decorated_functions_are_called_like_functions():
    class State:
        counts = {}

    assert reverse("abc") == "cba"
    assert split("a b") == ["a", "b"]
    assert first_letter("abc") == "a"
    assert decode(b"abc") == "abc"
    assert encode("abc") == b"abc\n"
    assert count("a", State()) == ("a 1", True)
    assert count_twice(text="a", state=State()) == (["a 2", "a 2"], True)


def test_metadata_of_the_function_is_kept():
    assert reverse.__name__ == "reverse"
    assert reverse.__qualname__ == "reverse"
    assert reverse.__doc__ == "Turn the text round."
    assert reverse.__module__ == "api_samples"
    assert list(inspect.signature(reverse).parameters) == ["text"]


def test_attributes_of_the_function_do_not_hide_the_engines():
    def function(data):
        return data

    function.name = "not this"
    function.compute = "nor this"
    decorated = wallaroo.computation(name="this")(function)
    assert decorated.name() == "this"
    assert decorated.compute is function


@named
def test_engine_gets_the_raw_function_of_a_computation(decorator):
    arity, kind = NAMED[decorator]
    function = one if arity == 1 else two
    decorated = decorator(name="Step")(function)
    method = "compute_multi" if "multi" in decorator.__name__ else "compute"
    other = {"compute", "compute_multi"} - {method}
    assert type(decorated) is kind
    assert decorated.name() == "Step"
    assert vars(decorated)[method] is function
    assert not hasattr(decorated, other.pop())


@unnamed
@pytest.mark.parametrize("with_parentheses", [False, True])
def test_bare_and_called_decorators_are_the_same(decorator, with_parentheses):
    decorated = decorator()(one) if with_parentheses else decorator(one)
    method = {"partition": "partition", "encoder": "encode", "decoder": "decode"}
    assert type(decorated) is UNNAMED[decorator]
    assert vars(decorated)[method[decorator.__name__]] is one


@named
def test_name_may_be_positional(decorator):
    function = one if NAMED[decorator][0] == 1 else two
    assert decorator("Step")(function).name() == "Step"


@named
def test_forgotten_name_is_said(decorator):
    text = error_of(decorator, one)
    assert f'write @wallaroo.{decorator.__name__}(name="...") above one ({__file__}:' in text


@named
@pytest.mark.parametrize("name", [None, 5, b"Step", ""])
def test_name_must_be_a_non_empty_str(decorator, name):
    text = error_of(decorator, name)
    assert f"@wallaroo.{decorator.__name__} needs a name, a non-empty str" in text
    assert __file__ in text


@named
def test_parentheses_without_a_name(decorator):
    assert "needs a name" in error_of(decorator)


def functions_that_take(arity):
    """Return callables that accept `arity` positional arguments."""

    class Object:
        def __call__(self, *args):
            return args

        def method(self, a, b=None):
            return a, b

    both = {1: lambda a: a, 2: lambda a, b: a}
    return [
        both[arity],
        lambda a, b=1: a,
        lambda a=0, b=1, c=2: a,
        lambda *args: args,
        lambda a, *args, key=1: a,
        lambda a, *args, **kwargs: a,
        Object(),
        Object().method,
        functools.partial(lambda x, a, b=1: a, 0),
        max,
    ]


def functions_that_do_not_take(arity):
    """Return callables that do not accept `arity` positional arguments."""
    both = {1: lambda a, b: a, 2: lambda a: a}
    return [
        lambda: None,
        both[arity],
        lambda a, b, c: a,
        lambda a, b, c, d=1: a,
        lambda *args, key: args,
        lambda **kwargs: kwargs,
        functools.partial(lambda a: a, 0),
    ]


@named
def test_any_callable_of_the_arity_is_taken(decorator):
    for function in functions_that_take(NAMED[decorator][0]):
        assert decorator(name="Step")(function).__wrapped__ is function


@named
def test_other_arity_is_refused(decorator):
    arity, _ = NAMED[decorator]
    for function in functions_that_do_not_take(arity):
        assert (
            f"Incompatible function arity, your function must allow {arity} arguments."
        ) in error_of(decorator(name="Step"), function)


@unnamed
def test_other_arity_is_refused_without_a_name_too(decorator):
    for function in functions_that_do_not_take(1):
        assert ("Incompatible function arity, your function must allow 1 arguments.") in error_of(
            decorator(), function
        )


def test_arity_message_names_function_file_and_line():
    line = two.__code__.co_firstlineno
    text = error_of(wallaroo.computation(name="Step"), two)
    assert f"@wallaroo.computation on two ({__file__}:{line})" in text


def test_what_is_not_callable_is_refused():
    assert "Expected a callable object but got a 5" in error_of(wallaroo.computation("Step"), 5)
    assert "Expected a callable object but got a 5" in error_of(wallaroo.encoder, 5)


def test_async_functions_are_refused():
    async def coroutine(data):
        return data

    async def async_generator(data):
        yield data

    for function in (coroutine, async_generator):
        assert "async" in error_of(wallaroo.computation("Step"), function)
        assert "async" in error_of(wallaroo.decoder, function)


def test_generators_are_refused_where_a_list_is_owed():
    def generator(data):
        yield data

    def state_generator(data, state):
        yield data

    assert "list in place of yield" in error_of(wallaroo.computation_multi("Step"), generator)
    for decorator in (wallaroo.state_computation, wallaroo.state_computation_multi):
        assert "generator" in error_of(decorator("Step"), state_generator)
    assert wallaroo.computation("Step")(generator)


def test_decoder_defaults_to_four_bytes_big_endian():
    for decoder in (wallaroo.decoder(one), wallaroo.decoder()(one)):
        assert decoder.header_length() == 4
        assert decoder.length_fmt == ">I"
        assert decoder.payload_length(b"\0\0\1\2") == 258


@given(
    st.sampled_from(["<", ">", "!", "="]),
    st.sampled_from("bBhHiIlLqQ"),
    st.integers(min_value=0, max_value=2),
    st.data(),
)
def test_any_integer_header_is_read_as_struct_reads_it(order, code, pads, data):
    length_fmt = f"{order} {pads}x {code}"
    header_bytes = struct.calcsize(length_fmt)
    if header_bytes > 8:
        assert "from 1 to 8" in header_error(header_bytes, length_fmt)
        return
    decoder = wallaroo.decoder(header_length=header_bytes, length_fmt=length_fmt)(one)
    header = data.draw(st.binary(min_size=header_bytes, max_size=header_bytes))
    assert decoder.header_length() == header_bytes
    assert decoder.payload_length(header) == struct.unpack(length_fmt, header)[0]


@pytest.mark.parametrize("header_length", [0, 9, -1, True, 4.0, "4", None])
def test_header_length_must_be_an_int_from_1_to_8(header_length):
    text = header_error(header_length=header_length, length_fmt=">I")
    assert "header_length must be an int from 1 to 8" in text
    assert repr(header_length) in text
    assert __file__ in text


@pytest.mark.parametrize("length_fmt", [None, 4, [">I"]])
def test_length_fmt_must_be_str(length_fmt):
    assert "length_fmt must be a str" in header_error(4, length_fmt)


@pytest.mark.parametrize("length_fmt", ["nonsense", ">I)", "I>", "\u00e4"])
def test_length_fmt_must_be_a_struct_format(length_fmt):
    assert "is not a struct format" in header_error(4, length_fmt)


@pytest.mark.parametrize(
    ("header_length", "length_fmt"), [(2, ">I"), (8, ">I"), (4, ">H"), (4, "")]
)
def test_header_length_and_length_fmt_must_agree(header_length, length_fmt):
    text = header_error(header_length, length_fmt)
    assert f"header_length is {header_length}" in text
    assert "make them agree" in text


@pytest.mark.parametrize("length_fmt", [">f", ">fxH", ">4s", "4x", ">4?", ">3p?", ">cH", ">0sI"])
def test_length_fmt_must_begin_with_an_integer(length_fmt):
    size = struct.calcsize(length_fmt)
    assert "as its first field" in header_error(size, length_fmt)


@pytest.mark.parametrize("length_fmt", [">IB", ">HH", ">2H", "<xHs", "@BI", ">He3s", b">I", b"<HB"])
def test_first_field_of_a_header_is_the_size(length_fmt):
    size = struct.calcsize(length_fmt)
    decoder = wallaroo.decoder(header_length=size, length_fmt=length_fmt)(one)
    header = bytes(range(1, size + 1))
    assert decoder.payload_length(header) == struct.unpack(length_fmt, header)[0]


def test_mistake_in_a_header_names_config_decoder_and_place():
    text = header_error(0, ">I")
    line = one.__code__.co_firstlineno
    assert text.startswith(f"TCPSourceConfig: the decoder one ({__file__}:{line}): header_length")


@pytest.mark.parametrize(
    ("header_length", "length_fmt"), [(0, ">I"), (4, "nonsense"), (None, None), (4, "4s")]
)
def test_header_does_not_count_for_kafka(header_length, length_fmt):
    decoder = wallaroo.decoder(header_length=header_length, length_fmt=length_fmt)(one)
    config = wallaroo.KafkaSourceConfig("words", [("127.0.0.1", "9092")], "Warn", decoder)
    assert config.to_tuple()[-1].decode(b"whole value") == b"whole value"
    assert "one" in error_of(decoder.header_length)


def test_repr_tells_what_it_is():
    assert repr(reverse) == "<wallaroo Computation 'Reverse'>"
    assert repr(encode) == "<wallaroo Encoder of api_samples.encode>"
