"""The types of the fixtures."""

from pathlib import Path
from typing import Protocol

from harness.broker import Broker
from harness.receiver import Receiver
from harness.server import Server
from harness.topic import Topic


class Start(Protocol):
    """Starts the server with a command line; in the test's own directory unless cwd is given."""

    def __call__(
        self, *args: str, env: dict[str, str | None] | None = None, cwd: Path = ...
    ) -> Server: ...


class Serve(Protocol):
    """Starts the server on an application text; see the fixture `serve`."""

    def __call__(
        self,
        text: str,
        *options: str,
        out: Receiver | str | None = None,
        inputs: str = "127.0.0.1:0",
        env: dict[str, str | None] | None = None,
        ready: bool = True,
    ) -> Server: ...


class NewReceiver(Protocol):
    """Makes a receiver; see Receiver for the arguments."""

    def __call__(
        self, *, host: str = ..., start: bool = ..., rcvbuf_bytes: int | None = ...
    ) -> Receiver: ...


class NewBroker(Protocol):
    """Starts a broker of the test's own."""

    def __call__(self) -> Broker: ...


class ServeKafka(Protocol):
    """Starts the server on an application text between topics; see the fixture `serve_kafka`."""

    def __call__(
        self,
        text: str,
        *options: str,
        source: Topic | None = None,
        sink: Topic | None = None,
        ready: bool = True,
    ) -> Server: ...
