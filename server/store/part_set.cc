#include "server/store/part_set.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "server/store/names.h"

namespace machida::store {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kNumberMax = 999'999;

std::string name_of(std::int64_t number) { return fmt::format("part-{}.sqlite3", number); }

// The partition's number, or nothing for another file.
std::optional<std::uint32_t> number_in(const std::string& name) {
  const std::optional<std::int64_t> number = number_between(name, "part-", ".sqlite3");
  if (!number || *number > kNumberMax || name != name_of(*number)) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// {PartitionIndex(0), PartitionIndex(2)}
std::string set_of(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (const std::uint32_t number : numbers)
    text += (text.empty() ? "{" : ", ") + ("PartitionIndex(" + std::to_string(number) + ")");
  return text + "}";
}

}  // namespace

std::string part_path(const std::string& directory, std::uint32_t number) {
  return (fs::path(directory) / name_of(number)).string();
}

std::vector<std::uint32_t> part_numbers(const std::string& directory) {
  std::error_code error;
  std::vector<std::uint32_t> numbers;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error))
    if (const auto number = number_in(entry.path().filename().string())) numbers.push_back(*number);
  if (error) throw StoreError(directory + ": " + error.message());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

PartSet::PartSet(const std::string& directory, Files files) : files_(std::move(files)) {
  if (files_.empty())
    throw PartsError(PartsError::Kind::kNone,
                     "No recovery partitions found on any worker; can't resume: " + directory +
                         " has none; `python -m bytewax.recovery` makes them");
  check_places(directory);
  check_progress();
}

void PartSet::check_places(const std::string& directory) const {
  const std::int64_t count = files_[0]->place().count;
  const std::vector<std::uint32_t> numbers = part_numbers(directory);
  std::vector<std::uint32_t> missing;
  for (std::uint32_t number = 0; number < count; ++number)
    if (!std::binary_search(numbers.begin(), numbers.end(), number)) missing.push_back(number);
  if (!missing.empty())
    throw PartsError(
        PartsError::Kind::kMissing,
        fmt::format("Missing recovery partitions {} of PartitionCount({}); can't resume",
                    set_of(missing), count));
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const PartFile::Place& place = files_[i]->place();
    if (place.number != numbers.at(i) || place.number >= count)
      throw StoreError(fmt::format("{} holds recovery partition {} of {}, not what its name says",
                                   files_[i]->path(), place.number, count));
    if (place.set != files_[0]->place().set)
      throw StoreError(directory + " has recovery partitions that were not made together");
  }
}

// Which epoch all files have, and whether they have it from the same runs.
void PartSet::check_progress() {
  epoch_ = files_[0]->epoch();
  for (const auto& file : files_) {
    epoch_ = std::min(epoch_, file->epoch());
    horizon_ = std::max(horizon_, file->horizon());
  }
  std::vector<std::uint32_t> old;
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (files_[i]->epoch() < horizon_) old.push_back(static_cast<std::uint32_t>(i));
  if (!old.empty())
    throw PartsError(
        PartsError::Kind::kInconsistent,
        fmt::format("Recovery partitions {} of PartitionCount({}) are too old to resume "
                    "without data loss; do you have a newer backup of these "
                    "partitions?",
                    set_of(old), files_.size()));
  for (const auto& file : files_)
    if (file->runs_before(epoch_) != files_[0]->runs_before(epoch_))
      throw PartsError(
          PartsError::Kind::kInconsistent,
          fmt::format("{} and {} were written by different runs, which went on from the same "
                      "snapshots in different ways; take all partitions from one backup",
                      files_[0]->path(), file->path()));
}

}  // namespace machida::store
