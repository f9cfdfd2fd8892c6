// The end of a pipeline: what takes the encoded bytes. Implemented by the sinks.
#pragma once

#include <string_view>

namespace machida::flow {

class Outlet {
 public:
  virtual ~Outlet() = default;
  // Takes one output, verbatim and whole. Never refuses: a full sink pauses the sources.
  virtual void write(std::string_view bytes) = 0;
};

}  // namespace machida::flow
