// Looks at a worker's store and journal without changing them, also beside a running server.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/store/contents.h"
#include "server/store/directory.h"
#include "server/store/journal_files.h"
#include "server/store/store.h"

namespace machida::store {

class Inspection {
 public:
  // Throws StoreError if it can't be read at all.
  Inspection(const Directory& directory, int worker);
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  const Meta& meta() const noexcept { return meta_; }
  std::uint64_t bytes() const;  // on disk, without the journal
  // As the table says, oldest first; nothing but the table is verified. Damage is for verify() to
  // tell.
  const std::vector<EpochRecord>& epochs() const noexcept { return records_.records; }

  // Reads everything and says what is wrong with it; nothing: all of it verifies.
  const std::vector<std::string>& verify();
  // Then: what the newest epoch that verifies says.
  const Contents& contents() const noexcept { return contents_; }
  void read_states(const Store::OnState& on_state);

  struct StateFacts {
    std::uint64_t keys = 0;
    std::uint64_t bytes = 0;
  };
  std::map<std::string, StateFacts> states();

 private:
  void open();

  std::string directory_;
  int worker_;
  Names names_;
  HeadFacts head_;
  std::unique_ptr<Database> database_;
  Meta meta_;
  Records records_;
  Contents contents_;
  bool is_read_ = false;
};

// As read_journal(), beside a server that removes segments.
JournalFacts inspect_journal(const Directory& directory, int worker);

// The workers that have left something in the directory.
std::vector<int> workers_of(const Directory& directory);

}  // namespace machida::store
