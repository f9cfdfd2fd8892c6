"""How a dataflow that failed is reported to whoever started it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import TracebackType

_PACKAGE = Path(__file__).parents[1]
_MISTAKES_ARE_FOUND_IN = {"importing.py", "recovery.py", "engine.py"}


def print_failure(error: Exception) -> None:
    """Print an exception with the part of its traceback that is the application's."""
    error.__traceback__ = _from_the_application(error.__traceback__)
    sys.__excepthook__(type(error), error, error.__traceback__)


def _from_the_application(frames: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this package and of importing at its beginning.

    When nothing is left, one of the files that look at what they were given has raised on purpose,
    and the message says it all; from any other file all is returned.
    """
    rest, last = frames, ""
    while rest is not None:
        last = rest.tb_frame.f_code.co_filename
        if not last.startswith(("<frozen importlib", str(_PACKAGE), importlib.__path__[0])):
            return rest
        rest = rest.tb_next
    return None if Path(last).name in _MISTAKES_ARE_FOUND_IN else frames
