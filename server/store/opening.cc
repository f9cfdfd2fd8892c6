#include "server/store/opening.h"

#include <fmt/core.h>

#include "server/store/file.h"
#include "server/store/rebuild.h"

namespace machida::store {
namespace {

// A store that is not there although something of it is was removed or lost, which is not the same
// as never having been.
void check_may_be_new(const std::string& directory, const Names& names, const HeadFacts& head) {
  const std::string path = directory + "/" + names.store;
  if (head.damaged && !head.mark)
    throw StoreError(path + ": is missing or empty, but its head is there");
  if (head.mark && head.mark->epoch > 0)
    throw StoreError(fmt::format("{}: is missing or empty, but {} says that epoch {} was committed",
                                 path, names.head, head.mark->epoch));
  for (const std::string& name : names_in(directory))
    if (names.base_epoch(name))
      throw StoreError(fmt::format("{}: is missing or empty, but {} is there", path, name));
}

std::unique_ptr<Database> open_database(const std::string& path) {
  auto database = std::make_unique<Database>(path, Database::Mode::kServe);
  database->keep_log_when_closed(true);  // what is refused is left as it was found
  database->run("PRAGMA journal_mode=WAL");
  database->run("PRAGMA synchronous=FULL");
  // Pages that do not fit are written before the commit, some of them twice.
  database->run("PRAGMA cache_size=-65536");
  return database;
}

void create(Database& database, const std::string& application, int worker) {
  Transaction transaction(database);
  Meta meta;
  meta.application = application;
  meta.worker = worker;
  meta.store = {random_number(), random_number()};
  create_store(database, meta);
  transaction.commit();
}

std::unique_ptr<Head> open_head(const std::string& path, const HeadFacts& facts,
                                const HeadMark& mark) {
  if (facts.damaged || !facts.mark || facts.mark->store != mark.store ||
      facts.mark->epoch > mark.epoch)
    return std::make_unique<Head>(path, mark);
  auto head = std::make_unique<Head>(path);
  if (facts.mark->epoch < mark.epoch) head->write(mark);
  return head;
}

// An epoch that another one followed was closed, even if that was lost with the other.
void close_if_followed(Database& database, Contents& contents) {
  EpochRecord& record = contents.records.back();
  if (record.closed || record.number == contents.newest_known) return;
  contents.outboxes.clear();
  if (!contents.only_head_damaged) {
    record.closed = true;  // for the store that is made of it
    return;
  }
  Transaction transaction(database);
  close_record(database, contents.meta, record);
  transaction.commit();
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

// What a compaction left that did not come to its end.
void remove_unused_bases(const std::string& directory, const Names& names, std::int64_t used) {
  for (const std::string& name : names_in(directory)) {
    const std::optional<std::int64_t> epoch = names.base_epoch(name);
    if (epoch && *epoch != used) remove_file(directory + "/" + name);
  }
}

Opened open_once(const std::string& directory, int worker, const std::string& application,
                 Damage damage) {
  const Names names(worker);
  const std::string path = directory + "/" + names.store;
  finish_rebuild(directory, names);
  const HeadFacts head = read_head(directory + "/" + names.head);
  if (size_of(path).value_or(0) == 0) check_may_be_new(directory, names, head);
  Opened opened;
  opened.database = open_database(path);
  if (is_empty(*opened.database)) {
    check_may_be_new(directory, names, head);
    create(*opened.database, application, worker);
  }
  migrate(*opened.database);
  check_tables(*opened.database);
  const Meta meta = read_meta(*opened.database);
  check_owner(*opened.database, meta, application, worker);
  opened.contents = read_contents(*opened.database, meta, directory, names, head);
  const Contents& contents = opened.contents;
  if (!contents.damage.empty()) {
    const std::string why = joined(contents.damage);
    if (damage == Damage::kRefuse) throw StoreError(why);
    if (!contents.has_usable_epoch || contents.records.empty())
      throw StoreError(why + "; and there is no epoch before it to go back to");
    opened.warning =
        fmt::format("{}; continuing from epoch {}", why, contents.records.back().number);
    close_if_followed(*opened.database, opened.contents);
    if (!contents.only_head_damaged) {
      rebuild(std::move(opened.database), std::move(opened.contents), directory, names);
      return opened;
    }
  }
  opened.head = open_head(directory + "/" + names.head,
                          contents.only_head_damaged ? HeadFacts{} : head, contents.head_mark());
  opened.database->keep_log_when_closed(false);
  remove_unused_bases(directory, names, meta.base);
  sync_directory(directory);
  return opened;
}

}  // namespace

void check_owner(const Database& database, const Meta& meta, const std::string& application,
                 int worker) {
  if (meta.application != application)
    throw StoreError(fmt::format("{}: is the store of the application '{}', not of '{}'",
                                 database.path(), meta.application, application));
  if (meta.worker != worker)
    throw StoreError(fmt::format("{}: is the store of worker {}, not of worker {}", database.path(),
                                 meta.worker, worker));
}

Opened open_store(const std::string& directory, int worker, const std::string& application,
                  Damage damage) {
  try {
    Opened opened = open_once(directory, worker, application, damage);
    if (opened.database) return opened;
    // It was rebuilt, and is opened like any other.
    Opened rebuilt = open_once(directory, worker, application, Damage::kRefuse);
    rebuilt.warning = opened.warning;
    return rebuilt;
  } catch (const StoreFull& error) {
    throw StoreError(error.what());
  }
}

}  // namespace machida::store
