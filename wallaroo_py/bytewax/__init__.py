"""Dataflows in Python, on the machida engine.

See `bytewax.dataflow` for how to define one, `bytewax.run` and `bytewax.testing` for how to run it,
`bytewax.inputs`, `bytewax.outputs` and `bytewax.connectors` for where items come from and go.
"""

__all__: list[str] = []
