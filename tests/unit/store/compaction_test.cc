#include <doctest/doctest.h>

#include <filesystem>
#include <optional>

#include "tests/unit/store/support.h"

namespace machida::store {

using testing::make_epoch;
using testing::Said;
using testing::said_by;
using testing::TempDirectory;

namespace {

constexpr const char* kApplication = "Word count";

std::string bases_of(const TempDirectory& files) {
  std::string bases;
  for (const std::string& name : files.names())
    if (name.find(".base-") != std::string::npos) bases += name + " ";
  return bases;
}

}  // namespace

TEST_CASE("compaction keeps every key's newest value, and a crash between its pieces too") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Store store(directory, 0, kApplication);
  Said said;
  int pieces = 0, bases = 0;
  std::string last_base;
  TempDirectory crashed;
  for (std::int64_t n = 1; n <= 90; ++n) {
    const Epoch epoch = make_epoch(n, 1500, 9000, 30);
    store.commit(epoch);
    said.apply(epoch);
    for (bool more = true; more; ++pieces) {
      more = store.tidy();
      if (const std::string base = bases_of(temp); base != last_base) {
        last_base = base;
        ++bases;
      } else if (pieces % 4 != 0) {
        continue;
      }
      crashed.copy_from(temp.path());
      const Directory copy(crashed.path(), Directory::Access::kServe);
      CHECK(said_by(Store(copy, 0, kApplication)) == said);
    }
    store.close(n);
    said.close();
  }
  CHECK(said_by(store) == said);
  CHECK(bases >= 4);
  CHECK(std::filesystem::file_size(temp.file("worker-0.sqlite3")) < 8u << 20);
}

TEST_CASE("what an unfinished compaction left is removed at the next start") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Said said;
  {
    Store store(directory, 0, kApplication);
    store.commit(make_epoch(1, 10, 10));
    store.close(1);
    said = said_by(store);
  }
  testing::write_file(temp.file("worker-0.base-7.sqlite3"), "half of it");
  testing::write_file(temp.file("worker-1.base-7.sqlite3"), "another worker's");
  CHECK(said_by(Store(directory, 0, kApplication)) == said);
  CHECK(bases_of(temp) == "worker-1.base-7.sqlite3 ");
}

TEST_CASE("many small epochs are compacted too, so that positions do not pile up") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  std::optional<Store> store(std::in_place, directory, 0, kApplication);
  constexpr int kEpochs = 40;
  for (std::int64_t n = 1; n <= kEpochs; ++n) {
    store->commit(make_epoch(n, 400, 50'000));
    store->close(n);
    while (store->tidy()) continue;
  }
  const Said said = said_by(*store);
  store.reset();
  CHECK(bases_of(temp) != "");
  CHECK(said_by(Store(directory, 0, kApplication)) == said);
}

}  // namespace machida::store
