#include "server/cluster/kept_connections.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace machida;
using cluster::KeptConnection;
using cluster::KeptConnections;
using End = cluster::KeptConnection::End;

namespace {

uv::Descriptor some_socket() {
  auto made = uv::socket_pair();
  REQUIRE(made);
  uv::SocketPair pair = *std::move(made);
  return std::move(pair.one);
}

KeptConnection client(std::uint32_t pipeline, std::string unread = "") {
  return {End::kClient, pipeline, 0, {some_socket(), std::move(unread)}};
}

KeptConnection sink(std::uint32_t pipeline, std::uint32_t number) {
  return {End::kSink, pipeline, number, {some_socket(), ""}};
}

}  // namespace

TEST_CASE("what a worker hands over arrives whole, however much it is") {
  uv::Loop loop;
  auto made = uv::parcel_pair();
  REQUIRE(made);
  uv::SocketPair ends = *std::move(made);
  cluster::KeptReceiver receiver;
  uv::ParcelReader reader(loop, std::move(ends.other),
                          [&](uv::Parcel parcel) { receiver.take(std::move(parcel)); });
  KeptConnections out;
  out.push_back(client(3, std::string(1 << 20, 'u')));
  out.push_back(sink(1, 2));
  for (int i = 0; i < 200; ++i) out.push_back(client(0));
  REQUIRE(cluster::hand_over(ends.one.get(), out) == "");
  reader.take_all();
  const KeptConnections in = receiver.result();
  REQUIRE(in.size() == out.size());
  for (std::size_t i = 0; i < in.size(); ++i) {
    CHECK(in[i].end == out[i].end);
    CHECK(in[i].pipeline == out[i].pipeline);
    CHECK(in[i].sink == out[i].sink);
    CHECK(in[i].open.unread == out[i].open.unread);
    CHECK(in[i].open.socket.get() >= 0);
  }
}

TEST_CASE("what a worker had not handed over completely is not kept") {
  cluster::KeptReceiver receiver;
  uv::Parcel parcel{.text = "sockets", .descriptors = {}};
  parcel.descriptors.push_back(some_socket());
  receiver.take(std::move(parcel));
  CHECK(receiver.result().empty());
}

TEST_CASE("connections whose list was cut off are closed, and the receiver goes on") {
  cluster::KeptReceiver receiver;
  uv::Parcel sockets{.text = "sockets", .descriptors = {}};
  sockets.descriptors.push_back(some_socket());
  receiver.take(std::move(sockets));
  receiver.take({.text = "list", .descriptors = {}});
  CHECK(receiver.result().empty());
}

TEST_CASE("a list of another number of connections is refused") {
  KeptConnections one;
  one.push_back(client(0, "abc"));
  const auto list = cluster::write_list(one);
  REQUIRE(list);
  CHECK_THROWS_AS(cluster::read_list(list->get(), {}), std::runtime_error);
  std::vector<uv::Descriptor> two;
  two.push_back(some_socket());
  two.push_back(some_socket());
  CHECK_THROWS_AS(cluster::read_list(list->get(), std::move(two)), std::runtime_error);
}

TEST_CASE("clients are shared out by pipeline, sinks stay with their worker or end") {
  std::vector<KeptConnections> old(2);
  for (int i = 0; i < 4; ++i) old[0].push_back(client(0));
  old[1].push_back(client(1));
  old[1].push_back(sink(0, 0));
  old[0].push_back(sink(0, 0));
  const auto clients = [](const KeptConnections& all) {
    int count = 0;
    for (const KeptConnection& one : all) count += one.end == End::kClient ? 1 : 0;
    return count;
  };
  cluster::Turns of_three(3), of_one(1);
  std::vector<KeptConnections> grown = cluster::deal(std::move(old), of_three);
  REQUIRE(grown.size() == 3);
  CHECK(clients(grown[0]) == 2);
  CHECK(clients(grown[1]) == 2);  // one of the second pipeline, which begins there
  CHECK(clients(grown[2]) == 1);
  CHECK(grown[0].size() == 3);
  CHECK(grown[1].size() == 3);
  CHECK(grown[2].size() == 1);
  const std::vector<KeptConnections> one = cluster::deal(std::move(grown), of_one);
  REQUIRE(one.size() == 1);
  CHECK(clients(one[0]) == 5);
  CHECK(one[0].size() == 6);
}
