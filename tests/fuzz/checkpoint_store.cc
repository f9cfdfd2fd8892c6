// A store with any damage is refused, or says what was committed: with one file damaged the newest
// epoch, and always one that there was. `machida recovery` looks at it first and finds it sound
// only if it opens.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "server/base/log.h"
#include "server/store/database.h"
#include "server/store/inspection.h"
#include "server/store/names.h"
#include "server/store/store.h"
#include "tests/fuzz/damage.h"

namespace {

using namespace machida;
using fuzz::Files;
using testing::make_epoch;
using testing::Said;
using testing::TempDirectory;

constexpr const char* kApplication = "fuzzed";
constexpr int kKeysMax = 40;

// A base, epochs behind it, the newest of them in the write-ahead log and not closed, and a head:
// as a server leaves them that is killed.
struct Whole {
  Files files;
  std::vector<Said> said{Said()};  // what any of them was to say: of each epoch, open and closed

  Whole() {
    const TempDirectory temp;
    const store::Directory directory(temp.path(), store::Directory::Access::kServe);
    auto store = std::make_unique<store::Store>(directory, 0, kApplication);
    for (std::int64_t n = 1; n <= 9; ++n) commit(*store, n, 1500);
    while (store->tidy()) continue;
    store = nullptr;
    store::Database(temp.file(store::Names(0).store), store::Database::Mode::kServe).run("VACUUM");
    store = std::make_unique<store::Store>(directory, 0, kApplication);
    for (std::int64_t n = 10; n <= 13; ++n) commit(*store, n, 8);
    files = fuzz::files_of(temp);
    files.erase("worker-0.sqlite3-shm");
    std::erase_if(files, [](const auto& file) { return !file.first.starts_with("worker-0"); });
    if (!has_base()) std::abort();
  }
  const Said& newest() const { return said.back(); }
  bool has(const Said& candidate) const {
    return std::find(said.begin(), said.end(), candidate) != said.end();
  }

 private:
  void commit(store::Store& store, std::int64_t number, int keys) {
    if (number > 1) {
      store.close(number - 1);
      said.push_back(said.back());
      said.back().close();
    }
    const store::Epoch epoch = make_epoch(number, keys, kKeysMax, 20);
    store.commit(epoch);
    said.push_back(said.back());
    said.back().apply(epoch);
  }
  bool has_base() const {
    return std::any_of(files.begin(), files.end(), [](const auto& file) {
      return store::Names(0).base_epoch(file.first).has_value();
    });
  }
};

// Whether all of it verifies.
bool inspect(const TempDirectory& temp) {
  try {
    const store::Directory directory(temp.path(), store::Directory::Access::kInspect);
    store::Inspection inspection(directory, 0);
    const bool sound = inspection.verify().empty();
    inspection.states();
    return sound;
  } catch (const std::runtime_error&) {  // StoreError and StoreFull
    return false;
  }
}

// What it says, and goes on saying when an epoch was added; nothing: it is refused.
std::optional<Said> open(const TempDirectory& temp, store::Damage damage, bool& warned) {
  const store::Directory directory(temp.path(), store::Directory::Access::kServe);
  std::optional<Said> said;
  try {
    store::Store store(directory, 0, kApplication, damage);
    warned = !store.warning().empty();
    said = testing::said_by(store);
  } catch (const store::StoreError&) {
    if (said) std::abort();  // it opens, and then can't be read
    return std::nullopt;
  }
  // From here on it is a store like any other.
  store::Store store(directory, 0, kApplication);
  if (!(testing::said_by(store) == *said)) std::abort();
  if (!said->closed && said->epoch > 0) store.close(said->epoch);
  const store::Epoch next = make_epoch(said->epoch + 1, 5, kKeysMax, 20);
  store.commit(next);
  Said expected = *said;
  expected.apply(next);
  if (!(testing::said_by(store) == expected)) std::abort();
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  log::set_level(log::Level::kError);
  static const Whole whole;
  static const TempDirectory strict_files, lenient_files;
  fuzz::Script script(data, size);
  Files files = whole.files;
  const bool of_rows = script.byte() % 2 == 1;
  bool only_one = true;
  if (!of_rows) only_one = fuzz::damage_bytes(script, files).size() <= 1;
  fuzz::write_files(strict_files, files);
  if (of_rows) fuzz::damage_rows(script, strict_files.file(store::Names(0).store));
  fuzz::write_files(lenient_files, fuzz::files_of(strict_files));

  bool warned = false;
  const bool sound = inspect(strict_files);
  const std::optional<Said> strict = open(strict_files, store::Damage::kRefuse, warned);
  if (sound && !strict) std::abort();
  if (strict && warned) std::abort();
  if (strict && !(only_one ? *strict == whole.newest() : whole.has(*strict))) std::abort();
  const std::optional<Said> lenient = open(lenient_files, store::Damage::kAcceptOlder, warned);
  if (!lenient && strict) std::abort();
  if (lenient && (warned != !strict || !whole.has(*lenient))) std::abort();
  return 0;
}
