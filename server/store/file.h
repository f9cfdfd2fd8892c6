// A file of the recovery directory as the system calls see it, and what else is done to files there
// without SQLite. Failures throw StoreError with path and reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace machida::store {

class File {
 public:
  enum class Mode {
    kRead,
    kWrite,
    kCreate,  // kWrite, and made if it is not there
  };
  // kCreate throws StoreFull if there is no room for a new file.
  File(std::string path, Mode mode);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const noexcept { return path_; }
  std::uint64_t size() const;
  // Fewer bytes than asked for: the file ends there.
  std::size_t read(std::uint64_t offset, char* to, std::size_t bytes) const;
  // False: no room; a part may be written.
  bool write(std::uint64_t offset, std::string_view bytes);
  void truncate(std::uint64_t bytes);
  // What was written is durable when it returns.
  void sync();

 private:
  std::string path_;
  int fd_;
};

// No such file: nothing.
std::optional<std::uint64_t> size_of(const std::string& path);
// Not being there is no error.
void remove_file(const std::string& path);
void rename_file(const std::string& from, const std::string& to);
// New names, removals and renames in the directory are durable when it returns.
void sync_directory(const std::string& path);
// A small file with this text, all of it or the one before also after a power failure, once its
// directory is synced. False: no room.
bool write_durably(const std::string& path, const std::string& text);
std::vector<std::string> names_in(const std::string& directory);

}  // namespace machida::store
