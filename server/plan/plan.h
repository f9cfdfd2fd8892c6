// What the application asked for, validated and immutable: the one thing that every front door
// produces and the engine runs. Holds the user's callables; knows no sockets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "embed/object.h"
#include "server/base/host_port.h"
#include "server/kafka/settings.h"
#include "server/plan/keyed_spec.h"
#include "server/wire/length_format.h"

namespace machida::plan {

// Indices into Plan's vectors, as types.
struct StateId {
  std::size_t value = 0;
  bool operator==(const StateId&) const = default;
};

struct DecoderSpec {
  embed::Object decode;                             // decode(bytes) -> data
  std::size_t header_bytes = 4;                     // 1 to 8
  std::optional<wire::LengthFormat> length_format;  // when the engine can read the header itself
  embed::Object payload_length;                     // payload_length(header bytes) -> int otherwise
  embed::Object message_class;                      // Kafka: decode(value, message) wants these
};

struct TcpSourceSpec {
  HostPort address;
};

struct KafkaSourceSpec {
  kafka::ConsumerSettings settings;
};

struct SourceSpec {
  std::variant<TcpSourceSpec, KafkaSourceSpec> from;
  DecoderSpec decoder;
};

struct TcpSinkSpec {
  HostPort address;
};

struct KafkaSinkSpec {
  kafka::ProducerSettings settings;
};

// Takes the records themselves: no encoder.
struct StorageSinkSpec {
  embed::Object sink;  // has build_partition()
  std::string name;    // of its section in the configuration; may be empty
  std::string type;    // the class' name, for people
};

struct SinkSpec {
  std::variant<TcpSinkSpec, KafkaSinkSpec, StorageSinkSpec> to;
  embed::Object encode;  // encode(data) -> what the kind of sink takes, None sends nothing
};

// Gives each output to one of the pipeline's sinks: the first whose predicate(data) is true.
struct RouterSpec {
  struct Branch {
    std::string name;
    embed::Object predicate;
  };
  std::vector<Branch> branches;  // of the sinks with the same index; one sink more is the default
};

enum class StepKind {
  kStateless,  // to, to_parallel: compute(data)
  kStateful,   // to_stateful: compute(data, state), one state object
  kKeyed,      // to_state_partition: compute(data, state of partition(data))
  kWindow,     // to_window: windows of partition(data)
};

enum class Outputs {
  kOne,   // the result is the record, None is filtered
  kMany,  // the result is a list of records or None
};

struct StepSpec {
  std::string name;
  StepKind kind = StepKind::kStateless;
  bool parallel = false;  // to_parallel
  Outputs outputs = Outputs::kOne;
  embed::Object compute;
  embed::Object partition;          // kKeyed and kWindow
  StateId state;                    // kStateful and kKeyed
  std::optional<KeyedSpec> window;  // kWindow: holds a WindowSpec
  embed::Object metadata_class;     // kWindow: metadata_class(open_time, close_time)
};

struct StateSpec {
  std::string name;
  bool keyed = false;
  embed::Object build;                             // build() -> a fresh state object
  embed::Object identity;                          // what two uses of one name must share
  std::optional<std::vector<embed::Object>> keys;  // keyed: the listed ones; nothing: on demand
};

struct PipelineSpec {
  std::string name;
  SourceSpec source;
  std::vector<StepSpec> steps;
  std::vector<SinkSpec> sinks;       // empty: closed with done()
  std::optional<RouterSpec> router;  // nothing: every sink gets every output
};

struct Plan {
  std::string name;
  std::vector<PipelineSpec> pipelines;
  std::vector<StateSpec> states;

  // Whether some source is a TcpSourceSpec, or a KafkaSourceSpec.
  template <class Spec>
  bool has_source() const {
    return std::any_of(pipelines.begin(), pipelines.end(), [](const PipelineSpec& pipeline) {
      return std::holds_alternative<Spec>(pipeline.source.from);
    });
  }
};

}  // namespace machida::plan
