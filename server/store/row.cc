#include "server/store/row.h"

namespace machida::store {

void insert_row(Statement& insert, std::int64_t id, std::int64_t epoch, std::string_view state,
                const Key& key, std::optional<std::string_view> value) {
  insert.bind(1, id).bind(2, epoch).bind_text(3, state);
  switch (key.kind) {
    case KeyKind::kNone:
      insert.bind_null(4);
      break;
    case KeyKind::kText:
      insert.bind_text(4, key.bytes);
      break;
    case KeyKind::kInteger:
      insert.bind(4, key.integer);
      break;
    case KeyKind::kBytes:
    case KeyKind::kPickle:
      insert.bind_blob(4, key.bytes);
      break;
  }
  insert.bind(5, static_cast<std::int64_t>(key.kind));
  if (value)
    insert.bind_blob(6, *value);
  else
    insert.bind_null(6);
  insert.run();
}

bool read_row(const Statement& select, Row& row) {
  using Type = Statement::Type;
  if (select.type(0) != Type::kInteger || select.type(1) != Type::kInteger ||
      select.type(2) != Type::kText || select.type(4) != Type::kInteger ||
      (select.type(5) != Type::kBlob && select.type(5) != Type::kNull))
    return false;
  row.id = select.integer(0);
  row.epoch = select.integer(1);
  row.state = select.bytes(2);
  row.value = std::nullopt;
  if (select.type(5) == Type::kBlob) row.value = select.bytes(5);
  const Type type = select.type(3);
  const std::int64_t kind = select.integer(4);
  if (kind < 0 || kind > static_cast<std::int64_t>(KeyKind::kPickle)) return false;
  row.key.kind = static_cast<KeyKind>(kind);
  row.key.integer = 0;
  row.key.bytes.clear();
  switch (row.key.kind) {
    case KeyKind::kNone:
      return type == Type::kNull;
    case KeyKind::kInteger:
      row.key.integer = select.integer(3);
      return type == Type::kInteger;
    case KeyKind::kText:
      row.key.bytes = select.bytes(3);
      return type == Type::kText;
    case KeyKind::kBytes:
    case KeyKind::kPickle:
      row.key.bytes = select.bytes(3);
      return type == Type::kBlob;
  }
  return false;
}

void add_row(Digest& digest, std::string_view state, const Key& key,
             std::optional<std::string_view> value) {
  constexpr std::uint64_t kForgotten = ~std::uint64_t{0};  // no value has that size
  const std::uint64_t numbers[] = {static_cast<std::uint64_t>(key.kind),
                                   static_cast<std::uint64_t>(key.integer), state.size(),
                                   key.bytes.size(), value ? value->size() : kForgotten};
  digest.add_numbers(numbers);
  digest.add_raw(state);
  digest.add_raw(key.bytes);
  if (value) digest.add_raw(*value);
}

std::uint64_t bytes_of(std::string_view state, const Key& key,
                       std::optional<std::string_view> value) {
  constexpr std::uint64_t kBytesPerRow = 16;  // about what SQLite adds
  return state.size() + key.bytes.size() + (value ? value->size() : 0) + kBytesPerRow;
}

}  // namespace machida::store
