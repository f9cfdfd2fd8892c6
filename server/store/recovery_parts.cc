#include "server/store/recovery_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "server/store/digest.h"
#include "server/store/file.h"
#include "server/store/names.h"

namespace machida::store {
namespace fs = std::filesystem;
namespace {

// Where a set is while it is made: under the second name it is whole.
constexpr const char* kInWork = "parts.new";
constexpr const char* kWhole = "parts.made";
constexpr std::int64_t kNumberMax = 999'999;

std::string name_of(std::int64_t number) { return fmt::format("part-{}.sqlite3", number); }

std::string path_of(const fs::path& directory, std::uint32_t number) {
  return (directory / name_of(number)).string();
}

// The partition's number, or -1 for another file.
int number_in(const std::string& name) {
  const std::optional<std::int64_t> number = number_between(name, "part-", ".sqlite3");
  return number && *number <= kNumberMax && name == name_of(*number) ? static_cast<int>(*number)
                                                                     : -1;
}

std::vector<int> numbers_in(const std::string& directory) {
  std::vector<int> numbers;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (const int number = number_in(entry.path().filename().string()); number >= 0)
      numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// A creation that was interrupted: a set that is whole gets to its place, others go.
void finish_creation(const fs::path& directory) {
  fs::remove_all(directory / kInWork);
  if (!fs::exists(directory / kWhole)) return;
  for (const int number : numbers_in((directory / kWhole).string())) {
    const auto n = static_cast<std::uint32_t>(number);
    rename_file(path_of(directory / kWhole, n), path_of(directory, n));
  }
  sync_directory(directory.string());
  fs::remove_all(directory / kWhole);
}

// {PartitionIndex(0), PartitionIndex(2)}
std::string set_of(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers)
    text += (text.empty() ? "{" : ", ") + ("PartitionIndex(" + std::to_string(number) + ")");
  return text + "}";
}

}  // namespace

void RecoveryParts::create(const std::string& directory, std::uint32_t count) {
  finish_creation(directory);
  if (const std::vector<int> there = numbers_in(directory); !there.empty())
    throw StoreError(path_of(directory, static_cast<std::uint32_t>(there[0])) +
                     " exists: the directory has recovery partitions already");
  const fs::path in_work = fs::path(directory) / kInWork;
  fs::create_directory(in_work);
  const std::string set = to_hex({random_number(), random_number()});
  for (std::uint32_t number = 0; number < count; ++number)
    PartFile::create(path_of(in_work, number), {number, count, set});
  sync_directory(in_work.string());
  rename_file(in_work.string(), (fs::path(directory) / kWhole).string());
  sync_directory(directory);
  finish_creation(directory);
}

RecoveryParts::RecoveryParts(const std::string& directory, std::int64_t backup_interval_us)
    : directory_(directory), backup_interval_us_(backup_interval_us) {
  finish_creation(directory);
  const std::vector<int> there = numbers_in(directory);
  if (there.empty())
    throw PartsError(PartsError::Kind::kNone,
                     "No recovery partitions found on any worker; can't resume: " + directory +
                         " has none; `python -m bytewax.recovery` makes them");
  for (const int number : there)
    files_.push_back(
        std::make_unique<PartFile>(path_of(directory, static_cast<std::uint32_t>(number))));
  check_set(there);
  check_progress();
  for (const auto& file : files_) file->go_back_to(epoch_, horizon_);
  run_ = {epoch_, to_hex({random_number(), random_number()})};
}

void RecoveryParts::check_set(const std::vector<int>& numbers) const {
  const std::int64_t count = files_[0]->place().count;
  std::vector<int> missing;
  for (int number = 0; number < count; ++number)
    if (!std::binary_search(numbers.begin(), numbers.end(), number)) missing.push_back(number);
  if (!missing.empty())
    throw PartsError(
        PartsError::Kind::kMissing,
        fmt::format("Missing recovery partitions {} of PartitionCount({}); can't resume",
                    set_of(missing), count));
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const PartFile::Place& place = files_[i]->place();
    if (place.number != numbers[i] || place.number >= count)
      throw StoreError(fmt::format("{} holds recovery partition {} of {}, not what its name says",
                                   files_[i]->path(), place.number, count));
    if (place.set != files_[0]->place().set)
      throw StoreError(directory_ + " has recovery partitions that were not made together");
  }
}

// Which epoch all files have, and whether they have it from the same runs.
void RecoveryParts::check_progress() {
  epoch_ = files_[0]->epoch();
  for (const auto& file : files_) {
    epoch_ = std::min(epoch_, file->epoch());
    horizon_ = std::max(horizon_, file->horizon());
  }
  std::vector<int> old;
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (files_[i]->epoch() < horizon_) old.push_back(static_cast<int>(i));
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

void RecoveryParts::read_states(const OnState& on_state) {
  for (const auto& file : files_) file->read(on_state);
}

std::uint64_t RecoveryParts::horizon_at(std::int64_t now_us) {
  while (!ended_.empty() && ended_.front().second <= now_us - backup_interval_us_) {
    horizon_ = ended_.front().first;
    ended_.pop_front();
  }
  return horizon_;
}

void RecoveryParts::commit(std::uint64_t epoch, std::int64_t now_us,
                           const std::vector<StateRows>& states) {
  std::vector<std::vector<PartFile::Row>> rows(files_.size());
  for (const StateRows& of_state : states)
    for (const StateRow& row : of_state.rows) {
      const std::string place = of_state.state + '\0' + key_bytes(row.key);
      rows[hash_of(place, 0).low % files_.size()].emplace_back(&of_state.state, &row);
    }
  const std::uint64_t horizon = horizon_at(now_us);
  for (std::size_t i = 0; i < files_.size(); ++i) files_[i]->commit(epoch, horizon, run_, rows[i]);
  epoch_ = epoch;
  ended_.emplace_back(epoch, now_us);
}

}  // namespace machida::store
