#include "server/wire/link_message.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using namespace machida::wire;

namespace {

const Hello kHello{"orders", 3, 1};

std::string bytes_of(const std::vector<LinkMessage>& messages) {
  std::string out;
  for (const LinkMessage& message : messages) append_link_message(out, message);
  return out;
}

// What a reader says to the bytes behind a good Hello, given one read.
std::string complaint(const std::string& bytes, std::size_t message_bytes_max = 1000) {
  LinkReader reader(message_bytes_max);
  std::vector<LinkMessage> messages;
  const std::string read = bytes_of({kHello}) + bytes;
  reader.feed(read);
  REQUIRE(*reader.next(messages) == 1);
  const auto count = reader.next(messages);
  reader.keep();
  if (count) return "";
  CHECK_FALSE(reader.next(messages));  // and again
  return count.error();
}

std::string length_of(std::uint32_t length) {
  std::string out;
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(length >> (8 * i)));
  return out;
}

}  // namespace

TEST_CASE("every message between workers comes out as it went in, however the reads cut it") {
  const std::string records(5000, 'r');
  const std::vector<LinkMessage> said = {
      kHello,
      Batch{1, 2, 3, records},
      Batch{0xffffffff, 0, 1, std::string_view("\0x", 2)},
      Barrier{0x1122334455667788, 4},
      EndEpoch{1},
      Stored{2},
      Commit{3},
      Committed{0xffffffffffffffff},
      Close{5},
      Drain{},
      Drained{},
      Failed{"disk full"},
      Failed{""},
      Ready{},
      Pause{},
      Resume{},
      KeptState{"count", 1, "a key", 1, "its state"},
      KeptState{"count", 0, "", 0, ""},
      Restored{7},
      Ended{1, 2},
      Partition{1, 2, "orders-0"},
      Listed{},
  };
  const std::string stream = bytes_of(said);
  std::mt19937 random(11);
  for (const std::size_t read_bytes_max : {1, 3, 50, 100000}) {
    LinkReader reader;
    std::vector<LinkMessage> messages;
    std::size_t heard = 0;
    for (std::size_t at = 0; at < stream.size();) {
      const std::string read = stream.substr(at, 1 + random() % read_bytes_max);
      reader.feed(read);
      while (*reader.next(messages) > 0)
        for (const LinkMessage& message : messages) CHECK((message == said.at(heard++)));
      reader.keep();
      at += read.size();
    }
    CHECK(heard == said.size());
  }
}

TEST_CASE("a link begins with a Hello of this program and has no second one") {
  const auto first = [](std::string bytes) {
    LinkReader reader;
    std::vector<LinkMessage> messages;
    reader.feed(bytes);
    const auto count = reader.next(messages);
    reader.keep();
    return count ? "" : count.error();
  };
  CHECK(first(bytes_of({Drain{}})) == "Drain before Hello");
  std::string other = bytes_of({kHello});
  other[5] = 'x';
  CHECK(first(other) == "the peer is no worker");
  std::string newer = bytes_of({kHello});
  newer[17] = 9;
  CHECK(first(newer) == "the peer speaks version 9, not 1");
  CHECK(first(bytes_of({Hello{"orders", 3, 3}})) == "worker 3 of 3");
  CHECK(first(bytes_of({Hello{"orders", 3, Hello::kSupervisor}})) == "");
  CHECK(first("GET / HTTP/1.1\r\n\r\n").find("over the limit") != std::string::npos);
  CHECK(complaint(bytes_of({kHello})) == "a second Hello");
}

TEST_CASE("nonsense between workers is an error that says what it is") {
  CHECK(complaint(length_of(0)) == "a message of 0 bytes");
  CHECK(complaint(length_of(1001)) == "a message of 1001 bytes is over the limit of 1000");
  CHECK(complaint(length_of(1) + '\x13') == "a message of unknown type 19");
  CHECK(complaint(length_of(8) + "\x0e" + std::string("\xff\0\0\0abc", 7)) ==
        "a KeptState of 8 bytes");
  CHECK(complaint(length_of(8) + "\x02" + "epoch 1") == "a Barrier of 8 bytes");
  CHECK(complaint(length_of(10) + "\x04" + "12345678x") == "a Stored of 10 bytes");
  CHECK(complaint(length_of(2) + "\x08x") == "a Drain of 2 bytes");
  CHECK(complaint(length_of(3) + "\x01xy") == "a batch without records");
}

TEST_CASE("good messages are handed out before the nonsense behind them") {
  LinkReader reader;
  std::vector<LinkMessage> messages;
  const std::string read = bytes_of({kHello, Stored{1}}) + length_of(1) + '\x7f';
  reader.feed(read);
  REQUIRE(*reader.next(messages) == 2);
  CHECK((messages[1] == LinkMessage(Stored{1})));
  CHECK_FALSE(reader.next(messages));
}
