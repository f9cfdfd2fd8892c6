"""The way into the engine, the extension module `_machida`."""

from __future__ import annotations

import importlib
from typing import Any


def load_engine(what: str = "a dataflow") -> Any:
    """Return the module `_machida`. what: that needs it, for the message.

    Raises ImportError that says how to get it.
    """
    try:
        return importlib.import_module("_machida")
    except ImportError as error:
        from .hints import missing_engine

        raise ImportError(
            f"{what} needs the engine, the extension module _machida, which can't be imported "
            f"({error}): {missing_engine()}",
            name="_machida",
        ) from None
