#include "server/store/directory.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/store_error.h"
#include "tests/unit/store/support.h"

namespace machida::store {

using testing::refusal;
using testing::TempDirectory;
using Access = Directory::Access;

TEST_CASE("a recovery directory is made for its owner only") {
  const TempDirectory temp;
  const Directory directory(temp.file("state/"), Access::kServe);
  CHECK(directory.path() == temp.file("state"));
  CHECK(directory.file("x") == temp.file("state/x"));
  struct stat facts;
  REQUIRE(stat(directory.path().c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0700);
}

TEST_CASE("a recovery directory is refused with path and reason") {
  const TempDirectory temp;
  const std::string path = temp.file("state");
  std::string expected = "may write to it";
  SUBCASE("others may write to it") {
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
    REQUIRE(chmod(path.c_str(), 0702) == 0);
  }
  SUBCASE("its group may write to it") {
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
    REQUIRE(chmod(path.c_str(), 0720) == 0);
  }
  SUBCASE("it is a file") {
    testing::write_file(path, "");
    expected = "is a file";
  }
  SUBCASE("it belongs to somebody else") {
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
    if (chown(path.c_str(), geteuid() + 1, static_cast<gid_t>(-1)) != 0) return;  // not root
    expected = "belongs to user";
  }
  const std::string why = refusal([&] { Directory(path, Access::kServe); });
  CHECK_MESSAGE(why.find(expected) != std::string::npos, why);
  CHECK(why.starts_with(path));
  CHECK(refusal([&] { Directory(path, Access::kInspect); }) == why);
}

TEST_CASE("a directory whose parent is missing is refused") {
  const TempDirectory temp;
  const std::string why = refusal([&] { Directory(temp.file("a/b"), Access::kServe); });
  CHECK_MESSAGE(why.find("should be made in") != std::string::npos, why);
}

TEST_CASE("one server at a time runs on a directory, and others may look at it") {
  const TempDirectory temp;
  {
    const Directory first(temp.path(), Access::kServe);
    const std::string why = refusal([&] { Directory(temp.path(), Access::kServe); });
    CHECK_MESSAGE(why.find("in use by a running server") != std::string::npos, why);
    CHECK(why.find(std::to_string(getpid())) != std::string::npos);
    CHECK(refusal([&] { Directory(temp.path(), Access::kInspect); }) == "");
  }
  CHECK(refusal([&] { Directory(temp.path(), Access::kServe); }) == "");
}

TEST_CASE("looking at a directory does not make it") {
  const TempDirectory temp;
  CHECK(refusal([&] { Directory(temp.file("none"), Access::kInspect); }) != "");
  CHECK(temp.names().empty());
}

}  // namespace machida::store
