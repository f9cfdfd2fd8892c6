#include "tests/unit/flow/wallaroo_steps.h"

#include "server/plan/topology_reader.h"
#include "tests/unit/python.h"

namespace machida::testing {
namespace {

const char* const kParts = R"(
class Decoder:
    def header_length(self): return 1
    def payload_length(self, b): return b[0]
    def decode(self, b): return None if b == b'none' else b.decode()
class Encoder:
    def encode(self, d): return d if isinstance(d, (bytes, int)) else str(d)
class Step:
    def __init__(self, fn, name='step'): self.fn, self.label = fn, name
    def name(self): return self.label
    def compute(self, *args): return self.fn(*args)
class Multi:
    def __init__(self, fn): self.fn = fn
    def name(self): return 'multi'
    def compute_multi(self, *args): return self.fn(*args)
class By:
    def __init__(self, fn): self.fn = fn
    def partition(self, d): return self.fn(d)
class Count:
    def __init__(self): self.n = 0
    def add(self):
        self.n += 1
        return self.n
def topology(*steps):
    return [('name', 'a'), ('new_pipeline', 'p', ('tcp', 'h', 1, Decoder())), *steps,
            ('to_sink', ('tcp', 'h', 1, Encoder()))]
count = Step(lambda d, s: (d + str(s.add()), True), 'count')
)";

}  // namespace

plan::Plan plan_of_steps(const embed::Gil& gil, const std::string& steps) {
  return plan::read_topology(gil, python(gil, kParts + ("it = topology(" + steps + ")")));
}

}  // namespace machida::testing
