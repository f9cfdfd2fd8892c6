#include "server/store/inspection.h"

#include <fmt/core.h>

#include "server/store/file.h"

namespace machida::store {
namespace {

constexpr int kAttempts = 5;

}  // namespace

Inspection::Inspection(const Directory& directory, int worker)
    : directory_(directory.path()), worker_(worker), names_(worker) {
  open();
}

void Inspection::open() {
  contents_ = Contents();
  is_read_ = false;
  // The head first: the store may be ahead of it, never behind.
  head_ = read_head(directory_ + "/" + names_.head);
  const std::string path = directory_ + "/" + names_.store;
  if (size_of(path).value_or(0) == 0) throw StoreError(path + ": is missing or empty");
  database_ = std::make_unique<Database>(path, Database::Mode::kInspect);
  database_->run("BEGIN");  // what is committed from now on is not seen
  check_format(*database_);
  check_tables(*database_);
  meta_ = read_meta(*database_);
  records_ = read_records(*database_, meta_);
}

std::uint64_t Inspection::bytes() const {
  std::uint64_t bytes = 0;
  const std::string store = directory_ + "/" + names_.store;
  for (const std::string& path : {store, store + "-wal", directory_ + "/" + names_.head,
                                  directory_ + "/" + names_.base(meta_.base)})
    bytes += size_of(path).value_or(0);
  return bytes;
}

const std::vector<std::string>& Inspection::verify() {
  for (int attempt = 0; !is_read_; ++attempt) {
    contents_ = read_contents(*database_, meta_, directory_, names_, head_);
    is_read_ = true;
    if (contents_.damage.empty() || attempt == kAttempts) break;
    // A running server may have put another base in its place and removed this one.
    const std::int64_t base = meta_.base;
    Contents found = std::move(contents_);
    open();
    if (meta_.base != base) continue;
    contents_ = std::move(found);
    is_read_ = true;
  }
  return contents_.damage;
}

void Inspection::read_states(const Store::OnState& on_state) {
  verify();
  if (!contents_.has_usable_epoch) return;
  Scan scan(*database_, contents_.base.get(), meta_, contents_.records);
  std::size_t n = 0;
  scan.finish([&](const Row& row) {
    if (contents_.newest_rows[n++]) on_state(row.state, row.key, *row.value);
  });
}

std::map<std::string, Inspection::StateFacts> Inspection::states() {
  std::map<std::string, StateFacts> states;
  read_states([&](std::string_view state, const Key&, std::string_view value) {
    StateFacts& facts = states[std::string(state)];
    ++facts.keys;
    facts.bytes += value.size();
  });
  return states;
}

JournalFacts inspect_journal(const Directory& directory, int worker) {
  for (int attempt = 1; attempt < kAttempts; ++attempt) {
    try {
      return read_journal(directory.path(), worker);
    } catch (const StoreError&) {
    }
  }
  return read_journal(directory.path(), worker);
}

std::vector<int> workers_of(const Directory& directory) {
  return workers_in(names_in(directory.path()));
}

}  // namespace machida::store
