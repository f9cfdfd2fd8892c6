"""How the snapshots of stateful steps and partitions become text, if pickle is not wanted."""

from __future__ import annotations

import base64
import importlib
import pickle
from abc import ABC, abstractmethod
from typing import Any

__all__ = ["JsonPickleSerde", "Serde"]

_PICKLED = "pickle:"


class Serde(ABC):
    """Turns snapshots into text and back. Both methods are static."""

    @staticmethod
    @abstractmethod
    def ser(obj: Any) -> str:
        """Return an object as text. It must raise for an object that it does not know."""

    @staticmethod
    @abstractmethod
    def de(s: str) -> Any:
        """Return the object that `ser` made the text of."""


class JsonPickleSerde(Serde):
    """Text that people can read, written by the package `jsonpickle` if it is installed.

    Without that package it is pickle, in base64. What was written in one way is read in either,
    but reading what jsonpickle wrote needs jsonpickle.
    """

    @staticmethod
    def ser(obj: Any) -> str:
        """Return an object as text. Raises what jsonpickle or pickle raises."""
        try:
            jsonpickle = importlib.import_module("jsonpickle")
        except ImportError:
            return _PICKLED + base64.b64encode(pickle.dumps(obj, 5)).decode()
        text: str = jsonpickle.encode(obj, keys=True)
        return text

    @staticmethod
    def de(s: str) -> Any:
        """Return the object of a text. Raises ImportError when that needs jsonpickle."""
        if s.startswith(_PICKLED):
            return pickle.loads(base64.b64decode(s.removeprefix(_PICKLED)))
        try:
            jsonpickle = importlib.import_module("jsonpickle")
        except ImportError:
            raise ImportError(
                "this snapshot was written by jsonpickle, which is not installed here: "
                "pip install jsonpickle",
                name="jsonpickle",
            ) from None
        return jsonpickle.decode(s, keys=True)
