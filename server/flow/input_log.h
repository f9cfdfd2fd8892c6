// Where a source without a memory of its own (TCP) writes down what it read before it is processed.
#pragma once

#include <span>
#include <string_view>

namespace machida::flow {

class InputLog {
 public:
  virtual ~InputLog() = default;
  // False: there is no room. The source keeps the frames, and the intake is paused until there is.
  virtual bool append(std::span<const std::string_view> frames) = 0;
};

}  // namespace machida::flow
