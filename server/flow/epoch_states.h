// States by key that belong into a checkpoint, as the coordinator sees them. An epoch's changes are
// written lazily after its end, each before its next use or when the loop has time, whichever is
// first; so the end itself costs the same however many there are (DESIGN D6).
#pragma once

#include <cstddef>
#include <string>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/state_writer.h"

namespace machida::flow {

class EpochStates {
 public:
  virtual ~EpochStates() = default;

  // Theirs in the store, unique in an application.
  virtual const std::string& name() const noexcept = 0;

  // They are the engine's objects, which pickle itself stores, not the application's serialize().
  virtual bool engine_made() const noexcept { return false; }

  // From now on changes are remembered, and written to `writer` after each end_epoch().
  virtual void write_to(StateWriter& writer) = 0;
  virtual bool has_changes() const noexcept = 0;
  // What was changed until now is to be written. All of the epoch before has been.
  virtual void end_epoch() = 0;
  // Writes at most `states_max` of them; whether more are left. Throws what a StateWriter throws.
  virtual bool write_some(const embed::Gil&, std::size_t states_max) = 0;

  // A state that was written. False: there is no place for this key, and nothing was done. Throws
  // PythonError.
  virtual bool restore(const embed::Gil&, const embed::Object& key, embed::Object state) = 0;
};

}  // namespace machida::flow
