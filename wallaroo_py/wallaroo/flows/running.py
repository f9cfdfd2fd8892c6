"""Run a dataflow on the engine, from Python."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ..engine import load_engine
from .arguments import check_duration, check_size, wrong_type
from .dataflow import Dataflow
from .links import Links, linked
from .processes import Seat, handled_signals
from .recovery import RecoveryConfig, check_directory
from .snapshots import Snapshots
from .web import shown_over_http

SUMMARY = "BYTEWAX_SUMMARY"
"""The environment variable that has each run log at its end what it has counted."""


def run_main(
    flow: Dataflow,
    *,
    epoch_interval: timedelta | None = None,
    recovery_config: RecoveryConfig | None = None,
    config: str | Path | None = None,
) -> None:
    """Run a dataflow in this thread, with one worker, until its input ends.

    >>> from bytewax.dataflow import Dataflow
    >>> from bytewax.testing import TestingSource, run_main
    >>> from bytewax.connectors.stdio import StdOutSink
    >>> flow = Dataflow()
    >>> flow.input("inp", TestingSource(range(3)))
    >>> flow.output("out", StdOutSink())
    >>> run_main(flow)
    0
    1
    2

    epoch_interval: system time between snapshots, a timedelta, 10 seconds unless given; zero ends
    an epoch after each batch.
    recovery_config: where to keep snapshots, and go on from.
    config: a TOML or YAML file with `streaming.sinks.<name>` for storage sinks.
    Raises what the flow's functions, sources and sinks raise, with a note that names step, function
    and item; ValueError when the flow has no input or no output; what `bytewax.recovery` says.
    """
    _run(flow, _options(epoch_interval, recovery_config, config))


def cluster_main(
    flow: Dataflow,
    addresses: Sequence[str] | None,
    proc_id: int,
    *,
    epoch_interval: timedelta | None = None,
    recovery_config: RecoveryConfig | None = None,
    config: str | Path | None = None,
    worker_count_per_proc: int = 1,
) -> None:
    """Run a dataflow with several workers, in this process or in several.

    addresses: `host:port` of every process that shares the dataflow, all on this machine; each is
    called with the same ones, and waits for the others. Empty or None: this is the only process.
    proc_id: the index of this process in addresses.
    worker_count_per_proc: how many workers each process has. Those of one take turns running
    Python, and see the same objects: a TestingSink's list has the items of the workers here.
    recovery_config: the partitions are used by process 0, for all; the others need one, too.
    For the rest see `run_main`.
    Raises what run_main raises, ValueError when proc_id is no index of addresses or they are not
    of this machine, OSError when another process has this one's address, RuntimeError when another
    process fails.
    """
    workers = check_size("worker_count_per_proc", worker_count_per_proc)
    if workers < 1:
        raise ValueError("argument 'worker_count_per_proc': must be 1 or more")
    options = _options(epoch_interval, recovery_config, config)
    options["workers"] = workers
    process = check_size("proc_id", proc_id)
    if isinstance(addresses, (str, bytes)):
        raise wrong_type("addresses", addresses, "list of str")
    if addresses:
        if process >= len(addresses):
            raise ValueError(
                f"argument 'proc_id': {process} is no index of the {len(addresses)} addresses"
            )
        if len(addresses) > 1:
            _check(flow)
            with linked(addresses, process, workers) as links, _no_running_loop():
                _add(links, options)
                _run(flow, options)
            return
    with _no_running_loop():
        _run(flow, options)


def cli_main(
    flow: Dataflow,
    *,
    processes: int | None = 1,
    workers_per_process: int | None = 1,
    process_id: int | None = None,
    addresses: Sequence[str] | None = None,
    epoch_interval: timedelta | None = None,
    recovery_config: RecoveryConfig | None = None,
    config: str | Path | None = None,
) -> None:
    """Run a dataflow in this process, and show it over HTTP if the environment asks for that.

    processes: multiplies workers_per_process: all are workers of this process, which take turns.
    Those of the command line, `-p` and `-w`, are processes.
    process_id and addresses go together; see `cluster_main` for what they and the others mean.
    Raises what cluster_main raises, ValueError when only one of the two is given, or they are
    together with several processes.
    """
    if (process_id is None) != (not addresses):
        raise ValueError("process_id and addresses go together: give both or none")
    workers = _workers(processes, workers_per_process)
    if addresses and processes not in (None, 1):
        raise ValueError(
            "processes and addresses exclude each other: with addresses each process is started "
            "by itself"
        )
    with shown_over_http(flow):
        cluster_main(
            flow,
            addresses,
            process_id or 0,
            epoch_interval=epoch_interval,
            recovery_config=recovery_config,
            config=config,
            worker_count_per_proc=workers,
        )


class Others(NamedTuple):
    """Processes at other addresses, with as many workers each, and which of them this one is."""

    addresses: Sequence[str]
    process: int
    workers: int


def run_seat(
    flow: Dataflow,
    seat: Seat | None,
    *,
    others: Others | None = None,
    epoch_interval: timedelta | None = None,
    recovery_config: RecoveryConfig | None = None,
    config: str | Path | None = None,
) -> None:
    """Run a dataflow as the worker that this process is; without a seat it is the only one here.

    For the rest see `run_main`. Raises what run_main raises, PeerFailedError when another worker
    fails, and what cluster_main raises about addresses.
    """
    _check(flow)
    options = _options(epoch_interval, recovery_config, config)
    place = 0 if seat is None else seat.index
    if seat is not None:
        options["watched"] = True
        if seat.links.sockets:
            _add(seat.links, options)
    with contextlib.ExitStack() as around:
        if place == 0 and (others is None or others.process == 0):
            around.enter_context(shown_over_http(flow))
        if others is not None:
            _add(around.enter_context(linked(*others, place)), options)
        _run(flow, options)


def run_cluster(
    flow: Dataflow,
    *,
    epoch_interval: timedelta | None = None,
    recovery_config: RecoveryConfig | None = None,
    config: str | Path | None = None,
    processes: int | None = 1,
    workers_per_process: int | None = 1,
) -> None:
    """Run a dataflow with `processes * workers_per_process` workers, all in this process.

    For the rest see `run_main`. Raises what run_main raises.
    """
    cluster_main(
        flow,
        None,
        0,
        epoch_interval=epoch_interval,
        recovery_config=recovery_config,
        config=config,
        worker_count_per_proc=_workers(processes, workers_per_process),
    )


run_cluster.__test__ = False  # type: ignore[attr-defined]  # as `test_cluster` it is no test


def _workers(processes: int | None, workers_per_process: int | None) -> int:
    """Return how many workers these are together; None is 1."""
    count = 1
    for name, number in (("processes", processes), ("workers_per_process", workers_per_process)):
        size = 1 if number is None else check_size(name, number)
        if size < 1:
            raise ValueError(f"argument {name!r}: must be 1 or more, got {number!r}")
        count *= size
    return count


def _options(
    epoch_interval: timedelta | None,
    recovery_config: RecoveryConfig | None,
    config: str | Path | None,
) -> dict[str, Any]:
    """Return the options of `_machida.run_flow`, after checking them."""
    options: dict[str, Any] = {}
    if os.environ.get(SUMMARY, "") not in ("", "0"):
        options["summary"] = True
    if epoch_interval is not None:
        if check_duration("epoch_interval", epoch_interval) < timedelta(0):
            raise ValueError(
                f"argument 'epoch_interval': must not be negative, got {epoch_interval!r}"
            )
        options["epoch_interval"] = epoch_interval.total_seconds()
    if config is not None:
        options["config"] = os.fspath(config)
    if recovery_config is not None:
        if not isinstance(recovery_config, RecoveryConfig):
            raise wrong_type("recovery_config", recovery_config, "RecoveryConfig")
        check_directory(recovery_config.db_dir)
        options["recovery_dir"] = recovery_config.db_dir
        options["backup_interval"] = recovery_config.backup_interval.total_seconds()
        serde = recovery_config.snapshot_serde
        if serde is None:
            snapshots = Snapshots()
            options["snapshot_ser"] = snapshots.ser
            options["snapshot_de"] = snapshots.de
        else:
            options["snapshot_ser"] = lambda snapshot: serde.ser(snapshot).encode()
            options["snapshot_de"] = lambda stored: serde.de(stored.decode())
    return options


def _add(links: Links, options: dict[str, Any]) -> None:
    """Add what ties this process to others to the options of `_machida.run_flow`."""
    options["links"] = links.sockets
    options["stop_line"] = links.stop_line


def _check(flow: Dataflow) -> None:
    if not isinstance(flow, Dataflow):
        raise wrong_type("flow", flow, "Dataflow")
    operators = {step[0] for step in flow._steps}
    for needed, advice in (
        ("input", "begin it with flow.input(step_id, source)"),
        ("output", "end it with flow.output(step_id, sink)"),
    ):
        if needed not in operators:
            raise ValueError(f"Dataflow needs to contain at least one {needed}: {advice}")


def _run(flow: Dataflow, options: dict[str, Any]) -> None:
    _check(flow)
    engine = load_engine()
    config = options.pop("config", None)
    if config is not None:
        _configure(flow, engine, config)
    options["handled_signals"] = handled_signals()
    engine.run_flow(flow, options)


@contextlib.contextmanager
def _no_running_loop() -> Iterator[None]:
    """Let user code run event loops, also when a coroutine runs the flow, as in a notebook.

    Workers of release 0.17's cluster_main have threads of their own, so there it may, too; its
    run_main uses the thread, and the running loop, of the caller.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:  # nor is a loop running
        yield
        return
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


def _configure(flow: Dataflow, engine: Any, file: str) -> None:
    """Give the storage outputs their sections. Raises ValueError with everything that is wrong."""
    from .storage import FlowStorages, StorageOutput

    outputs = [step[2] for step in flow._steps if step[0] == "output"]
    used = [(x.sink, f"step {x.step_id!r}") for x in outputs if isinstance(x, StorageOutput)]
    try:
        sections = engine.sink_sections(file, used)
    except engine.PlanError as error:
        raise ValueError("the configuration can't be used:\n" + "\n".join(error.args[0])) from None
    flow._storages = flow._storages or FlowStorages()
    flow._storages.configure(sections)
