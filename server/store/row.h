// A row of the table `snap`: the value of one key in one epoch, NULL when it was forgotten then.
// How it is written, read and digested.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/store/database.h"
#include "server/store/digest.h"
#include "server/store/rows.h"

namespace machida::store {

// Views of a row that was just read.
struct Row {
  std::int64_t id = 0;
  std::int64_t epoch = 0;
  std::string_view state;
  Key key;
  std::optional<std::string_view> value;
};

inline constexpr const char* kInsertRow =
    "INSERT INTO snap(id, epoch, state, key, key_kind, value) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
// Of a range of ids.
inline constexpr const char* kSelectRows =
    "SELECT id, epoch, state, key, key_kind, value FROM snap WHERE id BETWEEN ?1 AND ?2 "
    "ORDER BY id";

void insert_row(Statement& insert, std::int64_t id, std::int64_t epoch, std::string_view state,
                const Key& key, std::optional<std::string_view> value);
// The present row of kSelectRows. False: no row that this server wrote.
bool read_row(const Statement& select, Row& row);

// What the row says, but for its id and epoch.
void add_row(Digest& digest, std::string_view state, const Key& key,
             std::optional<std::string_view> value);
std::uint64_t bytes_of(std::string_view state, const Key& key,
                       std::optional<std::string_view> value);

}  // namespace machida::store
