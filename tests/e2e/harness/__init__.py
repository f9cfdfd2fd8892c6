"""What the end-to-end tests stand on: server, receiver, broker, clients, texts of applications."""

from harness.apptext import COUNT, COUNT_STEP, PRELUDE, RAW, one_pipeline
from harness.broker import Broker
from harness.client import Client, frames
from harness.committed import Reader
from harness.crash import Counting, Survivor, expected_counts
from harness.crash_tcp import Talker, check_frames, frames_application, parse_frame
from harness.deadline import DEADLINE_S, SANITIZED, wait_quiet, wait_until
from harness.kafka import Kafka
from harness.kafka_app import COUNT_PAIRS, KAFKA_PRELUDE, kafka_arguments, kafka_pipeline
from harness.kafka_load import Load
from harness.letters import LETTERS, wait_letters
from harness.receiver import Receiver
from harness.sequences import Sequences
from harness.serve import NewBroker, NewReceiver, Serve, ServeKafka, Start
from harness.server import BINARY, READY, Server
from harness.storage_app import (
    VENV,
    calls,
    failing,
    send,
    storage_app,
    wait_written,
    written,
)
from harness.store import ask_store, change_store, newest_epoch, positions_total
from harness.topic import Record, Topic, by_key

__all__ = [
    "BINARY",
    "COUNT",
    "COUNT_PAIRS",
    "COUNT_STEP",
    "DEADLINE_S",
    "KAFKA_PRELUDE",
    "LETTERS",
    "PRELUDE",
    "RAW",
    "READY",
    "SANITIZED",
    "VENV",
    "Broker",
    "Client",
    "Counting",
    "Kafka",
    "Load",
    "NewBroker",
    "NewReceiver",
    "Reader",
    "Receiver",
    "Record",
    "Sequences",
    "Serve",
    "ServeKafka",
    "Server",
    "Start",
    "Survivor",
    "Talker",
    "Topic",
    "ask_store",
    "by_key",
    "calls",
    "change_store",
    "check_frames",
    "expected_counts",
    "failing",
    "frames",
    "frames_application",
    "kafka_arguments",
    "kafka_pipeline",
    "newest_epoch",
    "one_pipeline",
    "parse_frame",
    "positions_total",
    "send",
    "storage_app",
    "wait_letters",
    "wait_quiet",
    "wait_until",
    "wait_written",
    "written",
]
