"""Processes of one dataflow as threads of this one: over the same links, with their lists here."""

import itertools
import os
import threading

from bytewax.testing import cluster_main

_ports = itertools.count(1)


def addresses(count):
    """Return addresses that nobody else uses: they are names only."""
    return [f"localhost:{os.getpid()}{next(_ports):05}" for _ in range(count)]


def run_processes(flow, processes=2, workers=1, **settings):
    """Runs a flow as several processes do; raises what the first of them raises."""
    names = addresses(processes)
    failures = [None] * processes

    def run(process):
        try:
            cluster_main(flow, names, process, worker_count_per_proc=workers, **settings)
        except BaseException as error:
            failures[process] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(1, processes)]
    for thread in threads:
        thread.start()
    run(0)
    for thread in threads:
        thread.join()
    return failures
