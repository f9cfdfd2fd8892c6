"""How a dataflow that failed is reported to whoever started it."""

from __future__ import annotations

import contextlib
import importlib
import sys
from pathlib import Path
from types import TracebackType

_PACKAGE = Path(__file__).parents[1]
# With what a call goes through on its way: importing, and context managers.
_OURS = ("<frozen importlib", str(_PACKAGE), importlib.__path__[0], contextlib.__file__)
_MISTAKES_ARE_FOUND_IN = {"importing.py", "recovery.py", "engine.py"}


def print_failure(error: Exception) -> None:
    """Print an exception with the part of its traceback that is the application's."""
    error.__traceback__ = _from_the_application(error.__traceback__)
    sys.__excepthook__(type(error), error, error.__traceback__)


def _from_the_application(frames: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of this package and of importing at its beginning.

    When nothing is left, one of the files or a function that looks at what it was given has raised
    on purpose, and the message says it all; from any other place all is returned.
    """
    rest, file, function = frames, "", ""
    while rest is not None:
        file, function = rest.tb_frame.f_code.co_filename, rest.tb_frame.f_code.co_name
        if not file.startswith(_OURS):
            return rest
        rest = rest.tb_next
    on_purpose = Path(file).name in _MISTAKES_ARE_FOUND_IN or function.startswith("_check")
    return None if on_purpose else frames
