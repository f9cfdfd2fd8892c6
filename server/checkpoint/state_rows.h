// Python states and keys as rows of the store, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "embed/pickling.h"
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
      : states_(std::move(states)), keys_(std::move(keys)) {}

  void write(const embed::Gil&, const std::string& state_name, _object* key,
             _object* state) override;
  void forget(const embed::Gil&, const std::string& state_name, _object* key) override;

  std::vector<store::StateRows> take() {
    bytes_ = 0;
    return std::exchange(rows_, {});
  }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  // Those of the state, at the end of rows_.
  std::vector<store::StateRow>& rows_of(const std::string& state_name);

  embed::Pickling states_, keys_;
  std::vector<store::StateRows> rows_;
  std::uint64_t bytes_ = 0;
};

}  // namespace machida::checkpoint
