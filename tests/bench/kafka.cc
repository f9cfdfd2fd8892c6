// Latency over Kafka, by programs that add little of their own.
//
//   bench_kafka measure BROKERS TOPIC_IN TOPIC_OUT KEYS PER_SECOND SECONDS count|echo
//     Produces messages at a steady pace, those of a millisecond together, consumes what comes back
//     and prints lines of name and value: p50_us, p99_us, p999_us of "produced to consumed", after
//     a warm-up of 5 seconds.
//     count: who answers counts per key and produces the count under the key; echo: produces the
//     value. Fails unless every message is answered, once, rightly.
//   bench_kafka relay BROKERS TOPIC_IN TOPIC_OUT GROUP
//     Produces what it consumes, until SIGTERM: the least that anybody in between can take.

#include <librdkafka/rdkafka.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Settings = std::map<std::string, std::string>;

constexpr int kWarmUpSeconds = 5;
constexpr int kLastAnswerSeconds = 10;
constexpr std::size_t kValueBytes = 100;
constexpr std::size_t kKeyBytes = 7;      // "k" and six digits
constexpr std::size_t kNumberBytes = 10;  // behind the key, in a value

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "bench_kafka: %s\n", why.c_str());
  std::exit(1);
}

rd_kafka_t* new_client(rd_kafka_type_t type, const Settings& settings) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : settings)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK)
      fail(why);
  rd_kafka_t* client = rd_kafka_new(type, conf, why, sizeof why);
  if (!client) fail(why);
  return client;
}

rd_kafka_t* new_producer(const std::string& brokers) {
  return new_client(
      RD_KAFKA_PRODUCER,
      {{"bootstrap.servers", brokers}, {"linger.ms", "0"}, {"socket.nagle.disable", "true"}});
}

rd_kafka_t* new_consumer(const std::string& brokers, const std::string& group) {
  rd_kafka_t* client = new_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                      {"group.id", group},
                                                      {"auto.offset.reset", "earliest"},
                                                      {"enable.auto.commit", "false"},
                                                      {"socket.nagle.disable", "true"}});
  rd_kafka_poll_set_consumer(client);
  return client;
}

void subscribe(rd_kafka_t* consumer, const std::string& topic) {
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (rd_kafka_subscribe(consumer, topics)) fail("cannot subscribe to " + topic);
  rd_kafka_topic_partition_list_destroy(topics);
}

void produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, std::string_view key,
             std::string_view value) {
  while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                          const_cast<char*>(value.data()), value.size(), key.data(), key.size(),
                          nullptr) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      fail(rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(producer, 1);
  }
  rd_kafka_poll(producer, 0);
}

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

struct Measurement {
  std::string brokers, topic_in, topic_out;
  std::uint64_t keys, per_second, seconds;
  bool echo;

  std::uint64_t messages() const { return per_second * (seconds + kWarmUpSeconds); }
};

// Message i has the key i % keys.
void send_all(const Measurement& m, std::vector<std::atomic<std::int64_t>>& sent_ns) {
  rd_kafka_t* producer = new_producer(m.brokers);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, m.topic_in.c_str(), nullptr);
  std::array<char, kValueBytes + 1> value;
  const Clock::time_point start = Clock::now();
  for (std::uint64_t i = 0; i < m.messages(); ++i) {
    const auto due = std::chrono::nanoseconds(i * 1'000'000'000ull / m.per_second);
    std::this_thread::sleep_until(start + std::chrono::ceil<std::chrono::milliseconds>(due));
    value.fill('.');
    const int length = std::snprintf(value.data(), value.size(), "k%06llu%010llu",
                                     static_cast<unsigned long long>(i % m.keys),
                                     static_cast<unsigned long long>(i));
    value[static_cast<std::size_t>(length)] = '.';
    sent_ns[i] = Clock::now().time_since_epoch().count();
    produce(producer, topic, {value.data(), kKeyBytes}, {value.data(), kValueBytes});
  }
  rd_kafka_flush(producer, 30'000);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
}

// Which message an answer is for.
std::uint64_t message_of(const Measurement& m, const rd_kafka_message_t& answer) {
  const std::string_view value(static_cast<const char*>(answer.payload), answer.len);
  if (m.echo) return number_in(value.substr(kKeyBytes, kNumberBytes));
  const std::string_view key(static_cast<const char*>(answer.key), answer.key_len);
  const std::uint64_t count = number_in(value);
  if (key.size() != kKeyBytes || count == 0) fail("an answer that makes no sense");
  return (count - 1) * m.keys + number_in(key.substr(1));
}

int measure(const Measurement& m) {
  std::vector<std::atomic<std::int64_t>> sent_ns(m.messages());
  std::vector<std::int64_t> took_ns(m.messages(), -1);
  rd_kafka_t* consumer = new_consumer(m.brokers, "measure-" + m.topic_out);
  subscribe(consumer, m.topic_out);
  std::thread sender([&] { send_all(m, sent_ns); });

  Clock::time_point last = Clock::now() + std::chrono::seconds(60);
  for (std::uint64_t got = 0; got < m.messages();) {
    rd_kafka_message_t* answer = rd_kafka_consumer_poll(consumer, 100);
    const Clock::time_point now = Clock::now();
    if (now > last) fail("only " + std::to_string(got) + " answers");
    if (!answer) continue;
    if (!answer->err) {
      const std::uint64_t i = message_of(m, *answer);
      if (i >= m.messages() || took_ns[i] != -1 || sent_ns[i] == 0) fail("a wrong answer");
      took_ns[i] = now.time_since_epoch().count() - sent_ns[i];
      ++got;
      last = now + std::chrono::seconds(kLastAnswerSeconds);
    }
    rd_kafka_message_destroy(answer);
  }
  sender.join();
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);

  std::vector<std::int64_t> kept(
      took_ns.begin() + static_cast<std::ptrdiff_t>(m.per_second * kWarmUpSeconds), took_ns.end());
  std::sort(kept.begin(), kept.end());
  const auto at = [&](double part) {
    return static_cast<double>(
               kept[static_cast<std::size_t>(part * static_cast<double>(kept.size() - 1))]) /
           1e3;
  };
  std::printf("p50_us %.1f\np99_us %.1f\np999_us %.1f\n", at(0.5), at(0.99), at(0.999));
  return 0;
}

volatile sig_atomic_t stopped = 0;

int relay(const std::string& brokers, const std::string& from, const std::string& to,
          const std::string& group) {
  signal(SIGTERM, [](int) { stopped = 1; });
  rd_kafka_t* consumer = new_consumer(brokers, group);
  rd_kafka_t* producer = new_producer(brokers);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, to.c_str(), nullptr);
  subscribe(consumer, from);
  while (!stopped) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 100);
    if (!message) continue;
    if (!message->err)
      produce(producer, topic, {static_cast<const char*>(message->key), message->key_len},
              {static_cast<const char*>(message->payload), message->len});
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(consumer);
  rd_kafka_flush(producer, 30'000);
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
  rd_kafka_destroy(consumer);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 8 && words[0] == "measure")
    return measure({words[1], words[2], words[3], number_in(words[4]), number_in(words[5]),
                    number_in(words[6]), words[7] == "echo"});
  if (words.size() == 5 && words[0] == "relay")
    return relay(words[1], words[2], words[3], words[4]);
  std::fprintf(stderr,
               "usage: bench_kafka measure BROKERS IN OUT KEYS PER_SECOND SECONDS count|echo\n"
               "       bench_kafka relay BROKERS IN OUT GROUP\n");
  return 2;
}
