// The segments of a journal as a start finds them: which records there are, what is torn and has to
// be cut off, or that something is damaged.
//
// Torn is what a death may leave: of the process, an unfinished last record; of the machine, holes
// in what was not made durable. Everything else is damage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace machida::store {

struct SegmentFacts {
  std::string path;
  std::int64_t first = 0;
  std::int64_t next = 0;    // the number behind its last record
  std::uint64_t bytes = 0;  // up to there
};

struct JournalFacts {
  std::vector<SegmentFacts> segments;  // in order, each beginning where the one before ends
  // What is torn, or empty. Then the last segment is to be cut behind its `bytes`, and the files
  // `superfluous` are to be removed.
  std::string torn;
  std::vector<std::string> superfluous;
};

// Changes nothing. Throws StoreError for damage.
JournalFacts read_journal(const std::string& directory, int worker);

std::string segment_path(const std::string& directory, int worker, std::int64_t first);

// Of the running machine; 0: not known.
std::uint64_t boot_of_machine();

}  // namespace machida::store
