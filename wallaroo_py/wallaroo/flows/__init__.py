"""Dataflows: the implementation behind the import name `bytewax`.

Write applications against `bytewax.dataflow`, `bytewax.inputs` and so on; those modules give out
what is defined here. A `Dataflow` is only a list of steps, which the engine (`_machida.run_flow`)
reads and runs; nothing here is on the path of the data except sources and sinks.
"""
