"""How snapshots are stored without a serde: pickled, and what pickle refuses by jsonpickle.

The bytes tell which it was: a pickle begins with 0x80, which no text in UTF-8 does.
"""

from __future__ import annotations

import importlib
import logging
import pickle
from typing import Any

from ..places import shorten

LOG = logging.getLogger("wallaroo.flows")

_PROTOCOL = 5
_PICKLED = b"\x80"
_MISSING = "pip install jsonpickle, which stores more, or give the RecoveryConfig a snapshot_serde"
_REFUSED = "give the RecoveryConfig a snapshot_serde that knows it"


def _not_found(class_name: str) -> None:
    """Raise AttributeError, as pickle does; jsonpickle would go on with a dict."""
    raise AttributeError(f"there is no class {class_name}: is it defined in a function?")


class Snapshots:
    """Makes bytes of snapshots, and back. One for a run: it says once what a type's lack."""

    def __init__(self) -> None:
        self._said: set[type] = set()

    def ser(self, snapshot: Any) -> bytes:
        """Return a snapshot as bytes. Raises PicklingError, with what to do, where it can't."""
        try:
            return pickle.dumps(snapshot, _PROTOCOL)
        except Exception as error:
            return self._by_jsonpickle(snapshot, f"{type(error).__name__}: {error}")

    def de(self, stored: bytes) -> Any:
        """Return the snapshot that `ser` made the bytes of.

        Raises ImportError when that needs jsonpickle, which is not there; what pickle and
        jsonpickle raise, such as for a class that is not found.
        """
        if stored.startswith(_PICKLED):
            return pickle.loads(stored)
        try:
            jsonpickle = importlib.import_module("jsonpickle")
        except ImportError:
            raise ImportError(
                "jsonpickle wrote it, which is not installed here: pip install jsonpickle",
                name="jsonpickle",
            ) from None
        return jsonpickle.decode(stored.decode(), keys=True, on_missing=_not_found)

    def _by_jsonpickle(self, snapshot: Any, why: str) -> bytes:
        """Return what jsonpickle makes of a snapshot. why: what pickle said."""
        if "generator' object" in why:  # jsonpickle would store its items, and so take them
            raise pickle.PicklingError(f"{why}; keep what it goes over, and how far it is")
        try:
            jsonpickle = importlib.import_module("jsonpickle")
        except ImportError:
            raise pickle.PicklingError(f"{why}; {_MISSING}") from None
        try:
            stored: bytes = jsonpickle.encode(snapshot, keys=True).encode()
        except Exception as error:
            raise pickle.PicklingError(
                f"{why}; jsonpickle: {type(error).__name__}: {error}; {_REFUSED}"
            ) from None
        if type(snapshot) not in self._said:
            self._said.add(type(snapshot))
            self._say(snapshot, stored, why)
        return stored

    def _say(self, snapshot: Any, stored: bytes, why: str) -> None:
        try:
            lost = type(self.de(stored)) is not type(snapshot)
        except Exception:
            lost = True
        LOG.warning(
            "pickle refuses snapshots such as %s (%s): they are stored with jsonpickle, %s",
            shorten(snapshot),
            why,
            "and a restart can't bring them back; " + _REFUSED
            if lost
            else "without functions that are in them",
        )
