"""The type of what streams carry."""

from wallaroo.storage.protocols import StreamPayload

__all__ = ["StreamPayload"]
