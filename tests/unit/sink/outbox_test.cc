#include "server/sink/outbox.h"

#include <doctest/doctest.h>

using namespace machida;
using sink::Outbox;

TEST_CASE("an outbox gives its messages back in order, also from what was stored") {
  Outbox outbox;
  outbox.append("one", "k", std::nullopt);
  outbox.append("", std::nullopt, 3);
  outbox.append(std::string(3 << 20, 'x'), "", -1);  // larger than a chunk
  outbox.append("last", std::nullopt, std::nullopt);
  const auto check = [](const Outbox& from) {
    Outbox::Cursor cursor;
    auto message = from.next(cursor);
    REQUIRE(message);
    CHECK(message->value == "one");
    CHECK(message->key == "k");
    CHECK_FALSE(message->partition);
    message = from.next(cursor);
    REQUIRE(message);
    CHECK(message->value.empty());
    CHECK_FALSE(message->key);
    CHECK(message->partition == 3);
    message = from.next(cursor);
    REQUIRE(message);
    CHECK(message->value.size() == 3u << 20);
    CHECK(message->key == "");
    message = from.next(cursor);
    REQUIRE(message);
    CHECK(message->value == "last");
    CHECK_FALSE(from.next(cursor));
    CHECK(cursor.message == 4);
  };
  check(outbox);
  check(Outbox(outbox.chunks()));
  CHECK(outbox.messages() == 4);
}

TEST_CASE("a cursor at the end goes on when messages are appended") {
  Outbox outbox;
  Outbox::Cursor cursor;
  CHECK(outbox.empty());
  CHECK_FALSE(outbox.next(cursor));
  const std::string large(300'000, 'y');
  for (int i = 0; i < 20; ++i) {
    outbox.append(large, std::to_string(i), std::nullopt);
    const auto message = outbox.next(cursor);
    REQUIRE(message);
    CHECK(message->key == std::to_string(i));
    CHECK_FALSE(outbox.next(cursor));
  }
}
