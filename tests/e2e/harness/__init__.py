"""What the end-to-end tests stand on: the server as a process, a receiver, clients, app texts."""

from harness.apptext import PRELUDE, one_pipeline
from harness.client import Client, frames
from harness.deadline import DEADLINE_S, SANITIZED, wait_until
from harness.receiver import Receiver
from harness.serve import NewReceiver, Serve, Start
from harness.server import BINARY, Server

__all__ = [
    "BINARY",
    "DEADLINE_S",
    "PRELUDE",
    "SANITIZED",
    "Client",
    "NewReceiver",
    "Receiver",
    "Serve",
    "Server",
    "Start",
    "frames",
    "one_pipeline",
    "wait_until",
]
