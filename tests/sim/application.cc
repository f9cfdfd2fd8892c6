#include "tests/sim/application.h"

#include "embed/value.h"
#include "server/plan/topology_reader.h"
#include "tests/unit/python.h"

namespace machida::sim {
namespace {

const char* const kSource = R"(
class Decoder:
    length_fmt = '>I'
    def header_length(self): return 4
    def payload_length(self, b): return int.from_bytes(b, 'big')
    def decode(self, b):
        stream, number, a, b, kind = b.decode().split()
        return (stream, int(number), a, b, int(kind))

class Encoder:
    def encode(self, d): return ' '.join(map(str, d)).encode()

class Step:
    def __init__(self, name, fn): self.label, self.compute = name, fn
    def name(self): return self.label

class Multi:
    def __init__(self, name, fn): self.label, self.compute_multi = name, fn
    def name(self): return self.label

class By:
    def __init__(self, place): self.place = place
    def partition(self, d): return d[self.place]

def split(d):
    stream, number, a, b, kind = d
    if kind == 19: raise ValueError(kind)
    return [(stream, number * 4 + i, a, b + str(i), kind) for i in range(kind % 4)]

def chain(state, who, what):
    n, h = state.get(who, (0, 0))
    state[who] = last = (n + 1, (h * 31 + what) & 0xffffffff)
    return last

def first(d, s):
    stream, what, a, b, kind = d
    if kind % 5 == 4:
        return (stream, what, a, b, *s.get(stream, (0, 0))), False
    return (stream, what, a, b, *chain(s, stream, what)), True

def second(d, s):
    stream, what, a, b, n, h = d
    who = stream + '/' + a
    n, h = chain(s, who, what ^ h)
    return (b + '/' + who, n, h), True

def third(d, s):
    n, h = chain(s, d[0], d[2])
    return (d[0], n, h), True

def everything(d, s):
    stream, what, a, b, n, h = d
    who = stream + '/' + a
    n, h = chain(s, who, what ^ h)
    return (who, n, h), True

def sums(d, s):
    stream, what, a, b, n, h = d
    count, total = s.get(stream, (0, 0))
    s[stream] = (count + 1, total ^ (h * (what + 1)))
    return (stream, n, h, what, a, b), True

def plain(d): return (d[0], d[1], d[2], d[3])

keys = ['a%d' % i for i in range(8)]
brokers = [('127.0.0.1', '9092')]
log = [('new_pipeline', 'log', ('kafka', 'in', brokers, 'Warn', Decoder()))]
to_log = [('to_sink', ('kafka', 'out', brokers, 'Warn', 0, 1000, Encoder()))]
clients = [('new_pipeline', 'clients', ('tcp', '127.0.0.1', 1, Decoder()))]
to_clients = [('to_sink', ('tcp', '127.0.0.1', 2, Encoder()))]
by_a = [('to_state_partition', Step('first', first), dict, 'first', By(2), keys)]
by_b = [('to_state_partition', Step('second', second), dict, 'second', By(3))]
split = [('to', Multi('split', split))]

it = [
    # Keys that are listed and keys that are not, a state that two pipelines share, fan-out.
    [('name', 'keys')] + log + split + by_a + by_b + to_log
    + clients + by_a + [('to_stateful', Step('everything', everything), dict, 'everything')]
    + to_clients,
    # Records are spread, so their order is lost.
    [('name', 'parallel')] + log
    + [('to_stateful', Step('first', first), dict, 'one'),
       ('to_parallel', Step('same', lambda d: d)),
       ('to_state_partition', Step('sums', sums), dict, 'sums', By(2))] + to_log
    + clients + [('to_parallel', Step('plain', plain))] + to_clients,
    # Nothing changes worker.
    [('name', 'plain')] + log + split + [('to', Step('plain', plain))] + to_log
    + clients + [('to', Step('plain', plain))] + to_clients,
    # No journal, and records that change worker three times.
    [('name', 'deep')] + log + by_a + by_b
    + [('to_state_partition', Step('third', third), dict, 'third', By(0))] + to_log,
]
)";

}  // namespace

std::vector<Application> applications(const embed::Gil& gil) {
  std::vector<Application> all;
  for (const embed::Object& topology : embed::items(gil, testing::python(gil, kSource)))
    all.push_back({plan::read_topology(gil, topology)});
  all[1].in_order = false;
  all[3].has_clients = false;
  return all;
}

std::string key_of(std::uint64_t number) {
  return number < kListedKeys ? "a" + std::to_string(number) : "stranger";
}

}  // namespace machida::sim
