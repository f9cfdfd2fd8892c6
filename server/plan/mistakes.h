// Every mistake found in a topology, so that its author sees all of them at once.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace machida::plan {

class Mistakes {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  const std::vector<std::string>& texts() const noexcept { return texts_; }
  bool empty() const noexcept { return texts_.empty(); }

 private:
  std::vector<std::string> texts_;
};

// The topology can't be run.
class PlanError : public std::runtime_error {
 public:
  explicit PlanError(std::vector<std::string> mistakes);
  const std::vector<std::string>& mistakes() const noexcept { return mistakes_; }

 private:
  std::vector<std::string> mistakes_;
};

}  // namespace machida::plan
