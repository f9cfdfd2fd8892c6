"""How data is carried between workers, unless the application's module defines its own."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PICKLE_PROTOCOL = 5


def serialize(data: Any) -> bytes:
    """Return `data` pickled. Raises pickle.PicklingError (or what the object raises)."""
    import pickle  # takes milliseconds to import, and a single worker never needs it

    return pickle.dumps(data, protocol=PICKLE_PROTOCOL)


def deserialize(pickled: bytes) -> Any:
    """Return the object that `serialize` was given. Only for bytes from a worker of one's own."""
    import pickle

    return pickle.loads(pickled)
