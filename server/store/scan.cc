#include "server/store/scan.h"

#include <fmt/core.h>

namespace machida::store {
namespace {

constexpr std::int64_t kRowsPerQuestion = 256;

struct ResetAtEnd {
  Statement& statement;
  ~ResetAtEnd() { statement.reset(); }
};

}  // namespace

Scan::Scan(Database& store, Database* base, const Meta& meta,
           const std::vector<EpochRecord>& records) {
  if (base) {
    base_select_ = base->prepare(kSelectRows);
    parts_.push_back(
        {&*base_select_, &base->path(), meta.base, 1, meta.base_rows, meta.base_digest, true});
  }
  store_select_ = store.prepare(kSelectRows);
  for (const EpochRecord& record : records)
    if (record.number > meta.base)
      parts_.push_back({&*store_select_, &store.path(), record.number, record.first_row,
                        record.keys, record.digest, false});
}

bool Scan::step(const OnRow& on_row, const GoOn& go_on) {
  while (!parts_.empty()) {
    const Part& part = parts_.back();
    try {
      read(part, on_row, go_on);
    } catch (const DamagedRows&) {
      throw;
    } catch (const StoreError& error) {
      fail(part, error.what());
    }
    if (done_ < part.rows) return true;
    if (digest_.take() != part.digest) fail(part, "its rows do not match their digest");
    done_ = 0;
    parts_.pop_back();
    if (!go_on()) return !parts_.empty();
  }
  return false;
}

void Scan::finish(const OnRow& on_row) {
  while (step(on_row, [] { return true; })) {
  }
}

void Scan::read(const Part& part, const OnRow& on_row, const GoOn& go_on) {
  if (done_ == part.rows) return;
  Statement& select = *part.select;
  select.bind(1, part.first_row + done_).bind(2, part.first_row + part.rows - 1);
  const ResetAtEnd reset{select};
  Row row;
  while (select.step()) {
    if (!read_row(select, row)) fail(part, fmt::format("row {} is malformed", row.id));
    const std::int64_t expected = part.first_row + done_;
    if (row.id != expected) fail(part, fmt::format("row {} is missing", expected));
    if (!part.is_base && row.epoch != part.epoch)
      fail(part, fmt::format("row {} says epoch {}", row.id, row.epoch));
    add_row(digest_, row.state, row.key, row.value);
    ++done_;
    on_row(row);
    if (done_ % kRowsPerQuestion == 0 && !go_on()) return;
  }
  if (done_ < part.rows) fail(part, fmt::format("row {} is missing", part.first_row + done_));
}

void Scan::fail(const Part& part, const std::string& why) {
  throw DamagedRows(part.epoch, part.is_base,
                    part.is_base ? fmt::format("{}: {}", *part.path, why)
                                 : fmt::format("{}: epoch {}: {}", *part.path, part.epoch, why));
}

}  // namespace machida::store
