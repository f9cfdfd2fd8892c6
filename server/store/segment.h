// One file of the journal: a header, then records. What they look like, and how they are read.
//
// A record carries its number, how far the journal was durable when it was written, its source and
// frames, and a checksum that also depends on a number drawn for the segment, so that no client can
// send frames that look like records.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/file.h"

namespace machida::store {

struct SegmentHeader {
  std::int64_t first = 0;  // record
  std::uint64_t seed = 0;  // of the checksums
  std::uint64_t boot = 0;  // of the machine, when it was written; 0: not known
};

std::string bytes_of(const SegmentHeader& header);

struct RecordFacts {
  std::int64_t number = 0;
  std::int64_t durable = 0;  // records before this one were
  std::uint32_t source = 0;
};

// Appends the record's bytes.
void append_record(std::string& to, std::uint64_t seed, const RecordFacts& facts,
                   std::span<const std::string_view> frames);

class SegmentReader {
 public:
  explicit SegmentReader(const std::string& path);

  std::uint64_t size() const noexcept { return size_; }
  // Nothing: the file is empty, or it is no header; then there are no records either.
  const std::optional<SegmentHeader>& header() const noexcept { return header_; }

  // Reads the record at offset(). False: there is none with a right checksum.
  bool next();
  std::uint64_t offset() const noexcept { return offset_; }
  bool at_end() const noexcept { return offset_ == size_; }
  // Of the record that was read; the views are valid until the next call.
  const RecordFacts& facts() const noexcept { return facts_; }
  const std::vector<std::string_view>& frames() const noexcept { return frames_; }

  // Goes to the next record behind a damaged place. False: there is none.
  bool skip_to_record();

 private:
  std::string_view at(std::uint64_t offset, std::uint64_t bytes);

  File file_;
  std::uint64_t size_;
  std::uint64_t offset_ = 0;
  std::optional<SegmentHeader> header_;
  std::string window_;
  std::uint64_t window_begin_ = 0;
  RecordFacts facts_;
  std::vector<std::string_view> frames_;
};

}  // namespace machida::store
