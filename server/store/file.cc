#include "server/store/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/base/handle.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  const int error = errno;
  throw StoreError(fmt::format("{}: {}: {}", path, what, std::strerror(error)));
}

bool is_no_room(int error) { return error == ENOSPC || error == EDQUOT; }

}  // namespace

File::File(std::string path, Mode mode) : path_(std::move(path)) {
  const int access = mode == Mode::kRead ? O_RDONLY : O_RDWR;
  const int create = mode == Mode::kCreate ? O_CREAT : 0;
  fd_ = open(path_.c_str(), access | create | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ >= 0) return;
  if (is_no_room(errno)) throw StoreFull(fmt::format("{}: {}", path_, std::strerror(errno)));
  fail(path_, "can't be opened");
}

File::~File() { close(fd_); }

std::uint64_t File::size() const {
  struct stat facts;
  if (fstat(fd_, &facts) != 0) fail(path_, "can't be looked at");
  return static_cast<std::uint64_t>(facts.st_size);
}

std::size_t File::read(std::uint64_t offset, char* to, std::size_t bytes) const {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = pread(fd_, to + done, bytes - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path_, "can't be read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

bool File::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && is_no_room(errno)) return false;
    if (n < 0) fail(path_, "can't be written");
    offset += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void File::truncate(std::uint64_t bytes) {
  if (ftruncate(fd_, static_cast<off_t>(bytes)) != 0) fail(path_, "can't be cut");
}

void File::sync() {
  if (fdatasync(fd_) != 0) fail(path_, "can't be made durable");
}

std::optional<std::uint64_t> size_of(const std::string& path) {
  struct stat facts;
  if (stat(path.c_str(), &facts) == 0) return static_cast<std::uint64_t>(facts.st_size);
  if (errno == ENOENT) return std::nullopt;
  fail(path, "can't be looked at");
}

void remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) fail(path, "can't be removed");
}

void rename_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) fail(from, "can't be renamed");
}

void sync_directory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail(path, "can't be opened");
  const bool good = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  errno = error;
  if (!good) fail(path, "can't be made durable");
}

bool write_durably(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  {
    File file(fresh, File::Mode::kCreate);
    file.truncate(0);
    if (!file.write(0, text)) return false;
    file.sync();
  }
  rename_file(fresh, path);
  return true;
}

std::vector<std::string> names_in(const std::string& directory) {
  const CPtr<DIR, closedir> stream(opendir(directory.c_str()));
  if (!stream) fail(directory, "can't be listed");
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get())) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace machida::store
