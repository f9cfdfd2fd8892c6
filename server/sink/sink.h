// Where outputs go, as the worker sees it: open, drain. Worker's thread.
#pragma once

#include <cstddef>
#include <string>

namespace machida::sink {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void open() = 0;
  virtual bool connected() const = 0;
  // Everything accepted has been delivered, or has become a dead letter.
  virtual bool drained() = 0;
  // How much is not delivered yet, for people: "123 bytes for 127.0.0.1:7002".
  virtual std::string undelivered() const = 0;
};

}  // namespace machida::sink
