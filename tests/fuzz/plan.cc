// Any nesting of tuples, lists and odd values: a plan, or a PlanError that says what is wrong.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "embed/interpreter.h"
#include "embed/value.h"
#include "server/plan/describe.h"
#include "server/plan/mistakes.h"
#include "server/plan/topology_reader.h"
#include "tests/unit/python.h"

namespace {

using machida::embed::Gil;
using machida::embed::Object;

const char* const kPalette = R"(
class Decoder:
    def __init__(self, size=2, fmt='>H'): self.size, self.fmt = size, fmt
    def ____wallaroo_length_fmt____(self, own): return self.fmt
    def header_length(self): return self.size
    def payload_length(self, b): return 0
    def decode(self, b): return b
class Encoder:
    def encode(self, d): return d
class Named:
    def name(self): return 'named'
    def compute(self, *d): return d
class Multi:
    def name(self): return 3
    def compute_multi(self, *d): return d
class Raising:
    def name(self): raise ValueError('no name')
    def header_length(self): raise ValueError('no header')
    def compute(self, *d): pass
    decode = payload_length = partition = compute
    def __hash__(self): raise ValueError('no hash')
    def __repr__(self): raise ValueError('no repr')
class By:
    def partition(self, d): return d
class State: pass
class Builder:
    state_cls = State
    def build(self): return State()
class NeedsArguments:
    def __init__(self, a): pass
it = ['name', 'new_pipeline', 'to', 'to_parallel', 'to_stateful', 'to_state_partition',
      'to_state_partition_u64', 'to_sink', 'to_sinks', 'done', 'tcp', 'kafka', 'h', '7010',
      0, 99999, -1, None, True, 1.5, b'b', 'state', 'p', Decoder(), Decoder(9), Decoder(3),
      Decoder('x'), Decoder(2, 7), Decoder, Encoder(), Encoder, Named(), Named, Multi(),
      Raising(), Raising, By(), By, State, Builder(), Builder, NeedsArguments, len,
      '\ud800', '', 2**70, {}, {'a': 1}, [], ['a', 'b'], [1, 2], ('a',),
      ('tcp', 'h', '7010', Decoder()), ('tcp', 'h', '7002', Encoder())]
)";

// Reads values off the fuzzer's bytes: containers by the high bits, the palette otherwise.
class Builder {
 public:
  Builder(const Gil& gil, const std::vector<Object>& palette, const std::uint8_t* data,
          std::size_t size)
      : gil_(gil), palette_(palette), at_(data), end_(data + size) {}

  Object value(int depth = 0) {
    const std::uint8_t code = next();
    if (code < 0xC0 || depth > 4) return palette_[code % palette_.size()].clone(gil_);
    std::vector<Object> elements;
    for (int i = code & 7; i > 0; --i) elements.push_back(value(depth + 1));
    return container(std::move(elements), code < 0xE0);
  }

  Object topology() {
    std::vector<Object> tuples;
    while (at_ != end_) tuples.push_back(value());
    return container(std::move(tuples), false);
  }

 private:
  std::uint8_t next() { return at_ == end_ ? 0 : *at_++; }
  Object container(std::vector<Object> elements, bool tuple) {
    Object list = machida::embed::make_list(gil_, std::move(elements));
    return tuple ? machida::embed::make_tuple(gil_, list) : std::move(list);
  }

  const Gil& gil_;
  const std::vector<Object>& palette_;
  const std::uint8_t *at_, *end_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const machida::embed::Interpreter interpreter({});
  const machida::embed::GilLock gil;
  static const std::vector<Object> palette =
      machida::embed::items(gil, machida::testing::python(gil, kPalette));
  try {
    const Object topology = Builder(gil, palette, data, size).topology();
    const machida::plan::Plan plan = machida::plan::read_topology(gil, topology);
    if (plan.pipelines.empty()) std::abort();
    machida::plan::describe_text(gil, plan);
    machida::plan::describe_json(gil, plan);
  } catch (const machida::plan::PlanError& error) {
    if (error.mistakes().empty()) std::abort();
  }
  return 0;
}
