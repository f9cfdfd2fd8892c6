// `_machida.KafkaReader`, `KafkaWriter` and `kafka_partitions`: librdkafka for the sources and
// sinks of `bytewax.connectors.kafka`, which are Python. They give up the interpreter lock while
// they wait.
#pragma once

struct _object;  // CPython's PyObject, without its header

namespace machida {

inline constexpr char kKafkaPartitionsDoc[] =
    "kafka_partitions(properties: dict[str, str], topic: str, timeout_s: float) -> int\n\n"
    "How many partitions a topic has. properties: librdkafka's. Waits up to timeout_s.\n"
    "Raises RuntimeError with librdkafka's text.";

// METH_VARARGS.
_object* kafka_partitions(_object* module, _object* args);

// Adds the two classes to the module; -1 with a Python error set, or 0.
int add_kafka_types(_object* module);

}  // namespace machida
