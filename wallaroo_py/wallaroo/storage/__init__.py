"""Storage sinks: whatever looks like one is one.

`protocols` says what a sink has, `recognise` looks whether an object has it, `runtime` is what a
running worker calls. `into_table` and `into_files` are the built-in sinks.
"""
