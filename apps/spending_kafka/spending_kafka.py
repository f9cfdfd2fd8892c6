"""What each customer has spent so far, from payments in a topic to totals in another."""

import json

from bytewax.connectors.kafka import KafkaSink, KafkaSource
from bytewax.dataflow import Dataflow

Message = tuple[bytes | None, bytes | None]  # key and value


def parse(message: Message) -> tuple[str, int] | None:
    """Return customer and cents; None for a tombstone."""
    _, value = message
    if value is None:
        return None
    payment = json.loads(value)
    return payment["customer"], payment["cents"]


def zero() -> int:
    """Return what a new customer has spent."""
    return 0


def add(total: int, cents: int) -> tuple[int, int]:
    """Return the new total twice: to keep, and to send."""
    total += cents
    return total, total


def show(item: tuple[str, int]) -> Message:
    """Make a message of a total, with the customer as key."""
    customer, total = item
    return customer.encode(), json.dumps({"customer": customer, "total": total}).encode()


def make_flow(brokers: str, topic_in: str, topic_out: str, *, tail: bool = True) -> Dataflow:
    """Read payments and write totals. brokers: `host:port,host:port`. tail: go on at the end."""
    addresses = brokers.split(",")
    flow = Dataflow()
    flow.input("payments", KafkaSource(addresses, [topic_in], tail=tail, batch_size=100))
    flow.filter_map("parse", parse)
    flow.stateful_map("total", zero, add)
    flow.map("show", show)
    flow.output("totals", KafkaSink(addresses, topic_out))
    return flow
