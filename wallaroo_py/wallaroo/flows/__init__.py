"""Dataflows: the implementation behind the import name `bytewax`.

Write applications against `bytewax.dataflow`, `bytewax.inputs` and so on; those modules give out
what is defined here. A `Dataflow` is only a list of steps, which the engine (`_machida.run_flow`)
reads and runs; nothing here is on the path of the data except sources and sinks.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  where it can be met: in the python3 of the reader
    raise ImportError(
        f"dataflows need Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}"
    )
