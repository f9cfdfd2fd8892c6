#include "server/store/contents.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/store/key_set.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

// Whether pages, cells and lists of free pages are as they must be; SQLite has no checksums.
void check_structure(Database& store, std::vector<std::string>& damage) {
  try {
    Statement check = store.prepare("PRAGMA quick_check(1)");
    if (check.step() && check.bytes(0) != "ok")
      damage.push_back(fmt::format("{}: {}", store.path(), check.bytes(0)));
  } catch (const StoreError& error) {
    damage.emplace_back(error.what());
  }
}

// Drops the records from `epoch` on.
void drop_from(std::int64_t epoch, Contents& contents) {
  while (!contents.records.empty() && contents.records.back().number >= epoch)
    contents.records.pop_back();
}

std::int64_t newest_known(const Contents& contents, const HeadFacts& head) {
  const std::int64_t in_store = contents.records.empty() ? 0 : contents.records.back().number;
  const bool is_its_head = head.mark && head.mark->store == contents.meta.store;
  return std::max(in_store, is_its_head ? head.mark->epoch : 0);
}

void check_positions(Database& store, Contents& contents) {
  for (const EpochRecord& record : contents.records) {
    try {
      contents.positions = read_positions(store, record);
    } catch (const StoreError& error) {
      contents.damage.emplace_back(error.what());
      drop_from(record.number, contents);
      break;
    }
  }
}

void check_outboxes(Database& store, Contents& contents) {
  if (contents.records.empty()) return;
  const EpochRecord newest = contents.records.back();
  try {
    if (!newest.closed) contents.outboxes = read_outboxes(store, newest);
    const std::int64_t others = newest.closed ? 0 : newest.number;
    Statement select = store.prepare("SELECT count(*) FROM outbox WHERE epoch<>?1");
    select.bind(1, others);
    if (select.step() && select.integer(0) != 0)
      throw StoreError(fmt::format("{}: epoch {}: there is an outbox of another epoch",
                                   store.path(), newest.number));
  } catch (const StoreError& error) {
    contents.damage.emplace_back(error.what());
    drop_from(newest.number, contents);
  }
}

void open_base(const std::string& directory, const Names& names, Contents& contents) {
  if (contents.meta.base == 0) return;
  const std::string path = directory + "/" + names.base(contents.meta.base);
  try {
    contents.base = std::make_unique<Database>(path, Database::Mode::kUnchanged);
  } catch (const StoreError& error) {
    contents.damage.emplace_back(error.what());
    contents.has_usable_epoch = false;
  }
}

void check_rows(Database& store, Contents& contents) {
  while (contents.has_usable_epoch) {
    try {
      find_newest_rows(store, contents);
      return;
    } catch (const DamagedRows& error) {
      contents.damage.emplace_back(error.what());
      if (error.in_base()) contents.has_usable_epoch = false;
      drop_from(error.epoch(), contents);
    } catch (const StoreError& error) {
      contents.damage.emplace_back(error.what());
      contents.has_usable_epoch = false;
    }
  }
}

// Behind the newest epoch, where the next one's rows and positions go.
void check_behind(Database& store, Contents& contents) {
  if (!contents.damage.empty()) return;  // then they may be of epochs that were dropped
  const EpochRecord newest =
      contents.records.empty() ? EpochRecord{.first_row = 1} : contents.records.back();
  try {
    Statement select = store.prepare(
        "SELECT (SELECT count(*) FROM snap WHERE id>=?1) + "
        "(SELECT count(*) FROM position WHERE epoch>?2)");
    select.bind(1, newest.next_row()).bind(2, newest.number);
    if (select.step() && select.integer(0) != 0)
      throw StoreError(fmt::format("{}: epoch {}: {} rows behind it are of no epoch", store.path(),
                                   newest.number, select.integer(0)));
  } catch (const StoreError& error) {
    contents.damage.emplace_back(error.what());
  }
}

void check_head(const std::string& path, const HeadFacts& head, Contents& contents) {
  if (!contents.damage.empty()) return;  // then the store is older than its head for a reason
  const std::int64_t newest = contents.records.empty() ? 0 : contents.records.back().number;
  std::string why;
  if (!head.mark) {
    if (newest == 0) return;
    why = head.damaged ? "is damaged" : "is missing";
  } else if (head.mark->store != contents.meta.store) {
    why = "is of another store";
  } else if (head.mark->epoch > newest) {
    why = fmt::format("says that epoch {} was committed, but the store ends with epoch {}",
                      head.mark->epoch, newest);
  } else if (head.damaged && head.mark->epoch == newest) {
    why = fmt::format("is damaged in part: whether an epoch came after {} can't be told", newest);
  } else {
    for (const EpochRecord& record : contents.records)
      if (record.number == head.mark->epoch &&
          record.content_digest(contents.meta) != head.mark->digest)
        why = fmt::format("was written for another epoch {}", record.number);
  }
  if (why.empty()) return;
  contents.only_head_damaged = true;
  contents.damage.push_back(fmt::format("{}: {}", path, why));
}

}  // namespace

HeadMark Contents::head_mark() const {
  if (records.empty()) return {0, {}, meta.store};
  return {records.back().number, records.back().content_digest(meta), meta.store};
}

void Contents::forget_rows() {
  if (!rows_are_known) return;
  records = {};
  newest_rows = {};
  rows_are_known = false;
}

Contents read_contents(Database& store, const Meta& meta, const std::string& directory,
                       const Names& names, const HeadFacts& head) {
  Contents contents;
  contents.meta = meta;
  check_structure(store, contents.damage);
  Records found = read_records(store, meta);
  if (!found.damage.empty()) contents.damage.push_back(found.damage);
  contents.records = std::move(found.records);
  contents.newest_known = newest_known(contents, head);
  check_positions(store, contents);
  check_outboxes(store, contents);
  open_base(directory, names, contents);
  check_rows(store, contents);
  check_behind(store, contents);
  check_head(directory + "/" + names.head, head, contents);
  if (contents.records.empty() && !contents.damage.empty()) contents.has_usable_epoch = false;
  if (contents.damage.empty() || !contents.has_usable_epoch) return contents;
  try {
    const EpochRecord& newest = contents.records.back();  // perhaps an older one now
    contents.positions = read_positions(store, newest);
    contents.outboxes.clear();
    if (!newest.closed) contents.outboxes = read_outboxes(store, newest);
  } catch (const StoreError& error) {
    contents.damage.emplace_back(error.what());
    contents.has_usable_epoch = false;
  }
  return contents;
}

void find_newest_rows(Database& store, Contents& contents) {
  contents.newest_rows.clear();
  KeySet keys;
  Scan scan(store, contents.base.get(), contents.meta, contents.records);
  contents.keys = 0;
  scan.finish([&](const Row& row) {
    const bool holds = keys.insert(row.state, row.key) && row.value;
    contents.newest_rows.push_back(holds);
    contents.keys += holds ? 1 : 0;
  });
  contents.rows_are_known = true;
}

}  // namespace machida::store
