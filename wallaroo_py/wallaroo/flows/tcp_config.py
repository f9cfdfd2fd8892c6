"""TCPSourceConfig and TCPSinkConfig, the configurations of Wallaroo, in a dataflow."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from ..tcp import TCPSinkConfig, TCPSourceConfig
from .config_ends import instance_of
from .idle_pause import IdlePause
from .outputs import DynamicSink, StatelessSinkPartition
from .sources import DynamicSource, StatelessSourcePartition
from .tcp_listener import Framing, TcpListener
from .tcp_sender import TcpSender

LOG = logging.getLogger("wallaroo.flows")
_PAUSE_MAX = timedelta(milliseconds=40)  # a look asks the kernel: it costs more than one at Kafka


class TcpConfigSource(DynamicSource):
    """Listens on a port, on worker 0, and gives what the configuration's decoder makes of frames.

    What was read and not yet stored is lost in a crash: clients can't be asked again.
    """

    def __init__(self, config: TCPSourceConfig, step_id: str) -> None:
        self.config = config
        self._step_id = step_id
        self._decoder = instance_of(config.decoder)

    def build(
        self, now: datetime, worker_index: int, worker_count: int
    ) -> StatelessSourcePartition:
        """Begin to listen, on worker 0. Raises OSError when the port can't be had."""
        if worker_index != 0:
            return _Ended()
        framing = Framing(self._decoder.header_length(), self._decoder.payload_length)
        listener = TcpListener(self.config.host, int(self.config.port), framing)
        LOG.warning(
            "step %r: a crash loses what was read over TCP since the last snapshot", self._step_id
        )
        print(f'listening on {listener.address} (step "{self._step_id}")', flush=True)
        return _Frames(listener, self._decoder.decode)

    def __json__(self) -> dict[str, Any]:
        return {
            "type": type(self.config).__name__,
            "host": self.config.host,
            "port": self.config.port,
        }


class _Ended(StatelessSourcePartition):
    def next_batch(self, sched: Any = None) -> list[Any]:
        raise StopIteration


class _Frames(StatelessSourcePartition):
    def __init__(self, listener: TcpListener, decode: Any) -> None:
        self._listener = listener
        self._decode = decode
        self._pause = IdlePause(_PAUSE_MAX)

    def next_batch(self, sched: Any = None) -> list[Any]:
        decode = self._decode
        payloads = self._listener.take()
        self._pause.after(bool(payloads))
        decoded = [decode(payload) for payload in payloads]
        return [item for item in decoded if item is not None]

    def next_awake(self) -> datetime | None:
        return self._pause.awake

    def close(self) -> None:
        self._listener.close()


class TcpConfigSink(DynamicSink):
    """Writes what the configuration's encoder makes of the items, on a connection per worker."""

    def __init__(self, config: TCPSinkConfig, step_id: str) -> None:
        self.config = config
        self._step_id = step_id

    def build(self, worker_index: int, worker_count: int) -> StatelessSinkPartition:
        """Connect; waits while the receiver is away."""
        host, port = self.config.host, int(self.config.port)
        return TcpSender(host, port, self.config.encoder, self._step_id)

    def __json__(self) -> dict[str, Any]:
        return {
            "type": type(self.config).__name__,
            "host": self.config.host,
            "port": self.config.port,
        }
