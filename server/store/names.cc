#include "server/store/names.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace machida::store {

Names::Names(int worker) : stem_(fmt::format("worker-{}", worker)) {
  store = stem_ + ".sqlite3";
  head = stem_ + ".head";
  rebuilt = stem_ + ".rebuilt.sqlite3";
  damaged = stem_ + ".damaged.sqlite3";
}

std::string Names::base(std::int64_t epoch) const {
  return fmt::format("{}.base-{}.sqlite3", stem_, epoch);
}

std::optional<std::int64_t> Names::base_epoch(const std::string& name) const {
  return number_between(name, stem_ + ".base-", ".sqlite3");
}

std::vector<int> workers_in(const std::vector<std::string>& names) {
  std::vector<int> workers;
  for (const std::string& name : names)
    for (const char* suffix : {".sqlite3", ".head"})
      if (const auto number = number_between(name, "worker-", suffix))
        workers.push_back(static_cast<int>(*number));
  std::sort(workers.begin(), workers.end());
  workers.erase(std::unique(workers.begin(), workers.end()), workers.end());
  return workers;
}

std::optional<std::int64_t> number_between(const std::string& name, const std::string& prefix,
                                           const std::string& suffix) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) ||
      !name.ends_with(suffix))
    return std::nullopt;
  const char* begin = name.data() + prefix.size();
  const char* end = name.data() + name.size() - suffix.size();
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(begin, end, number);
  if (error != std::errc() || stop != end || number < 0) return std::nullopt;
  return number;
}

}  // namespace machida::store
