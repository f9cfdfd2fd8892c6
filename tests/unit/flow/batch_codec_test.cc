#include "server/flow/batch_codec.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "embed/value.h"
#include "server/flow/dead_letters.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

class Letters final : public flow::DeadLetters {
 public:
  void add(const embed::Gil& gil, const flow::Place& place, const embed::PythonError& error,
           _object* input) override {
    texts.push_back(place.step + ": " + error.type() + ": " +
                    embed::repr(gil, embed::Object::borrow(gil, input), 100));
  }
  std::vector<std::string> texts;
};

const flow::Place kPlace{"p", "count"};

struct Trip {
  std::string records;  // repr of the list of what arrived
  std::vector<std::uint32_t> counts;
  std::vector<std::string> letters;
};

Trip through(const embed::Gil& gil, const embed::Pickling& pickling, const std::string& list,
             std::size_t bytes_max = 1 << 20) {
  Letters letters;
  flow::BatchCodec codec(pickling.clone(gil), letters, bytes_max);
  flow::Batch sent, arrived;
  for (embed::Object& record : embed::items(gil, testing::python(gil, list)))
    sent.push(record.release());
  Trip trip;
  codec.encode(gil, sent, kPlace, [&](std::uint32_t count, std::string_view bytes) {
    trip.counts.push_back(count);
    codec.decode(gil, bytes, kPlace, arrived);
  });
  std::vector<embed::Object> objects;
  for (std::size_t i = 0; i < arrived.size(); ++i)
    objects.push_back(embed::Object::borrow(gil, arrived.at(i)));
  trip.records = embed::repr(gil, embed::make_list(gil, std::move(objects)));
  trip.letters = letters.texts;
  sent.clear(gil);
  arrived.clear(gil);
  return trip;
}

embed::Pickling own_pickling(const embed::Gil& gil) {
  testing::python(gil, R"(
import sys, types
module = types.ModuleType('with_serialize')
def serialize(o):
    if o == 'bad': raise ValueError('no')
    return repr(o).encode()
def deserialize(b):
    if b == b"'worse'": raise ValueError('no')
    return eval(b)
module.serialize, module.deserialize = serialize, deserialize
sys.modules['with_serialize'] = module
it = None)");
  return embed::Pickling::of_application(gil, "with_serialize");
}

using Counts = std::vector<std::uint32_t>;
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a batch is pickled once and arrives in order") {
  const embed::GilLock gil;
  const Trip trip = through(gil, embed::Pickling(gil), "it = [1, 'two', b'3', (4, None), {5: 6}]");
  CHECK(trip.records == "[1, 'two', b'3', (4, None), {5: 6}]");
  CHECK(trip.counts == Counts{5});
  CHECK(trip.letters.empty());
}

TEST_CASE("a record that can't be pickled is a dead letter, the others arrive in order") {
  const embed::GilLock gil;
  const Trip trip =
      through(gil, embed::Pickling(gil), "f = (i for i in [])\nit = [1, 2, f, 3, 4, 5, f]");
  CHECK(trip.records == "[1, 2, 3, 4, 5]");
  REQUIRE(trip.letters.size() == 2);
  CHECK(trip.letters[0].starts_with("count: TypeError: <generator"));
}

TEST_CASE("a batch over the limit goes in parts; a record over it is a dead letter") {
  const embed::GilLock gil;
  const std::string list = "it = [b'a' * 400, b'b' * 400, b'c' * 2000, b'd' * 400, b'e' * 400]";
  const embed::Pickling pickle(gil), own = own_pickling(gil);
  for (const embed::Pickling* pickling : {&pickle, &own}) {
    const Trip trip = through(gil, *pickling, list, 1000);
    CHECK(trip.records.size() == std::string("[]").size() + 4 * 403 + 3 * 2);
    REQUIRE(trip.letters.size() == 1);
    CHECK(trip.letters[0].starts_with("count: ValueError: b'ccc"));
    CHECK(trip.counts.size() > 1);
  }
}

TEST_CASE("with serialize() and deserialize() each record goes and fails on its own") {
  const embed::GilLock gil;
  const Trip trip = through(gil, own_pickling(gil), "it = [1, 'bad', '', 'worse', 'good']");
  CHECK(trip.records == "[1, '', 'good']");
  CHECK(trip.counts == Counts{4});
  CHECK(trip.letters == Texts{"count: ValueError: 'bad'", "count: ValueError: b\"'worse'\""});
}
