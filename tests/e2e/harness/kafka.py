"""What a test sees of a Kafka broker."""

import uuid

from confluent_kafka import KafkaError, KafkaException

from harness.broker import Broker
from harness.deadline import DEADLINE_S, wait_until
from harness.kafka_clients import CALL_S_MAX, KafkaClients
from harness.topic import Topic


class Kafka:
    """The test's own view of a broker: clients and topics.

    replicas: of each topic.
    """

    def __init__(self, broker: Broker, replicas: int = 1) -> None:
        self.broker = broker
        self.clients = KafkaClients(broker.address, replicas)
        self._topics: list[Topic] = []

    @property
    def address(self) -> str:
        """HOST:PORT of the broker."""
        return self.broker.address

    def topic(self, name: str = "topic") -> Topic:
        """A topic that does not exist yet; its name begins with the one given."""
        self._topics.append(Topic(self.clients, f"{name}-{uuid.uuid4().hex[:8]}"))
        return self._topics[-1]

    def new_topic(self, name: str = "topic", partitions: int = 1, **config: str) -> Topic:
        """A new topic; config: its settings, "_" for "."."""
        return self.topic(name).create(partitions, **config)

    def members(self, group: str) -> int:
        """Returns how many members a group has."""
        asked = self.clients.admin.describe_consumer_groups([group], request_timeout=CALL_S_MAX)
        try:
            return len(asked[group].result(CALL_S_MAX).members)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return 0
            raise

    def wait_members(self, group: str, count: int) -> None:
        """Waits until a group has that many members."""
        wait_until(lambda: self.members(group) == count, f"{count} members of {group}", DEADLINE_S)

    def close(self) -> None:
        """Ends the clients; the broker goes on."""
        for topic in self._topics:
            topic.close()
        self._topics.clear()
        self.clients.close()
