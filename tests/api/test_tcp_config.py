"""TCP configurations become tuples, and refuse what cannot work."""

import pytest
from api_samples import Counts, decode, encode, reverse
from hypothesis import given
from hypothesis import strategies as st
from wallaroo import TCPSinkConfig, TCPSourceConfig, WallarooParameterError

KINDS = {TCPSourceConfig: decode, TCPSinkConfig: encode}
kinds = pytest.mark.parametrize(("config", "codec"), KINDS.items())


def plain(data):
    return data


class HalfDecoder:
    def header_length(self):
        return 4

    def decode(self, payload):
        return payload


@kinds
def test_tuple_holds_the_arguments(config, codec):
    assert config("::1", "7010", codec).to_tuple() == ("tcp", "::1", "7010", codec)


@kinds
@given(port=st.integers(min_value=1, max_value=65535))
def test_port_may_be_int_and_is_kept_as_str(config, codec, port):
    assert config("host", port, codec).to_tuple()[2] == str(port)


@kinds
@pytest.mark.parametrize("port", ["", "http", -1, 65536, "65536", True, None, 7.5, " 7", "1_0"])
def test_port_out_of_range_is_said(config, codec, port):
    with pytest.raises(WallarooParameterError) as caught:
        config("host", port, codec)
    assert f"{config.__name__}: port must be a number from" in str(caught.value)
    assert f"got {port!r}" in str(caught.value)
    assert __file__ in str(caught.value)


def test_port_0_is_for_sources_only():
    assert TCPSourceConfig("host", "0", decode).port == "0"
    with pytest.raises(WallarooParameterError, match="from 1 to 65535"):
        TCPSinkConfig("host", "0", encode)


@kinds
@pytest.mark.parametrize("host", ["", None, 5, b"host"])
def test_host_must_be_a_non_empty_str(config, codec, host):
    with pytest.raises(WallarooParameterError, match="host must be a non-empty str"):
        config(host, "7010", codec)


@kinds
def test_undecorated_function_is_told_its_decorator(config, codec):
    role = "decoder" if config is TCPSourceConfig else "encoder"
    with pytest.raises(WallarooParameterError, match=f"decorate it with @wallaroo.{role}"):
        config("host", "7010", plain)


@kinds
def test_another_decorators_function_is_refused(config, codec):
    wrong = encode if codec is decode else decode
    for thing in (wrong, reverse):
        with pytest.raises(WallarooParameterError, match="made by another decorator"):
            config("host", "7010", thing)


@kinds
@pytest.mark.parametrize("thing", [None, 5, Counts, Counts(), "text", b"bytes"])
def test_object_without_the_methods_is_refused(config, codec, thing):
    role = "decoder" if config is TCPSourceConfig else "encoder"
    with pytest.raises(WallarooParameterError, match=f"is not an? {role}"):
        config("host", "7010", thing)


def test_missing_method_is_named():
    with pytest.raises(WallarooParameterError, match="no method payload_length"):
        TCPSourceConfig("host", "7010", HalfDecoder())
