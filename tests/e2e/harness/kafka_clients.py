"""The tests' own clients of a Kafka broker."""

from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

CALL_S_MAX = 30.0
MESSAGE_BYTES_MAX = 16_000_000


class KafkaClients:
    """Clients of the broker at an address, HOST:PORT.

    replicas: of each topic that is made through them.
    """

    def __init__(self, address: str, replicas: int = 1) -> None:
        self.address = address
        self.replicas = replicas
        self.settings: dict[str, Any] = {
            "bootstrap.servers": address,
            "log_level": 0,
            "reconnect.backoff.max.ms": 500,
            "broker.address.family": "v4",
        }
        self.admin = AdminClient(dict(self.settings))
        self.producer = Producer(
            {
                **self.settings,
                "linger.ms": 1,
                "acks": "all",
                "enable.idempotence": True,
                "message.max.bytes": MESSAGE_BYTES_MAX,
            }
        )

    def close(self) -> None:
        """Waits until the broker has what was produced."""
        self.producer.flush(CALL_S_MAX)
