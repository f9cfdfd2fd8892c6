"""`--in` and `--out` are read from the arguments as pairs of host and port."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wallaroo import WallarooParameterError, tcp_parse_input_addrs, tcp_parse_output_addrs

PARSERS = {"--in": tcp_parse_input_addrs, "--out": tcp_parse_output_addrs}
both = pytest.mark.parametrize(("option", "parse"), PARSERS.items())


@both
def test_every_spelling_of_the_option(option, parse):
    short = option[1:3]
    for args in (
        [option, "h:1"],
        [f"{option}=h:1"],
        [short, "h:1"],
        [f"{short}=h:1"],
        [f"{short}h:1"],
    ):
        assert parse(["app", "--other", *args, "rest"]) == [("h", "1")]


@both
def test_comma_list(option, parse):
    assert parse(["app", option, "a:1, b:2,c:65535"]) == [("a", "1"), ("b", "2"), ("c", "65535")]


@both
def test_the_last_of_several_counts(option, parse):
    assert parse(["app", option, "a:1", f"{option}=b:2"]) == [("b", "2")]


@both
def test_ipv6_stands_in_brackets(option, parse):
    assert parse(["app", option, "[::1]:7010,h:1"]) == [("::1", "7010"), ("h", "1")]


def test_input_and_output_do_not_mix():
    args = ["app", "--in", "a:1", "--out", "b:2"]
    assert tcp_parse_input_addrs(args) == [("a", "1")]
    assert tcp_parse_output_addrs(args) == [("b", "2")]


def test_options_that_only_begin_alike_are_passed_over():
    args = ["app", "--input", "x:1", "-input", "--in-file=x:2", "-o", "out:3", "--in", "a:1"]
    assert tcp_parse_input_addrs(args) == [("a", "1")]


def test_nothing_is_read_after_two_dashes():
    with pytest.raises(WallarooParameterError, match="missing"):
        tcp_parse_input_addrs(["app", "--", "--in", "a:1"])


def test_a_tuple_of_arguments_is_fine():
    assert tcp_parse_input_addrs(("app", "--in", "a:1")) == [("a", "1")]


@both
def test_missing_option_is_said(option, parse):
    for args in ([], ["app"], ["app", "h:1"]):
        with pytest.raises(WallarooParameterError, match=f"The option {option} .* is missing"):
            parse(args)


@both
@pytest.mark.parametrize("rest", [[], [""], [" "], ["--other", "h:1"], ["-x"]])
def test_option_without_a_value_is_said(option, parse, rest):
    with pytest.raises(WallarooParameterError, match=f"The option {option} has no address"):
        parse(["app", option, *rest])


@both
@pytest.mark.parametrize(
    "address",
    [
        "host",
        ":",
        ":port",
        "host:",
        "host:port",
        "host:65536",
        "host:-1",
        "host:+1",
        "host:1_0",
        "host:\u0661",
        "::1:7010",
        "[::1]",
        "[::1:7010",
        "::1]:7010",
        "[]:7010",
        "a:1,",
        ",a:1",
        "a:1,,b:2",
    ],
)
def test_malformed_address_is_said(option, parse, address):
    with pytest.raises(WallarooParameterError) as caught:
        parse(["app", option, address])
    assert f"The option {option} has a malformed address" in str(caught.value)
    assert "HOST:PORT" in str(caught.value)


@pytest.mark.parametrize("args", [["--in", ":7010"], ["--in=:7010"], ["-i:7010"], ["-i", ":7010"]])
def test_port_alone_is_that_of_all_addresses(args):
    assert tcp_parse_input_addrs(["app", *args]) == [("0.0.0.0", "7010")]


def test_output_needs_a_host():
    with pytest.raises(WallarooParameterError, match="there is no host"):
        tcp_parse_output_addrs(["app", "--out", "h:1,:7010"])


@pytest.mark.parametrize("args", ["--in h:1", None, 5])
def test_arguments_must_be_a_list(args):
    with pytest.raises(WallarooParameterError, match="list that application_setup got"):
        tcp_parse_input_addrs(args)


ports = st.integers(min_value=0, max_value=65535).map(str)
hosts = st.one_of(st.from_regex(r"[a-z0-9.\-]+", fullmatch=True), st.ip_addresses().map(str))


@given(st.lists(st.tuples(hosts, ports), min_size=1))
def test_any_addresses_come_back(addresses):
    def written(host):
        return f"[{host}]" if ":" in host else host

    text = ",".join(f"{written(host)}:{port}" for host, port in addresses)
    assert tcp_parse_input_addrs(["app", f"--in={text}"]) == addresses


@given(st.ip_addresses(v=6), ports)
def test_any_ipv6_address_without_brackets_is_refused(host, port):
    assert isinstance(host, ipaddress.IPv6Address)
    with pytest.raises(WallarooParameterError):
        tcp_parse_input_addrs(["app", "--in", f"{host}:{port}"])


@given(st.text())
def test_any_text_is_addresses_or_a_clear_error(text):
    try:
        addresses = tcp_parse_input_addrs(["app", f"--in={text}"])
    except WallarooParameterError:
        return
    assert addresses
    assert all(host and 0 <= int(port) <= 65535 for host, port in addresses)
