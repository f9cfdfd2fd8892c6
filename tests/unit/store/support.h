// What the tests of the store share: directories, epochs, and everything a store says as one value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/directory.h"
#include "server/store/rows.h"
#include "server/store/store.h"

namespace machida::testing {

// An empty directory that only its owner may enter, removed at the end.
class TempDirectory {
 public:
  // In memory, if there is such a place: making small files durable is most of these tests' time.
  enum class Place { kMemory, kDisk };
  explicit TempDirectory(Place place = Place::kMemory);
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Becomes a copy of the files of another one.
  void copy_from(const std::string& other);
  std::vector<std::string> names() const;

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view bytes);
void truncate_file(const std::string& path, std::uint64_t bytes);
// Turns the bits of `mask` over in one byte.
void flip(const std::string& path, std::uint64_t offset, unsigned char mask);

store::Key bytes_key(store::KeyKind kind, std::string bytes);
store::Key text_key(std::string text);
store::Key integer_key(std::int64_t integer);

// `keys` keys of state "count", drawn from `keys_max` by the epoch's number, of which a seventh is
// forgotten, and one of each other kind; positions; one outbox.
store::Epoch make_epoch(std::int64_t number, int keys, int keys_max, std::size_t value_bytes = 40);

// All that a store says: what the tests compare.
struct Said {
  std::int64_t epoch = 0;
  bool closed = false;
  std::map<std::string, std::string> states;
  std::vector<std::string> positions;
  std::vector<std::string> outbox;

  friend bool operator==(const Said&, const Said&) = default;
  // What a store says after this epoch.
  void apply(const store::Epoch& epoch);
  void close();
};
Said said_by(const store::Store& store);

// What the function throws as StoreError, or "".
std::string refusal(const std::function<void()>& function);

}  // namespace machida::testing
