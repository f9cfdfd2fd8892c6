#include "server/sink/send_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using machida::sink::SendQueue;

namespace {

std::string unsent(const SendQueue& queue, std::size_t bytes_max = 1u << 20) {
  std::vector<std::string_view> buffers;
  queue.unsent(buffers, bytes_max);
  std::string out;
  for (const std::string_view buffer : buffers) out += buffer;
  return out;
}

}  // namespace

TEST_CASE("outputs leave in order, once") {
  SendQueue queue;
  queue.accept("one ");
  queue.accept("two ");
  CHECK(unsent(queue) == "one two ");
  queue.sent(4);
  queue.accept("three");
  CHECK(unsent(queue) == "two three");
  queue.sent(9);
  CHECK(queue.unsent_bytes() == 0);
  CHECK(queue.unacknowledged_bytes() == 13);
  queue.acknowledged_except(0);
  CHECK(queue.unacknowledged_bytes() == 0);
}

TEST_CASE("a new connection starts with the first output that is not acknowledged as a whole") {
  SendQueue queue;
  for (const char* output : {"aaaa", "bbbb", "cccc"}) queue.accept(output);
  queue.sent(10);
  queue.acknowledged_except(4);  // aaaa and half of bbbb arrived
  queue.rewind();
  CHECK(unsent(queue) == "bbbbcccc");
}

TEST_CASE("nothing is sent again when all of it was acknowledged") {
  SendQueue queue;
  queue.accept("aaaa");
  queue.sent(4);
  queue.acknowledged_except(0);
  queue.rewind();
  CHECK(unsent(queue).empty());
  queue.accept("bb");
  CHECK(unsent(queue) == "bb");
}

TEST_CASE("an output keeps its place in memory until it is acknowledged") {
  SendQueue queue;
  queue.accept("first");
  std::vector<std::string_view> buffers;
  queue.unsent(buffers, 1u << 20);
  const char* place = buffers[0].data();
  for (int i = 0; i < 100'000; ++i) queue.accept("more than a chunk holds");
  queue.unsent(buffers, 1);
  CHECK(buffers[0].data() == place);
  CHECK(buffers[0].substr(0, 5) == "first");
}

TEST_CASE("whatever breaks, the peer sees every output and repeats only after a break") {
  std::mt19937 random(3);
  SendQueue queue;
  std::string wanted, peer;  // what the peer has, from whole outputs on
  std::vector<std::size_t> ends{0};
  for (int i = 0; i < 20'000; ++i) {
    const std::string output(random() % 50 == 0 ? 70'000 : random() % 30,
                             static_cast<char>('a' + i % 26));
    queue.accept(output);
    wanted += output;
    if (!output.empty()) ends.push_back(wanted.size());
    const std::string next = unsent(queue, 4096);
    if (next.empty()) continue;
    const std::size_t taken = random() % (next.size() + 1);
    const std::size_t arrived = random() % (taken + 1);
    queue.sent(taken);
    if (random() % 10 != 0) {
      peer += next.substr(0, taken);
      queue.acknowledged_except(0);
      continue;
    }
    peer += next.substr(0, arrived);
    queue.acknowledged_except(taken - arrived);
    queue.rewind();
    peer.resize(
        *(std::upper_bound(ends.begin(), ends.end(), peer.size()) - 1));  // drops half an output
  }
  CHECK(peer + unsent(queue, std::string::npos) == wanted);
}
