"""An application with $STEPS steps that do nothing: computations, or, with $STATES=1, state steps.

From one state step to the next each record changes worker, where there are 2 workers.
"""

import os

import steps_calls
import wallaroo

decode = wallaroo.decoder(header_length=4, length_fmt=">I")(steps_calls.decode)
encode = wallaroo.encoder(steps_calls.encode)


class State:
    """Nothing."""


def application_setup(args: list[str]) -> list[tuple]:
    """One pipeline from `--in` to `--out`."""
    builder = wallaroo.ApplicationBuilder("steps")
    source = wallaroo.TCPSourceConfig(*wallaroo.tcp_parse_input_addrs(args)[0], decode)
    builder.new_pipeline("steps", source)
    for step in range(int(os.environ["STEPS"])):
        if os.environ["STATES"] == "1":
            keep = wallaroo.state_computation(name=f"keep {step}")(steps_calls.keep)
            by_key = wallaroo.partition(steps_calls.key_for(step))
            keys = list(range(steps_calls.KEYS))
            builder.to_state_partition(keep, State, f"states {step}", by_key, keys)
        else:
            builder.to(wallaroo.computation(name=f"same {step}")(steps_calls.same))
    builder.to_sink(wallaroo.TCPSinkConfig(*wallaroo.tcp_parse_output_addrs(args)[0], encode))
    return builder.build()
