#include "server/store/go_back.h"

#include <doctest/doctest.h>

#include "tests/unit/store/support.h"

using namespace machida;
using testing::Said;

namespace {

const testing::TempDirectory::Place kMemory = testing::TempDirectory::Place::kMemory;

// Commits and closes epochs first to last; the last one stays open when `close_last` is false.
Said commit(store::Store& store, Said said, int first, int last, bool close_last = true) {
  for (int number = first; number <= last; ++number) {
    const store::Epoch epoch = testing::make_epoch(number, 40, 100);
    store.commit(epoch);
    said.apply(epoch);
    if (number == last && !close_last) break;
    store.close(number);
    said.close();
  }
  return said;
}

}  // namespace

TEST_CASE("a store that goes back says what it said before, and goes on from there") {
  const testing::TempDirectory scratch(kMemory);
  const store::Directory directory(scratch.path(), store::Directory::Access::kServe);
  Said before;
  {
    store::Store store(directory, 1, "app");
    before = commit(store, {}, 1, 7);
    commit(store, before, 8, 8, false);
  }
  CHECK(store::newest_epoch(directory, 1) == 8);
  store::go_back(directory, 1, "app", 7);
  CHECK(store::newest_epoch(directory, 1) == 7);
  store::Store store(directory, 1, "app");
  CHECK(testing::said_by(store) == before);
  const Said after = commit(store, before, 8, 12);
  CHECK(testing::said_by(store) == after);
}

TEST_CASE("a store goes back to before its first epoch") {
  const testing::TempDirectory scratch(kMemory);
  const store::Directory directory(scratch.path(), store::Directory::Access::kServe);
  CHECK(store::newest_epoch(directory, 0) == 0);
  {
    store::Store store(directory, 0, "app");
    commit(store, {}, 1, 1, false);
  }
  store::go_back(directory, 0, "app", 0);
  store::Store store(directory, 0, "app");
  CHECK_FALSE(store.newest());
  CHECK(store.keys() == 0);
  commit(store, {}, 1, 3);
}

TEST_CASE("a store does not go back to an epoch that it has compacted away or never had") {
  const testing::TempDirectory scratch(kMemory);
  const store::Directory directory(scratch.path(), store::Directory::Access::kServe);
  Said said;
  {
    store::Store store(directory, 0, "app");
    said = commit(store, {}, 1, 3);
  }
  CHECK(testing::refusal([&] {
          store::go_back(directory, 0, "app", 9);
        }).find("epoch 9 is not there to go back to") != std::string::npos);
  CHECK(testing::said_by(store::Store(directory, 0, "app")) == said);
}

TEST_CASE("workers go on behind the epoch that all have; a store that is far ahead is a mistake") {
  const auto common = [](std::vector<std::int64_t> newest, bool accept_damage = false) {
    return store::common_epoch(newest, accept_damage);
  };
  CHECK(*common({7}) == 7);
  CHECK(*common({7, 8, 7}) == 7);
  CHECK(*common({0, 1}) == 0);
  CHECK(common({7, 7, 9}).error().find("worker 2 has epoch 9, but another one ends with 7") !=
        std::string::npos);
  CHECK(*common({7, 15}, true) == 7);
  CHECK_FALSE(common({0, 2}, true));
}
