"""The bridge from `write_batch` to coroutines."""

from wallaroo.storage.async_bridge import AsyncBridge

__all__ = ["AsyncBridge"]
