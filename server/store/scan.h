// Reads the rows of epochs, newest epoch first and the base last, and checks them against their
// digests: of two rows of a key, the newer one comes first. Can be done in pieces; between them no
// statement is open, and since rows never change, commits in between don't matter.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/store/epoch_record.h"
#include "server/store/row.h"
#include "server/store/store_error.h"

namespace machida::store {

// Rows that don't match their digest, or can't be read.
class DamagedRows : public StoreError {
 public:
  DamagedRows(std::int64_t epoch, bool in_base, const std::string& what)
      : StoreError(what), epoch_(epoch), in_base_(in_base) {}
  std::int64_t epoch() const noexcept { return epoch_; }
  bool in_base() const noexcept { return in_base_; }

 private:
  std::int64_t epoch_;
  bool in_base_;
};

class Scan {
 public:
  // The rows of `records` (oldest first, as read_records() gives them) behind the base, and the
  // base's. `base`: its file, if there is one. The databases must outlive the scan.
  Scan(Database& store, Database* base, const Meta& meta, const std::vector<EpochRecord>& records);
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;

  using OnRow = std::function<void(const Row&)>;
  // Asked now and then: whether to go on.
  using GoOn = std::function<bool()>;
  // Whether there is more. Throws DamagedRows.
  bool step(const OnRow& on_row, const GoOn& go_on);
  void finish(const OnRow& on_row);

 private:
  struct Part {
    Statement* select;
    const std::string* path;
    std::int64_t epoch;
    std::int64_t first_row;
    std::int64_t rows;
    Hash digest;
    bool is_base;
  };
  void read(const Part& part, const OnRow& on_row, const GoOn& go_on);
  [[noreturn]] static void fail(const Part& part, const std::string& why);

  std::optional<Statement> store_select_, base_select_;
  std::vector<Part> parts_;  // the next one is the last
  std::int64_t done_ = 0;    // rows of it
  Digest digest_;
};

}  // namespace machida::store
