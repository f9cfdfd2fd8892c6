"""The way into the engine, the extension module `_machida`."""

from __future__ import annotations

import importlib
from typing import Any


def load_engine() -> Any:
    """Return the module `_machida`. Raises ImportError that says how to get it."""
    try:
        return importlib.import_module("_machida")
    except ImportError as error:
        raise ImportError(
            "dataflows need the engine, the extension module _machida, which cannot be imported "
            f"({error}). Install the package with pip, or run scripts/build and put its build "
            "directory on PYTHONPATH. It is made for one version of Python.",
            name="_machida",
        ) from error
