"""The settings of a Kafka broker of the `kafka` tool, and which cluster it belongs to."""

import base64
import json
import secrets
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from broker_security import PROTOCOLS, Security

PARTITIONS = 4
"""Of a topic that is made on first use, and of the broker's own topics."""

SETTINGS = """\
process.roles={roles}
node.id={node}
controller.quorum.voters=1@{controller}
controller.listener.names=CONTROLLER
listeners={listeners}{controller_listener}
advertised.listeners={listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,{protocols}
log.dirs={data}
num.partitions={partitions}
offsets.topic.replication.factor=1
offsets.topic.num.partitions={partitions}
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions={partitions}
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions={partitions}
# A broker that was killed may come back when its session has ended, by default after 9 seconds.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
# Else every new group waits 3 seconds for more members.
group.initial.rebalance.delay.ms=0
# So that tests need not wait long for a killed member.
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=8388608
{security}"""


@dataclass(frozen=True)
class Cluster:
    """What `cluster.json` in a broker's directory says of its cluster.

    node: the broker's number in it; 1 is also the controller, which listens at `controller`,
    HOST:PORT.
    """

    id: str
    controller: str
    node: int = 1

    @classmethod
    def load(cls, directory: Path) -> "Cluster | None":
        """The cluster of a broker that was started before, or None."""
        try:
            return cls(**json.loads((directory / "cluster.json").read_text()))
        except FileNotFoundError:
            return None

    @classmethod
    def make(cls, controller: str) -> "Cluster":
        """A new one, for its first broker."""
        # 22 characters of base64url; the first is fixed, for it must not be a "-".
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        return cls("M" + text[1:], controller)

    def joined(self) -> "Cluster":
        """The same, for one more broker."""
        return replace(self, node=2 + secrets.randbelow(1_000_000))

    def save(self, directory: Path) -> None:
        """Keeps it for later starts."""
        (directory / "cluster.json").write_text(json.dumps(asdict(self)))


def broker_settings(cluster: Cluster, address: str, data: Path, security: Security | None) -> str:
    """The text of `server.properties`. address: HOST:PORT for clients without TLS and SASL."""
    listeners = f"PLAINTEXT://{address}"
    is_controller = cluster.node == 1
    return SETTINGS.format(
        roles="broker,controller" if is_controller else "broker",
        node=cluster.node,
        controller=cluster.controller,
        listeners=f"{listeners},{security.listeners}" if security else listeners,
        controller_listener=f",CONTROLLER://{cluster.controller}" if is_controller else "",
        protocols=",".join(f"{name}:{name}" for name in PROTOCOLS),
        security=security.settings if security else "",
        data=data,
        partitions=PARTITIONS,
    )
