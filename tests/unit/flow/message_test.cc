#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "embed/value.h"
#include "server/plan/topology_reader.h"
#include "server/worker/in_process.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

const char* const kParts = R"(
class Decoder:
    def decode(self, value): return value
class WithMessage:
    def decode_message(self, value, message): return (value, message)
    def message_class(self, *parts): return parts
class Encoder:
    def __init__(self, fn): self.fn = fn
    def encode(self, d): return self.fn(d)
brokers = [('127.0.0.1', '9092')]
def topology(decoder, encode):
    return [('name', 'a'), ('new_pipeline', 'p', ('kafka', 'in', brokers, 'Warn', decoder)),
            ('to_sink', ('kafka', 'out', brokers, 'Warn', 0, 1000, Encoder(encode)))]
)";

struct Outcome {
  std::vector<worker::Output> outputs;
  std::size_t dead_letters = 0;
};

Outcome run(const embed::Gil& gil, const std::string& arguments,
            const std::vector<std::optional<std::string_view>>& values) {
  const plan::Plan plan =
      plan::read_topology(gil, testing::python(gil, kParts + ("it = topology(" + arguments + ")")));
  worker::InProcess process(gil, plan, worker::UnknownKeyPolicy::kDrop, 100);
  process.feed_frames(gil, 0, values);
  Outcome outcome;
  for (const worker::Output& output : process.outputs(0, 0))
    outcome.outputs.push_back({.value = output.value,
                               .is_message = output.is_message,
                               .key = output.key,
                               .partition = output.partition});
  outcome.dead_letters = process.dead_letters().size();
  return outcome;
}

}  // namespace

TEST_CASE("a tombstone's value is None, an empty value is empty bytes") {
  const embed::GilLock gil;
  const Outcome outcome = run(gil, "Decoder(), lambda d: repr(d)", {"", "x"});
  REQUIRE(outcome.outputs.size() == 2);
  CHECK(outcome.outputs[0].value == "b''");
  CHECK(run(gil, "Decoder(), lambda d: repr(d)", {std::nullopt}).outputs.empty());  // None: dropped
}

TEST_CASE("a decoder that asks for it sees where a message came from") {
  const embed::GilLock gil;
  const Outcome outcome = run(gil, "WithMessage(), lambda d: repr(d)", {"v", std::nullopt});
  REQUIRE(outcome.outputs.size() == 2);
  CHECK(outcome.outputs[0].value == "(b'v', ('in', 0, 0, None, None, []))");
  CHECK(outcome.outputs[1].value == "(None, ('in', 0, 1, None, None, []))");
}

TEST_CASE("an encoder for Kafka returns a value, with a key, with a partition") {
  const embed::GilLock gil;
  const Outcome outcome = run(gil,
                              "Decoder(), lambda d: {b'v': 'text', b'k': (b'val', 'key'), "
                              "b'n': (b'val', None), b'p': ('val', b'key', 3), b'0': None}[d]",
                              {"v", "k", "n", "p", "0"});
  REQUIRE(outcome.outputs.size() == 4);
  CHECK(outcome.outputs[0].value == "text");
  CHECK_FALSE(outcome.outputs[0].key);
  CHECK(outcome.outputs[1].key == "key");
  CHECK_FALSE(outcome.outputs[2].key);
  CHECK(outcome.outputs[3].partition == 3);
  CHECK(outcome.dead_letters == 0);
}

TEST_CASE("any other shape is a dead letter") {
  const embed::GilLock gil;
  const Outcome outcome = run(gil,
                              "Decoder(), lambda d: [3, (b'a',), (b'a', 3), (b'a', 'k', -1), "
                              "(b'a', 'k', 'p'), (None, 'k'), (1, 2, 3, 4)][int(d)]",
                              {"0", "1", "2", "3", "4", "5", "6"});
  CHECK(outcome.outputs.empty());
  CHECK(outcome.dead_letters == 7);
}
