// Python states and keys as rows of the store, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "embed/pickling.h"
#include "server/flow/epoch_states.h"
#include "server/flow/state_writer.h"
#include "server/store/rows.h"

namespace machida::checkpoint {

// A state can't be pickled: names the state, the key and what Python said.
class StateNotSaved : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// str, int, bytes and None are kept as what they are, other keys as pickles.
store::Key key_of(const embed::Gil&, const embed::Pickling& pickle, _object* key);
embed::Object key_from(const embed::Gil&, const embed::Pickling& pickle, const store::Key& key);

// Collects the rows of one epoch.
class RowWriter final : public flow::StateWriter {
 public:
  // `states` is the application's, `keys` pickle itself.
  RowWriter(embed::Pickling states, embed::Pickling keys)
      : states_(std::move(states)), keys_(std::move(keys)), of_engine_(*this) {}
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  // What changes in `states` from now on is written here; what the engine has made, with pickle
  // itself. Before the first record: with several workers, others may send some before this one's
  // epochs have begun.
  void write_from(const std::vector<flow::EpochStates*>& states);

  void write(const embed::Gil&, const std::string& state_name, _object* key,
             _object* state) override;
  void forget(const embed::Gil&, const std::string& state_name, _object* key) override;

  std::vector<store::StateRows> take() {
    bytes_ = 0;
    return std::exchange(rows_, {});
  }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  class OfEngine final : public flow::StateWriter {
   public:
    explicit OfEngine(RowWriter& rows) : rows_(rows) {}
    void write(const embed::Gil& gil, const std::string& state_name, _object* key,
               _object* state) override {
      rows_.add(gil, state_name, key, state, rows_.keys_);
    }
    void forget(const embed::Gil& gil, const std::string& state_name, _object* key) override {
      rows_.forget(gil, state_name, key);
    }

   private:
    RowWriter& rows_;
  };

  void add(const embed::Gil&, const std::string& state_name, _object* key, _object* state,
           const embed::Pickling& pickling);
  // Those of the state, at the end of rows_.
  std::deque<store::StateRow>& rows_of(const std::string& state_name);

  embed::Pickling states_, keys_;
  OfEngine of_engine_;
  std::vector<store::StateRows> rows_;
  std::uint64_t bytes_ = 0;
};

}  // namespace machida::checkpoint
