// Serves librdkafka's mock cluster to this machine's programs until it is told to end; for trying
// things without Java. `scripts/kafka start --mock` runs it.
//
// Usage: mock_broker [--address-file FILE]
// Prints the bootstrap address, HOST:PORT, or writes it to FILE in one go; ends on SIGTERM or
// SIGINT. Topics are made on first use, with 4 partitions. Everything is in memory.

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

namespace {

using Client = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;
using Cluster = std::unique_ptr<rd_kafka_mock_cluster_t, decltype(&rd_kafka_mock_cluster_destroy)>;

constexpr int kBrokers = 1;

int fail(const std::string& why) {
  std::fprintf(stderr, "mock_broker: %s\n", why.c_str());
  return 1;
}

// The file appears with the address in it, never empty.
bool write_address(const std::string& file, const std::string& address) {
  const std::string unfinished = file + ".new";
  std::FILE* out = std::fopen(unfinished.c_str(), "w");
  if (!out) return false;
  const bool written = std::fprintf(out, "%s\n", address.c_str()) > 0;
  return std::fclose(out) == 0 && written && std::rename(unfinished.c_str(), file.c_str()) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string address_file;
  if (argc == 3 && std::strcmp(argv[1], "--address-file") == 0) {
    address_file = argv[2];
  } else if (argc != 1) {
    std::fprintf(stderr, "usage: mock_broker [--address-file FILE]\n");
    return 2;
  }

  // Before librdkafka starts threads, which inherit the mask: only sigwait takes these signals.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  char why[512];
  Client client(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why),
                rd_kafka_destroy);
  if (!client) return fail(why);
  Cluster cluster(rd_kafka_mock_cluster_new(client.get(), kBrokers), rd_kafka_mock_cluster_destroy);
  if (!cluster) return fail("cannot make a mock cluster");

  const std::string address = rd_kafka_mock_cluster_bootstraps(cluster.get());
  if (address_file.empty()) {
    std::printf("%s\n", address.c_str());
    std::fflush(stdout);
  } else if (!write_address(address_file, address)) {
    return fail("cannot write " + address_file);
  }

  int number = 0;
  sigwait(&ends, &number);
  return 0;
}
