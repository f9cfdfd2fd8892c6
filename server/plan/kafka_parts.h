// Reads Kafka's source and sink tuples into client settings, and checks those before anything
// starts. What is wrong is noted with the PartReader.
#pragma once

#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/kafka/settings.h"
#include "server/plan/parts.h"
#include "server/plan/plan.h"

namespace machida::plan {

class KafkaPartReader {
 public:
  explicit KafkaPartReader(PartReader& parts) : parts_(parts) {}

  // ("kafka", topic, brokers, log_level, decoder[, options]), or the original's
  // ("kafka-internal", name, decoder): the rest are the options --<name>_* of the command line.
  bool source(const embed::Gil&, const std::vector<embed::Object>& tuple, const std::string& place,
              kafka::ConsumerSettings&, DecoderSpec&);
  // ("kafka", topic, brokers, log_level, max_produce_buffer_ms, max_message_size, encoder[,
  // options]) or ("kafka-internal", name, encoder)
  bool sink(const embed::Gil&, const std::vector<embed::Object>& tuple, const std::string& place,
            kafka::ProducerSettings&, embed::Object& encode);

 private:
  // The "kafka" tuple that a "kafka-internal" one stands for; `parser` names its class.
  bool expand(const embed::Gil&, const std::vector<embed::Object>& tuple, const std::string& place,
              const char* parser, std::vector<embed::Object>& out);
  bool client(const embed::Gil&, const std::vector<embed::Object>& tuple, const std::string& place,
              std::string& topic, kafka::ClientSettings&);
  bool brokers(const embed::Gil&, const embed::Object& list, const std::string& place,
               std::string& out);
  bool number(const embed::Gil&, const embed::Object& value, const std::string& place,
              const char* what, std::int64_t& out);
  // The options dict as text; `group` None is left out.
  bool options(const embed::Gil&, const embed::Object& dict, const std::string& place,
               kafka::Properties& words, kafka::Properties& properties);

  PartReader& parts_;
};

}  // namespace machida::plan
