#include "server/flow/owned_parts.h"

#include <doctest/doctest.h>

using machida::flow::OwnedParts;
using machida::flow::share_out;

TEST_CASE("partitions that all processes list are dealt out in the order of their names") {
  const std::vector<std::string> all = {"p3", "p0", "p2", "p1", "p4"};
  const OwnedParts dealt = {{"p0", 0}, {"p1", 1}, {"p2", 2}, {"p3", 0}, {"p4", 1}};
  CHECK(share_out({all, all, all}, 1) == dealt);
  CHECK(share_out({all}, 3) == dealt);
  CHECK(share_out({{}, {}}, 2).empty());
}

TEST_CASE("a partition goes to a worker of a process that lists it") {
  CHECK(share_out({{"a", "c"}, {"b"}}, 1) == OwnedParts{{"a", 0}, {"b", 1}, {"c", 0}});
  CHECK(share_out({{"a", "c"}, {"b"}}, 2) == OwnedParts{{"a", 0}, {"b", 2}, {"c", 1}});
}

TEST_CASE("those that few processes list are dealt out first, so that others even it out") {
  CHECK(share_out({{"a", "b", "y", "z"}, {"a", "b"}}, 1) ==
        OwnedParts{{"a", 1}, {"b", 1}, {"y", 0}, {"z", 0}});
}
