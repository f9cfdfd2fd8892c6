#include "server/checkpoint/recovery.h"

#include <chrono>
#include <map>

#include "embed/error.h"
#include "embed/gc_pause.h"
#include "embed/value.h"
#include "server/base/log.h"
#include "server/checkpoint/state_rows.h"

namespace machida::checkpoint {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kProgressEvery{2};
constexpr std::uint64_t kKeysBetweenLooks = 16;  // an application's deserialize() may be slow

class Progress {
 public:
  explicit Progress(std::uint64_t keys) : keys_(keys) {}
  void step() {
    if (++done_ % kKeysBetweenLooks != 0 || Clock::now() < next_) return;
    next_ = Clock::now() + kProgressEvery;
    log::info("restoring states: {} of {} keys", done_, keys_);
  }

 private:
  std::uint64_t keys_, done_ = 0;
  Clock::time_point next_ = Clock::now() + kProgressEvery;
};

}  // namespace

void try_fresh_states(const embed::Gil& gil, const embed::Pickling& pickling,
                      const std::vector<flow::StateTable*>& tables) {
  for (const flow::StateTable* table : tables) {
    try {
      pickling.load(gil, pickling.dump(gil, table->make_fresh(gil).get()));
    } catch (const embed::PythonError& error) {
      throw RecoveryError("state '" + table->name() +
                          "' can't be saved: a fresh one does not survive serialize() and "
                          "deserialize(): " +
                          error.what());
    }
  }
}

std::uint64_t restore_states(const embed::Gil& gil, const store::EpochStore& store,
                             const embed::Pickling& states, const embed::Pickling& keys,
                             const std::vector<flow::EpochStates*>& all_states, const Owns& owns) {
  std::map<std::string, flow::EpochStates*, std::less<>> by_name;
  for (flow::EpochStates* states_of_name : all_states)
    by_name[states_of_name->name()] = states_of_name;
  std::map<std::string, std::uint64_t, std::less<>> unknown, unlisted;
  std::uint64_t restored = 0;
  Progress progress(store.keys());
  const embed::GcPause pause(gil);
  store.read_states([&](std::string_view state, const store::Key& key, std::string_view value) {
    progress.step();
    const auto found = by_name.find(state);
    if (found == by_name.end()) {
      ++unknown[std::string(state)];
      return;
    }
    embed::Object python_key;
    try {
      python_key = key_from(gil, keys, key);
      if (owns && !owns(state, python_key.get()))
        throw RecoveryError("state '" + std::string(state) + "' of key " +
                            embed::repr(gil, python_key, 200) +
                            " is in the store of a worker that it does not belong to: the "
                            "application's list of keys has changed, which needs a start with one "
                            "worker and the old list before");
      const embed::Pickling& pickling = found->second->engine_made() ? keys : states;
      if (found->second->restore(gil, python_key, pickling.load(gil, value)))
        ++restored;
      else
        ++unlisted[std::string(state)];
    } catch (const embed::PythonError& error) {
      const std::string of =
          python_key ? "key " + embed::repr(gil, python_key, 200) : "a key that can't be read";
      throw StateNotRestored(error.traceback() + "state '" + std::string(state) + "' of " + of +
                             " can't be restored: " + error.what());
    }
  });
  for (const auto& [name, count] : unknown)
    log::warn("{} keys of state '{}' stay in the store: the application has no such state", count,
              name);
  for (const auto& [name, count] : unlisted)
    log::warn("{} keys of state '{}' stay in the store: the application does not list them", count,
              name);
  return restored;
}

}  // namespace machida::checkpoint
