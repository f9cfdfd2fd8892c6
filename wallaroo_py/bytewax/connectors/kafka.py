"""Read and write Kafka topics.

Implemented in `wallaroo.flows.kafka`, which has the whole story.
"""

from wallaroo.flows.kafka import (
    KafkaSink,
    KafkaSource,
)
from wallaroo.flows.kafka import _KafkaSinkPartition as _KafkaSinkPartition

# Names of release 0.17.
KafkaInput = KafkaSource
KafkaOutput = KafkaSink

__all__ = [
    "KafkaInput",
    "KafkaOutput",
    "KafkaSink",
    "KafkaSource",
]
