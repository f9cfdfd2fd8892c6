"""What the command lines of dataflows share: flags with an environment variable, exit statuses."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from .failures import print_failure
from .importing import load_flow
from .links import PeerFailedError
from .processes import Seat, split
from .recovery import RecoveryConfig
from .running import SUMMARY, Others, run_seat
from .step_list import BARE_WINDOW_OUTPUT

IMPORT_HELP = (
    "Dataflow import string in the format <module_name>[:<dataflow_variable_or_factory>] "
    "Example: src.dataflow or src.dataflow:flow or src.dataflow:get_flow('string_argument')"
)


class EnvDefault(argparse.Action):
    """A flag whose default is the value of an environment variable, if that is set and not empty.

    The variable's text is parsed like the flag's; its help names it.
    """

    def __init__(self, envvar: str, default: Any = None, **kwargs: Any) -> None:
        value = os.environ.get(envvar)
        if value:
            default = value  # argparse gives a default that is text to `type`
        kwargs["help"] = f"{kwargs.get('help', '')} [env: {envvar}]"
        super().__init__(default=default, **kwargs)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the value that was given."""
        setattr(namespace, self.dest, values)


def positive(text: str) -> int:
    """Return an int of 1 or more. Raises ArgumentTypeError, for argparse."""
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text!r}")
    return number


def process_id(text: str) -> int:
    """Return an int of 0 or more. Raises ArgumentTypeError, for argparse."""
    number = _whole(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text!r}")
    return number


def seconds(text: str) -> timedelta:
    """Return a whole number of seconds, 0 or more. Raises ArgumentTypeError, for argparse."""
    return timedelta(seconds=process_id(text))


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None


def add_recovery_flags(parser: argparse.ArgumentParser) -> None:
    """Add -r, -s, -b, --bare-window-output and --summary."""
    recovery = parser.add_argument_group(
        "Recovery", "See the `bytewax.recovery` module docstring for more info."
    )
    recovery.add_argument(
        "-r",
        "--recovery-directory",
        action=EnvDefault,
        envvar="BYTEWAX_RECOVERY_DIRECTORY",
        help="Local file system directory to look for pre-initialized recovery partitions; see "
        "`python -m bytewax.recovery` for how to init partitions",
    )
    recovery.add_argument(
        "-s",
        "--snapshot-interval",
        action=EnvDefault,
        envvar="BYTEWAX_SNAPSHOT_INTERVAL",
        default=timedelta(seconds=10),
        type=seconds,
        help="System time duration in seconds to snapshot state for recovery; defaults to 10 sec",
    )
    recovery.add_argument(
        "-b",
        "--backup-interval",
        action=EnvDefault,
        envvar="BYTEWAX_RECOVERY_BACKUP_INTERVAL",
        default=timedelta(days=1),
        type=seconds,
        help="System time duration in seconds to keep extra state snapshots around; set this to "
        "the interval at which you are backing up recovery partitions; defaults to 1 day",
    )
    parser.add_argument(
        "--bare-window-output",
        action="store_true",
        help="Window operators emit (key, value), as release 0.17 did, without the window's "
        f"metadata [env: {BARE_WINDOW_OUTPUT}]",
    )
    parser.add_argument(
        "--summary",
        action="store_true",
        help="Log at the end what was counted: items read and written, late ones, epochs, items "
        f"in and out of each step [env: {SUMMARY}]",
    )


def add_scaling_flags(
    parser: argparse.ArgumentParser, description: str | None = None
) -> argparse._ArgumentGroup:
    """Add -w and -p; return their group, which `description` is about. See `worker_count`."""
    scaling = parser.add_argument_group("Scaling", description)
    scaling.add_argument(
        "-w",
        "--workers-per-process",
        "--workers",
        action=EnvDefault,
        envvar="BYTEWAX_WORKERS_PER_PROCESS",
        type=positive,
        default=1,
        help="Number of workers, each a process",
    )
    scaling.add_argument(
        "-p",
        "--processes",
        action=EnvDefault,
        envvar="BYTEWAX_PROCESSES",
        type=positive,
        default=1,
        help="Number of processes, as in release 0.17: it multiplies the workers",
    )
    return scaling


def worker_count(options: argparse.Namespace) -> int:
    """Return how many workers the flags of `add_scaling_flags` ask for."""
    count: int = options.workers_per_process * options.processes
    return count


def recovery_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Return epoch_interval and recovery_config, of what the flags above say.

    Sets the environment variables that --bare-window-output and --summary stand for.
    """
    if options.bare_window_output:
        os.environ[BARE_WINDOW_OUTPUT] = "1"
    if options.summary:
        os.environ[SUMMARY] = "1"
    config = None
    if options.recovery_directory is not None:
        config = RecoveryConfig(options.recovery_directory, options.backup_interval)
    return {"epoch_interval": options.snapshot_interval, "recovery_config": config}


def run_guarded(run: Callable[[], None], seat: Seat | None = None) -> None:
    """Run, and end the process with status 1 and a report if that raises.

    Ctrl-C, after which the flow has been drained, ends it with status 0.
    seat: what this process is of several; only one of them reports.
    """
    try:
        run()
    except KeyboardInterrupt:
        if seat is None:
            print("interrupted: the dataflow was stopped", file=sys.stderr)
    except PeerFailedError as error:
        if seat is None:
            print(error, file=sys.stderr)
        else:
            seat.is_victim()
        sys.exit(1)
    except Exception as error:
        sys.stdout.flush()
        if seat is None or seat.may_report():
            print_failure(error)
        sys.exit(1)
    finally:
        if seat is not None:
            seat.ignore_signals()


def run_workers(
    options: argparse.Namespace, count: int, others: Others | None = None, **arguments: Any
) -> None:
    """Run the dataflow of a command line with `count` workers, and end the process if it failed.

    Several are processes of their own; the one that was started only watches them, and ends here.
    others: at other addresses, as many each. arguments: for `run_seat`, besides those of the flags
    for recovery.
    """
    seat = split(count, link=others is None) if count > 1 else None
    run_guarded(
        lambda: run_seat(
            load_flow(options.import_str),
            seat,
            others=others,
            **arguments,
            **recovery_arguments(options),
        ),
        seat,
    )
