#include "server/store/layout.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "server/store/identity.h"
#include "tests/unit/store/support.h"

using namespace machida;

namespace {

std::set<std::string> names(const testing::TempDirectory& directory) {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
    found.insert(entry.path().filename());
  for (const char* lock : {"lock", "workers.lock", "id"}) found.erase(lock);
  return found;
}

using Names = std::set<std::string>;

// A directory of two workers.
struct Two {
  Two() : directory(scratch.path(), store::Directory::Access::kServe) {
    identity = store::identity_of(directory);
    store::write_layout(directory, 2);
    for (const char* name : {"worker-0.sqlite3", "worker-1.sqlite3", "journal-1-5.log"})
      testing::write_file(scratch.file(name), "old");
  }
  void make_new() {
    const std::string next = store::begin_new_stores(directory);
    testing::write_file(next + "/worker-0.sqlite3", "new");
    testing::write_file(next + "/worker-0.head", "new");
  }
  void check_new() {
    CHECK(names(scratch) == Names{"workers", "worker-0.sqlite3", "worker-0.head"});
    CHECK(testing::read_file(scratch.file("worker-0.sqlite3")) == "new");
    CHECK(store::workers_of_layout(directory) == 1);
    CHECK(store::identity_of(directory) != identity);
    CHECK_FALSE(store::is_changing(directory));
  }
  testing::TempDirectory scratch;
  store::Directory directory;
  std::string identity;
};

}  // namespace

TEST_CASE("a directory is nobody's, one worker's by its store, or as many workers' as it says") {
  const testing::TempDirectory scratch;
  const store::Directory directory(scratch.path(), store::Directory::Access::kServe);
  CHECK(store::workers_of_layout(directory) == 0);
  testing::write_file(scratch.file("worker-0.sqlite3"), "");
  CHECK(store::workers_of_layout(directory) == 1);
  store::write_layout(directory, 12);
  CHECK(store::workers_of_layout(directory) == 12);
  testing::write_file(scratch.file("workers"), "many");
  CHECK(testing::refusal([&] { store::workers_of_layout(directory); }) != "");
}

TEST_CASE("a change that was not completed is forgotten") {
  Two two;
  const Names before = names(two.scratch);
  two.make_new();
  CHECK(store::is_changing(two.directory));
  store::finish_change(two.directory);
  CHECK(names(two.scratch) == before);
  CHECK(store::identity_of(two.directory) == two.identity);
  CHECK(store::workers_of_layout(two.directory) == 2);
}

TEST_CASE("a completed change takes the old stores' place") {
  Two two;
  two.make_new();
  store::complete_new_stores(two.directory, 1);
  CHECK(store::workers_of_layout(two.directory) == 2);
  store::finish_change(two.directory);
  two.check_new();
  store::finish_change(two.directory);
  two.check_new();
}

TEST_CASE("a change goes on wherever it was interrupted") {
  {
    Two two;
    two.make_new();
    store::complete_new_stores(two.directory, 1);
    std::filesystem::remove(two.scratch.file("worker-1.sqlite3"));  // some of the old are gone
    store::finish_change(two.directory);
    two.check_new();
  }
  Two two;
  two.make_new();
  store::complete_new_stores(two.directory, 1);
  for (const char* name : {"worker-0.sqlite3", "worker-1.sqlite3", "journal-1-5.log", "workers"})
    std::filesystem::remove(two.scratch.file(name));
  std::filesystem::rename(two.scratch.file("next/complete"), two.scratch.file("next/moving"));
  std::filesystem::rename(two.scratch.file("next/worker-0.head"),
                          two.scratch.file("worker-0.head"));
  store::finish_change(two.directory);
  two.check_new();
}
