#include "server/plan/mistakes.h"

namespace machida::plan {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string out = lines.size() == 1 ? "the application's topology has a mistake:"
                                      : "the application's topology has " +
                                            std::to_string(lines.size()) + " mistakes:";
  for (const std::string& line : lines) out += "\n  " + line;
  return out;
}

}  // namespace

PlanError::PlanError(std::vector<std::string> mistakes)
    : runtime_error(joined(mistakes)), mistakes_(std::move(mistakes)) {}

}  // namespace machida::plan
