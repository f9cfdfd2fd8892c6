// Brings the states of the newest epoch back to life at start.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/pickling.h"
#include "server/flow/epoch_states.h"
#include "server/flow/state_table.h"
#include "server/store/epoch_store.h"

namespace machida::checkpoint {

// The states can't be used by this application; the text names the state and the key.
class RecoveryError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// A stored state does not unpickle; the text has the traceback, and names the state and the key.
class StateNotRestored : public store::StoreError {
 public:
  using StoreError::StoreError;
};

// Throws RecoveryError when a fresh state of one of the tables can't be saved: better told at
// start.
void try_fresh_states(const embed::Gil&, const embed::Pickling& pickling,
                      const std::vector<flow::StateTable*>& tables);

// Every stored state goes to the states of its name; progress is logged when it takes long. States
// that the application does not have any more, or keys that it does not list, are left in the store
// and counted in a warning. Returns how many were restored. Throws StateNotRestored, and
// RecoveryError when a state is not this worker's (`owns`; null: all are).
using Owns = std::function<bool(std::string_view state, _object* key)>;
std::uint64_t restore_states(const embed::Gil&, const store::EpochStore& store,
                             const embed::Pickling& states, const embed::Pickling& keys,
                             const std::vector<flow::EpochStates*>& all_states,
                             const Owns& owns = nullptr);

}  // namespace machida::checkpoint
