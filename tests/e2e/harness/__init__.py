"""What the end-to-end tests stand on: server, receiver, broker, clients, texts of applications."""

from harness.apptext import PRELUDE, one_pipeline
from harness.client import Client, frames
from harness.deadline import DEADLINE_S, SANITIZED, wait_quiet, wait_until
from harness.kafka import Broker, Kafka, Record, Topic, by_key
from harness.kafka_app import COUNT, COUNT_STEP, KAFKA_PRELUDE, kafka_pipeline
from harness.kafka_load import Load
from harness.letters import LETTERS, wait_letters
from harness.receiver import Receiver
from harness.serve import NewBroker, NewReceiver, Serve, ServeKafka, Start
from harness.server import BINARY, READY, Server

__all__ = [
    "BINARY",
    "COUNT",
    "COUNT_STEP",
    "DEADLINE_S",
    "KAFKA_PRELUDE",
    "LETTERS",
    "PRELUDE",
    "READY",
    "SANITIZED",
    "Broker",
    "Client",
    "Kafka",
    "Load",
    "NewBroker",
    "NewReceiver",
    "Receiver",
    "Record",
    "Serve",
    "ServeKafka",
    "Server",
    "Start",
    "Topic",
    "by_key",
    "frames",
    "kafka_pipeline",
    "one_pipeline",
    "wait_letters",
    "wait_quiet",
    "wait_until",
]
