#include "server/store/directory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "server/store/file.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

constexpr const char* kLockName = "lock";
constexpr const char* kWorkersLockName = "workers.lock";
constexpr int kLastWorkersWaitMs = 10'000;  // killed ones end within milliseconds

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw StoreError(fmt::format("{}: {}", path, why));
}

[[noreturn]] void refuse_because_of(const std::string& path, const char* what, int error) {
  refuse(path, fmt::format("{}: {}", what, std::strerror(error)));
}

void make(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) {
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    sync_directory(parent.empty() ? "." : parent.string());
  } else if (errno == ENOENT) {
    refuse(path, "the directory that it should be made in does not exist");
  } else if (errno != EEXIST) {
    refuse_because_of(path, "the recovery directory can't be made", errno);
  }
}

// What lies in it is unpickled, so whoever may write there may run code as us.
void check_safe(const std::string& path) {
  struct stat facts;
  if (stat(path.c_str(), &facts) != 0)
    refuse_because_of(path, "the recovery directory can't be looked at", errno);
  if (!S_ISDIR(facts.st_mode)) refuse(path, "is a file; the recovery directory was expected");
  if (facts.st_uid != geteuid())
    refuse(path, fmt::format("belongs to user {}, this is user {}; what lies in a recovery "
                             "directory is run as code, so it must be one's own",
                             facts.st_uid, geteuid()));
  if (facts.st_mode & (S_IWGRP | S_IWOTH))
    refuse(path, fmt::format("others may write to it (mode {:o}); what lies in a recovery "
                             "directory is run as code: chmod 700 makes it safe",
                             facts.st_mode & 07777));
}

std::string without_slashes_at_the_end(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

int open_lock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) refuse_because_of(path, "can't be opened", errno);
  return fd;
}

int lock(const std::string& directory) {
  const std::string path = directory + "/" + kLockName;
  const int fd = open_lock(path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    char holder[32] = "";
    if (pread(fd, holder, sizeof holder - 1, 0) < 0) holder[0] = '\0';
    close(fd);
    if (error != EWOULDBLOCK) refuse_because_of(path, "can't be locked", error);
    refuse(directory, fmt::format("is in use by a running server{}",
                                  *holder ? fmt::format(" (process {})", holder) : ""));
  }
  const std::string holder = std::to_string(getpid());
  // Only for the message above: a full device is no reason to fail here.
  if (ftruncate(fd, 0) != 0 || pwrite(fd, holder.data(), holder.size(), 0) < 0) errno = 0;
  return fd;
}

int lock_as_worker(const std::string& directory) {
  const int fd = open_lock(directory + "/" + kWorkersLockName);
  if (flock(fd, LOCK_SH) != 0) refuse_because_of(directory, "can't be locked", errno);
  return fd;
}

// Workers of a server that was killed end a moment after it.
void wait_for_last_workers(const std::string& directory) {
  const int fd = open_lock(directory + "/" + kWorkersLockName);
  constexpr int kLookMs = 5;
  for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += kLookMs) {
    if (waited_ms >= kLastWorkersWaitMs) {
      close(fd);
      refuse(directory, "is in use by a worker whose server is gone");
    }
    usleep(kLookMs * 1000);
  }
  close(fd);
}

}  // namespace

Directory::Directory(const std::string& path, Access access)
    : path_(without_slashes_at_the_end(path)) {
  if (path_.empty()) refuse("''", "is no name of a recovery directory");
  if (access == Access::kServe) make(path_);
  check_safe(path_);
  if (access == Access::kWorker) worker_ = lock_as_worker(path_);
  if (access != Access::kServe) return;
  lock_ = lock(path_);
  wait_for_last_workers(path_);
}

Directory::~Directory() {
  if (lock_ >= 0) close(lock_);
  if (worker_ >= 0) close(worker_);
}

}  // namespace machida::store
