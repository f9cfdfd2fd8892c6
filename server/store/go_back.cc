#include "server/store/go_back.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/store/file.h"
#include "server/store/inspection.h"
#include "server/store/opening.h"

namespace machida::store {

std::int64_t newest_epoch(const Directory& directory, int worker) {
  const Names names(worker);
  if (!size_of(directory.file(names.store)) && !size_of(directory.file(names.head))) return 0;
  const Inspection store(directory, worker);
  return store.epochs().empty() ? 0 : store.epochs().back().number;
}

Result<std::int64_t> common_epoch(std::span<const std::int64_t> newest, bool accept_damage) {
  const std::int64_t common = *std::min_element(newest.begin(), newest.end());
  if (accept_damage && common > 0) return common;  // go_back() knows whether it is still there
  for (std::size_t worker = 0; worker < newest.size(); ++worker)
    if (newest[worker] > common + 1)
      return Error{
          fmt::format("the store of worker {} has epoch {}, but another one ends with {}: it is "
                      "missing or damaged",
                      worker, newest[worker], common)};
  return common;
}

void go_back(const Directory& directory, int worker, const std::string& application,
             std::int64_t epoch) {
  Opened opened = open_store(directory.path(), worker, application, Damage::kRefuse);
  const Contents& contents = opened.contents;
  EpochRecord newest;  // before the first one
  if (epoch > 0) {
    const auto found = std::find_if(contents.records.begin(), contents.records.end(),
                                    [epoch](const EpochRecord& r) { return r.number == epoch; });
    if (found == contents.records.end())
      throw StoreError(
          fmt::format("{}: epoch {} is not there to go back to", opened.database->path(), epoch));
    newest = *found;
  } else if (contents.meta.base != 0) {
    throw StoreError(
        fmt::format("{}: the beginning is not there to go back to", opened.database->path()));
  }
  // The head first: a store may be ahead of it, and not behind.
  const Names names(worker);
  const Head head(
      directory.file(names.head),
      {epoch, epoch > 0 ? newest.content_digest(contents.meta) : Hash{}, contents.meta.store});
  Transaction transaction(*opened.database);
  opened.database->prepare("DELETE FROM snap WHERE epoch>?1").bind(1, epoch).run();
  opened.database->prepare("DELETE FROM position WHERE epoch>?1").bind(1, epoch).run();
  opened.database->prepare("DELETE FROM epoch WHERE n>?1").bind(1, epoch).run();
  opened.database->run("DELETE FROM outbox");
  // Another one followed it, so it was closed.
  if (epoch > 0 && !newest.closed) close_record(*opened.database, contents.meta, newest);
  transaction.commit();
}

}  // namespace machida::store
