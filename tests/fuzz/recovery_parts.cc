// Recovery partitions with any damage are refused, or give back the states of an epoch that there
// was, as they were: with one file damaged that was closed, the newest one.
#include "server/store/recovery_parts.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "server/base/log.h"
#include "tests/fuzz/damage.h"

namespace {

using namespace machida;
using fuzz::Files;
using testing::TempDirectory;

using States = std::map<std::string, std::string>;
constexpr std::uint32_t kFiles = 2;
constexpr std::uint64_t kEpochs = 6;
constexpr std::int64_t kBackupUs = 3;  // an epoch takes 1

std::vector<store::StateRows> rows_of(std::uint64_t epoch, States& states) {
  store::StateRows rows{"step", {}};
  for (std::uint64_t key = epoch % 3; key < 20; key += 2) {
    const std::string name = "key " + std::to_string(key);
    store::StateRow& row = rows.rows.emplace_back();
    row.key = testing::text_key(name);
    states.erase(name);
    if ((key + epoch) % 5 != 0)
      row.value = states[name] = std::string(60 * key, '.') + std::to_string(epoch);
  }
  return {rows};
}

// Two partitions after some epochs, as a run leaves them that was closed, or killed.
struct Whole {
  Files closed, killed;
  std::vector<States> states{States()};  // by epoch

  Whole() {
    const TempDirectory temp;
    store::RecoveryParts::create(temp.path(), kFiles);
    auto parts = std::make_unique<store::RecoveryParts>(temp.path(), kBackupUs);
    for (std::uint64_t epoch = 1; epoch <= kEpochs; ++epoch) {
      states.push_back(states.back());
      const auto rows = rows_of(epoch, states.back());
      parts->commit(epoch, static_cast<std::int64_t>(epoch), rows);
    }
    killed = fuzz::files_of(temp);
    parts = nullptr;
    closed = fuzz::files_of(temp);
    if (closed.size() != kFiles || killed.size() != 2 * kFiles) std::abort();
  }
};

States states_of(store::RecoveryParts& parts) {
  States states;
  parts.read_states([&](const std::string& state, const store::Key& key, std::string_view value) {
    if (state != "step" || key.kind != store::KeyKind::kText) std::abort();
    if (!states.emplace(key.bytes, value).second) std::abort();
  });
  return states;
}

struct Said {
  std::uint64_t epoch = 0;
  States states;
};

// Nothing: they are refused.
std::optional<Said> open(const TempDirectory& temp) {
  Said said;
  try {
    store::RecoveryParts parts(temp.path(), kBackupUs);
    said = {parts.epoch(), states_of(parts)};
    States next = said.states;
    const auto rows = rows_of(said.epoch + 1, next);
    parts.commit(said.epoch + 1, static_cast<std::int64_t>(said.epoch) + 1, rows);
    if (states_of(parts) != next) std::abort();
  } catch (const store::StoreError&) {
    return std::nullopt;
  }
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  log::set_level(log::Level::kError);
  static const Whole whole;
  static const TempDirectory temp;
  fuzz::Script script(data, size);
  const std::uint8_t kind = script.byte() % 3;
  Files files = kind == 0 ? whole.killed : whole.closed;
  bool newest_only = kind != 0;
  if (kind != 2) newest_only &= fuzz::damage_bytes(script, files).size() <= 1;
  fuzz::write_files(temp, files);
  if (kind == 2) fuzz::damage_rows(script, temp.file("part-1.sqlite3"));
  const std::optional<Said> said = open(temp);
  if (!said) return 0;
  if (newest_only && said->epoch != kEpochs) std::abort();
  if (said->epoch >= whole.states.size() || said->states != whole.states[said->epoch]) std::abort();
  return 0;
}
