// Whose turn it is to get the next client of a pipeline: one worker after the other, so that each
// has as many as any other, give or take one. The first clients of several pipelines go to several.
#pragma once

#include <cstdint>
#include <map>

namespace machida::cluster {

class Turns {
 public:
  explicit Turns(std::uint32_t workers) : workers_(workers) {}

  std::uint32_t workers() const noexcept { return workers_; }
  std::uint32_t next(std::uint32_t pipeline) {
    return next_.try_emplace(pipeline, pipeline).first->second++ % workers_;
  }

 private:
  std::uint32_t workers_;
  std::map<std::uint32_t, std::uint32_t> next_;  // by pipeline
};

}  // namespace machida::cluster
