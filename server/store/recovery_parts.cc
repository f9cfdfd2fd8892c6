#include "server/store/recovery_parts.h"

#include <filesystem>

#include "server/store/digest.h"
#include "server/store/file.h"

namespace machida::store {
namespace fs = std::filesystem;
namespace {

// Where a set is while it is made: under the second name it is whole.
constexpr const char* kInWork = "parts.new";
constexpr const char* kWhole = "parts.made";

// A creation that was interrupted: a set that is whole gets to its place, others go.
void finish_creation(const fs::path& directory) {
  fs::remove_all(directory / kInWork);
  if (!fs::exists(directory / kWhole)) return;
  const std::string whole = (directory / kWhole).string();
  for (const std::uint32_t number : part_numbers(whole))
    rename_file(part_path(whole, number), part_path(directory.string(), number));
  sync_directory(directory.string());
  fs::remove_all(directory / kWhole);
}

PartSet::Files open_all(const std::string& directory) {
  finish_creation(directory);
  PartSet::Files files;
  for (const std::uint32_t number : part_numbers(directory))
    files.push_back(std::make_unique<PartFile>(part_path(directory, number)));
  return files;
}

}  // namespace

void RecoveryParts::create(const std::string& directory, std::uint32_t count) {
  finish_creation(directory);
  if (const std::vector<std::uint32_t> there = part_numbers(directory); !there.empty())
    throw StoreError(part_path(directory, there[0]) +
                     " exists: the directory has recovery partitions already");
  const fs::path in_work = fs::path(directory) / kInWork;
  fs::create_directory(in_work);
  const std::string set = to_hex({random_number(), random_number()});
  for (std::uint32_t number = 0; number < count; ++number)
    PartFile::create(part_path(in_work.string(), number), {number, count, set});
  sync_directory(in_work.string());
  rename_file(in_work.string(), (fs::path(directory) / kWhole).string());
  sync_directory(directory);
  finish_creation(directory);
}

RecoveryParts::RecoveryParts(const std::string& directory, std::int64_t backup_interval_us)
    : backup_interval_us_(backup_interval_us),
      parts_(directory, open_all(directory)),
      epoch_(parts_.epoch()),
      horizon_(parts_.horizon()) {
  for (const auto& file : parts_.files()) file->go_back_to(epoch_, horizon_);
  run_ = {epoch_, to_hex({random_number(), random_number()})};
}

void RecoveryParts::read_states(const OnState& on_state) {
  for (const auto& file : parts_.files()) file->read(epoch_, on_state);
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
  const PartSet::Files& files = parts_.files();
  std::vector<std::vector<PartFile::Row>> rows(files.size());
  for (const StateRows& of_state : states)
    for (const StateRow& row : of_state.rows) {
      const std::string place = of_state.state + '\0' + key_bytes(row.key);
      rows[hash_of(place, 0).low % files.size()].emplace_back(&of_state.state, &row);
    }
  const std::uint64_t horizon = horizon_at(now_us);
  for (std::size_t i = 0; i < files.size(); ++i) files[i]->commit(epoch, horizon, run_, rows[i]);
  epoch_ = epoch;
  ended_.emplace_back(epoch, now_us);
}

}  // namespace machida::store
