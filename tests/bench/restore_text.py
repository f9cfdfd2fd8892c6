"""What the restore benchmark keeps for a key, and how long pickle takes for many of them."""

import pickle
import time

TEXT_BYTES = 300


class Text:
    """What is kept for a key."""

    def __init__(self) -> None:
        self.text = ""


def unpickling_ms(keys: int) -> float:
    """How long pickle itself takes for the states of that many keys, in one loop."""
    state, rows = Text(), []
    for key in range(keys):
        state.text = f"key{key}".ljust(TEXT_BYTES, ".")
        rows.append(pickle.dumps(state, protocol=5))
    states = {}
    began = time.monotonic()
    for key, row in enumerate(rows):
        states[key] = pickle.loads(row)
    return (time.monotonic() - began) * 1000
