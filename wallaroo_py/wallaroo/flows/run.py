"""Run dataflows from the command line: `python -m bytewax.run module:flow`.

The flow's data is cut into epochs, by system time (`-s`, 10 seconds unless set). An epoch delays
nothing: it only says what belongs together when state is stored for recovery (`-r`, see
`bytewax.recovery`).

SIGTERM and Ctrl-C stop reading, let what was read go through, store what is to be stored, and end
the process with status 0. It is 1 when the flow failed, and 2 for a mistake on the command line.

With `-w` each worker is a process of its own, so that they use several cores. With `-i` and `-a`
such commands share a dataflow, each with as many workers; they are started one by one, all on this
machine.

Each flag has an environment variable; the flag goes first. With BYTEWAX_DATAFLOW_API_ENABLED the
flow is shown as JSON over HTTP (see `wallaroo.flows.web`). In Kubernetes, BYTEWAX_POD_NAME and
BYTEWAX_STATEFULSET_NAME together are the process id, and the file BYTEWAX_HOSTFILE_PATH has the
addresses, one a line; without a process id it is not read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import command
from .running import Others, cli_main

__all__ = ["cli_main"]


def make_parser(program: str = "python -m bytewax.run") -> argparse.ArgumentParser:
    """Return the parser of the command line. program: how it was called, for messages."""
    parser = argparse.ArgumentParser(prog=program, description="Run a bytewax dataflow")
    parser.add_argument("import_str", help=command.IMPORT_HELP)
    scaling = command.add_scaling_flags(
        parser, "'-i' and '-a' are for several processes, each started with its own '-i'."
    )
    scaling.add_argument(
        "-i",
        "--process-id",
        action=command.EnvDefault,
        envvar="BYTEWAX_PROCESS_ID",
        type=command.process_id,
        help="Process id",
    )
    scaling.add_argument(
        "-a",
        "--addresses",
        action=command.EnvDefault,
        envvar="BYTEWAX_ADDRESSES",
        help="Addresses of other processes, separated by semicolon: "
        '-a "localhost:2021;localhost:2022;localhost:2023"',
    )
    command.add_recovery_flags(parser)
    parser.add_argument(
        "--config",
        action=command.EnvDefault,
        envvar="BYTEWAX_CONFIG",
        type=Path,
        help="TOML or YAML file with the sections of storage sinks, streaming.sinks.<name>",
    )
    return parser


def parse(
    arguments: Sequence[str] | None = None, program: str = "python -m bytewax.run"
) -> argparse.Namespace:
    """Parse the command line and the environment, or end the process with status 2.

    In the result, `addresses` is a list of str or None.
    """
    parser = make_parser(program)
    options = parser.parse_args(arguments)
    try:
        if options.process_id is None:
            options.process_id = _pod_number()
        if options.addresses is not None:
            options.addresses = [part for part in options.addresses.split(";") if part]
        elif options.process_id is not None and (path := os.environ.get("BYTEWAX_HOSTFILE_PATH")):
            options.addresses = [line for line in Path(path).read_text().split() if line]
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if (options.process_id is None) != (not options.addresses):
        parser.error("-i/--process-id and -a/--addresses go together: give both or none")
    if options.addresses and options.processes != 1:
        print(f"{program}: -p/--processes is ignored, because of -i and -a", file=sys.stderr)
        options.processes = 1
    return options


def main(arguments: Sequence[str] | None = None, program: str = "python -m bytewax.run") -> None:
    """Run a dataflow from the command line, and end the process if it failed.

    Ends it with status 2 when there is no address for the process id.
    """
    options = parse(arguments, program)
    addresses = options.addresses
    if addresses and options.process_id >= len(addresses):
        make_parser(program).error(
            f"the process id is {options.process_id}, counted from 0, and there "
            + ("is 1 address" if len(addresses) == 1 else f"are {len(addresses)} addresses")
        )
    count, others = command.worker_count(options), None
    if addresses and len(addresses) > 1:
        others = Others(addresses, options.process_id, count)
    command.run_workers(options, count, others, config=options.config)


def _pod_number() -> int | None:
    """Return the number at the end of the pod's name. Raises ValueError when it has none."""
    pod = os.environ.get("BYTEWAX_POD_NAME")
    stateful_set = os.environ.get("BYTEWAX_STATEFULSET_NAME")
    if not pod or not stateful_set:
        return None
    number = pod.removeprefix(f"{stateful_set}-")
    if not number.isdecimal():
        raise ValueError(
            f"BYTEWAX_POD_NAME is {pod!r}, which is not BYTEWAX_STATEFULSET_NAME "
            f"{stateful_set!r}, a hyphen and a number"
        )
    return int(number)
