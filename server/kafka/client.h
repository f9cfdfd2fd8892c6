// What all librdkafka clients have: their errors and troubles, and the check of a property.
#pragma once

#include <stdexcept>
#include <string>

#include "server/kafka/settings.h"

namespace machida::kafka {

// The client can't be made, or has ended for good.
class KafkaError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// What a client complains about. It goes on by itself in every case.
enum class Trouble {
  kBrokers,      // none can be reached
  kTopic,        // it does not exist, or may not be read
  kTransaction,  // an earlier one has no end
  kOther,
};
Trouble kind_of_error(int librdkafka_error);

// Why librdkafka refuses the property, or "".
std::string property_mistake(const std::string& name, const std::string& value);

}  // namespace machida::kafka
