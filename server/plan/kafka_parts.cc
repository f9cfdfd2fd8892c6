#include "server/plan/kafka_parts.h"

#include <algorithm>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/host_port.h"

namespace machida::plan {

using embed::Gil;
using embed::Object;

namespace {

// Source: org.apache.kafka.common.internals.Topic.
bool is_legal_topic(const std::string& name) {
  constexpr std::size_t kBytesMax = 249;
  return name.size() <= kBytesMax && name != "." && name != ".." &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string::npos;
}

bool is_internal(const Gil& gil, const std::vector<Object>& tuple) {
  return embed::str(gil, tuple.front()) == "kafka-internal";
}

}  // namespace

bool KafkaPartReader::brokers(const Gil& gil, const Object& list, const std::string& place,
                              std::string& out) {
  const auto refused = [this, &gil, &place](const Object& what) {
    return parts_.wrong(
        place, "brokers is a list of (host, port) pairs, got " + embed::repr(gil, what, 200));
  };
  if (!embed::is_list(list) && !embed::is_tuple(list)) return refused(list);
  for (const Object& entry : embed::items(gil, list)) {
    if (!embed::is_tuple(entry) && !embed::is_list(entry)) return refused(entry);
    const std::vector<Object> pair = embed::items(gil, entry);
    if (pair.size() != 2) return refused(entry);
    const Result<std::uint16_t> port = parse_port(embed::str(gil, pair[1]));
    if (!port) return parts_.wrong(place, "broker: " + port.error());
    out += (out.empty() ? "" : ",") + HostPort{embed::str(gil, pair[0]), *port}.text();
  }
  return out.empty() ? refused(list) : true;
}

bool KafkaPartReader::client(const Gil& gil, const std::vector<Object>& tuple,
                             const std::string& place, std::string& topic,
                             kafka::ClientSettings& out) {
  if (!embed::is_str(tuple[1]) || embed::str(gil, tuple[1]).empty())
    return parts_.wrong(place,
                        "the topic is " + embed::repr(gil, tuple[1], 200) + ", it must be a str");
  topic = embed::str(gil, tuple[1]);
  if (!is_legal_topic(topic))
    return parts_.wrong(place, "'" + topic +
                                   "' is no topic's name: letters, digits, '.', '_' and '-' are "
                                   "allowed, 249 at most");
  out.log_level = embed::str(gil, tuple[3]);
  const auto levels = {"Fine", "Info", "Warn", "Error"};
  if (std::find(levels.begin(), levels.end(), out.log_level) == levels.end())
    return parts_.wrong(place, "log_level is " + embed::repr(gil, tuple[3], 200) +
                                   ", it must be Fine, Info, Warn or Error");
  return brokers(gil, tuple[2], place, out.brokers);
}

bool KafkaPartReader::number(const Gil& gil, const Object& value, const std::string& place,
                             const char* what, std::int64_t& out) {
  try {
    out = embed::integer(gil, value);
    if (out >= 0 && out <= INT32_MAX) return true;
  } catch (const embed::PythonError&) {
    // said below
  }
  return parts_.wrong(place, std::string(what) + " is " + embed::repr(gil, value, 200) +
                                 ", it must be an int from 0 to 2147483647");
}

bool KafkaPartReader::options(const Gil& gil, const Object& dict, const std::string& place,
                              kafka::Properties& words, kafka::Properties& properties) {
  for (const auto& [name, value] : embed::dict_items(gil, dict)) {
    const std::string word = embed::str(gil, name);
    if (word == "properties") {
      for (const auto& [property, setting] : embed::dict_items(gil, value))
        properties[embed::str(gil, property)] = embed::str(gil, setting);
    } else if (word == "group" || word == "start") {
      if (!embed::is_none(value)) words[word] = embed::str(gil, value);
    } else {
      return parts_.wrong(place, "unknown option " + embed::repr(gil, name, 200));
    }
  }
  return true;
}

bool KafkaPartReader::expand(const Gil& gil, const std::vector<Object>& tuple,
                             const std::string& place, const char* parser,
                             std::vector<Object>& out) {
  if (tuple.size() != 3)
    return parts_.wrong(place,
                        "a tuple of this kind is (\"kafka-internal\", name, decoder or encoder)");
  try {
    const Object parse = embed::imported(gil, "wallaroo", parser);
    const Object config = embed::call(gil, parse, tuple[2], tuple[1]);
    const std::optional<Object> to_tuple = embed::find_attribute(gil, config, "to_tuple");
    out = embed::items(gil, embed::call(gil, *to_tuple));
    return true;
  } catch (const embed::PythonError& error) {
    return parts_.wrong(place, error.message());
  }
}

bool KafkaPartReader::source(const Gil& gil, const std::vector<Object>& tuple,
                             const std::string& place, kafka::ConsumerSettings& out,
                             DecoderSpec& decoder) {
  if (is_internal(gil, tuple)) {
    std::vector<Object> whole;
    return expand(gil, tuple, place, "DefaultKafkaSourceCLIParser", whole) &&
           source(gil, whole, place, out, decoder);
  }
  if (tuple.size() != 5 && tuple.size() != 6)
    return parts_.wrong(place, "a Kafka source is (\"kafka\", topic, brokers, log_level, decoder)");
  if (!client(gil, tuple, place, out.topic, out.client)) return false;
  kafka::Properties words;
  if (tuple.size() == 6 && !options(gil, tuple[5], place, words, out.client.properties))
    return false;
  out.group = words["group"];  // empty: the application's name, known when all has been read
  out.start = words["start"].empty() ? "earliest" : words["start"];
  const Object part = parts_.instance(gil, tuple[4], place);
  std::optional<Object> with_message = embed::find_attribute(gil, part, "decode_message");
  if (!with_message) return parts_.method(gil, part, "decode", place, "decoder", decoder.decode);
  decoder.decode = std::move(*with_message);
  return parts_.method(gil, part, "message_class", place, "message decoder", decoder.message_class);
}

bool KafkaPartReader::sink(const Gil& gil, const std::vector<Object>& tuple,
                           const std::string& place, kafka::ProducerSettings& out, Object& encode) {
  if (is_internal(gil, tuple)) {
    std::vector<Object> whole;
    return expand(gil, tuple, place, "DefaultKafkaSinkCLIParser", whole) &&
           sink(gil, whole, place, out, encode);
  }
  if (tuple.size() != 7 && tuple.size() != 8)
    return parts_.wrong(place,
                        "a Kafka sink is (\"kafka\", topic, brokers, log_level, "
                        "max_produce_buffer_ms, max_message_size, encoder)");
  if (!client(gil, tuple, place, out.topic, out.client)) return false;
  std::int64_t linger_ms = 0, bytes = 0;
  if (!number(gil, tuple[4], place, "max_produce_buffer_ms", linger_ms) ||
      !number(gil, tuple[5], place, "max_message_size", bytes))
    return false;
  out.linger_ms = static_cast<long>(linger_ms);
  out.message_bytes_max = static_cast<std::size_t>(bytes);
  kafka::Properties words;
  if (tuple.size() == 8 && !options(gil, tuple[7], place, words, out.client.properties))
    return false;
  if (!parts_.encoder(gil, tuple[6], place, encode)) return false;
  const std::vector<std::string> mistakes = kafka::mistakes_in(out);
  for (const std::string& mistake : mistakes) parts_.wrong(place, mistake);
  return mistakes.empty();
}

}  // namespace machida::plan
