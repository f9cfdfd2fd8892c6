#include "server/checkpoint/state_rows.h"

#include <algorithm>

#include "embed/error.h"
#include "embed/value.h"

namespace machida::checkpoint {

using embed::Gil;
using embed::Object;

store::Key key_of(const Gil& gil, const embed::Pickling& pickle, _object* key) {
  const Object owned = Object::borrow(gil, key);
  store::Key out;
  if (embed::is_none(owned)) return out;
  if (embed::is_exactly_int(owned)) {
    // A larger one than 64 bits is pickled.
    if (const std::optional<std::int64_t> integer = embed::small_integer(owned)) {
      out.kind = store::KeyKind::kInteger;
      out.integer = *integer;
      return out;
    }
  } else if (embed::is_exactly_str(owned) || embed::is_exactly_bytes(owned)) {
    if (const auto bytes = embed::utf8_or_bytes(gil, owned)) {
      out.kind = embed::is_exactly_str(owned) ? store::KeyKind::kText : store::KeyKind::kBytes;
      out.bytes = *bytes;
      return out;
    }
  }
  out.kind = store::KeyKind::kPickle;
  out.bytes = pickle.dump(gil, key);
  return out;
}

Object key_from(const Gil& gil, const embed::Pickling& pickle, const store::Key& key) {
  switch (key.kind) {
    case store::KeyKind::kNone:
      return embed::none(gil);
    case store::KeyKind::kText:
      return embed::make_str(gil, key.bytes);
    case store::KeyKind::kInteger:
      return embed::make_int(gil, key.integer);
    case store::KeyKind::kBytes:
      return embed::make_bytes(gil, key.bytes);
    case store::KeyKind::kPickle:
      break;
  }
  return pickle.load(gil, key.bytes);
}

std::deque<store::StateRow>& RowWriter::rows_of(const std::string& state_name) {
  if (rows_.empty() || rows_.back().state != state_name) {
    const auto known = std::find_if(rows_.begin(), rows_.end(), [&](const store::StateRows& rows) {
      return rows.state == state_name;
    });
    if (known == rows_.end())
      rows_.push_back({state_name, {}});
    else
      std::iter_swap(known, rows_.end() - 1);
  }
  return rows_.back().rows;
}

void RowWriter::write_from(const std::vector<flow::EpochStates*>& states) {
  for (flow::EpochStates* each : states) {
    if (each->engine_made())
      each->write_to(of_engine_);
    else
      each->write_to(*this);
  }
}

void RowWriter::write(const Gil& gil, const std::string& state_name, _object* key, _object* state) {
  add(gil, state_name, key, state, states_);
}

void RowWriter::add(const Gil& gil, const std::string& state_name, _object* key, _object* state,
                    const embed::Pickling& pickling) {
  std::deque<store::StateRow>& rows = rows_of(state_name);
  try {
    std::string value = pickling.dump(gil, state);
    bytes_ += value.size();
    rows.push_back({key_of(gil, keys_, key), std::move(value)});
  } catch (const embed::PythonError& error) {
    throw StateNotSaved("state '" + state_name + "' of key " +
                        embed::repr(gil, Object::borrow(gil, key), 200) +
                        " can't be saved: " + error.what());
  }
}

void RowWriter::forget(const Gil& gil, const std::string& state_name, _object* key) {
  rows_of(state_name).push_back({key_of(gil, keys_, key), std::nullopt});
}

}  // namespace machida::checkpoint
