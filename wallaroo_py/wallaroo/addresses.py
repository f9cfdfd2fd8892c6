"""Reads `--in` and `--out` from the arguments that `application_setup` gets."""

from __future__ import annotations

from .errors import WallarooParameterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PORT_MAX = 65535


def tcp_parse_input_addrs(args: Sequence[str]) -> list[tuple[str, str]]:
    """Return the addresses of `--in H1:P1,H2:P2` (or `-i`) as `[(host, port), ...]`, all str.

    args: what `application_setup` got; other options in it are passed over, and of several `--in`
    the last counts. An IPv6 host stands in brackets: `[::1]:7010` gives `("::1", "7010")`.
    `:7010` is the port on all IPv4 addresses of the machine: `("0.0.0.0", "7010")`.
    Raises WallarooParameterError when the option is missing or an address is malformed.
    """
    return _addresses(args, "--in", "-i", "127.0.0.1:7010", host="0.0.0.0")


def tcp_parse_output_addrs(args: Sequence[str]) -> list[tuple[str, str]]:
    """Return the addresses of `--out H1:P1,H2:P2` (or `-o`); else as `tcp_parse_input_addrs`.

    Each has a host.
    """
    return _addresses(args, "--out", "-o", "127.0.0.1:7002")


def host_port(host: str, port: object) -> str:
    """Return `host:port`, with brackets around an IPv6 host."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _addresses(
    args: Sequence[str], long: str, short: str, example: str, host: str = ""
) -> list[tuple[str, str]]:
    """Return the addresses of an option. host: of those that have none, "" when they must."""
    if not isinstance(args, (list, tuple)):
        raise WallarooParameterError(
            f"The arguments must be the list that application_setup got, got {args!r}"
        )
    words = [str(arg) for arg in args]
    value = _option_value(words, long, short)
    if value is None:
        raise WallarooParameterError(
            f"The option {long} (or {short}) is missing: add for example {long} {example}"
            f"{_misspelled(words, long)}"
        )
    if not value.strip():
        raise WallarooParameterError(
            f"The option {long} has no address: write for example {long} {example}"
        )
    return [_address(text.strip(), long, example, host) for text in value.split(",")]


def _option_value(args: list[str], long: str, short: str) -> str | None:
    """Return the value of the last `--in V`, `--in=V`, `-i V`, `-i=V` or `-iV`, None without."""
    value = None
    pending = False
    for arg in args:
        if pending:
            value, pending = ("" if arg.startswith("-") else arg), False
            if value:
                continue
        if arg == "--":
            break
        if arg in (long, short):
            value, pending = "", True
        elif arg.startswith((f"{long}=", f"{short}=")):
            value = arg.partition("=")[2]
        elif arg.startswith(short) and ":" in arg:  # `-iH:P`; `-input` is someone else's option
            value = arg[len(short) :]
    return value


def _misspelled(args: list[str], long: str) -> str:
    """Return a hint at an option that looks as if `long` was meant."""
    from .hints import near

    options = {arg.partition("=")[0] for arg in args if arg.startswith("-")}
    alike = near(long, options) or next((x for x in options if x.lstrip("-") == long[2:]), "")
    return f" ({alike!r} is another option)" if alike else ""


def _address(text: str, option: str, example: str, host_unless_set: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    host = host or host_unless_set
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    problem = ""
    if not text:
        problem = "nothing stands before or behind a comma"
    elif "://" in text:
        problem = f"write it without {text.partition('://')[0]}://"
    elif not colon:
        problem = "there is no port"
    elif not host:
        problem = "there is no host"
    elif ":" in host and not bracketed:
        problem = "an IPv6 host stands in brackets, as in [::1]:7010"
    elif "[" in host or "]" in host:
        problem = "the brackets do not match"
    elif not is_port(port):
        problem = f"the port must be a number from 0 to {PORT_MAX}"
    if problem:
        raise WallarooParameterError(
            f"The option {option} has a malformed address {text!r}: {problem} "
            f"(write HOST:PORT, with commas between several, for example {example})"
        )
    return host, port


def is_port(text: str) -> bool:
    """Tell whether `text` is a decimal port number from 0 to 65535."""
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= PORT_MAX
