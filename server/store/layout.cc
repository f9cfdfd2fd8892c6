#include "server/store/layout.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "server/store/file.h"
#include "server/store/identity.h"
#include "server/store/names.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

constexpr const char* kLayout = "workers";
constexpr const char* kNext = "next";
constexpr const char* kComplete = "complete";  // in kNext: the old stores may go
constexpr const char* kMoving = "moving";      // in kNext: the old stores are gone

void write(const std::string& path, const std::string& text) {
  if (!write_durably(path, text)) throw StoreFull(path + ": no room");
}

bool belongs_to_a_worker(const std::string& name) {
  return name.starts_with("worker-") || name.starts_with("journal-") || name == kLayout;
}

bool is_there(const std::string& path) { return size_of(path).has_value(); }

void remove_directory(const std::string& path) {
  for (const std::string& name : names_in(path))
    if (name != "." && name != "..") remove_file(path + "/" + name);
  if (rmdir(path.c_str()) != 0)
    throw StoreError(fmt::format("{}: can't be removed: {}", path, std::strerror(errno)));
}

}  // namespace

std::uint32_t workers_of_layout(const Directory& directory) {
  const std::string path = directory.file(kLayout);
  if (!is_there(path)) return workers_in(names_in(directory.path())).empty() ? 0 : 1;
  const File file(path, File::Mode::kRead);
  char text[16] = "";
  const std::size_t bytes = file.read(0, text, sizeof text - 1);
  std::uint32_t workers = 0;
  const auto [end, error] = std::from_chars(text, text + bytes, workers);
  if (error != std::errc() || workers == 0)
    throw StoreError(path + ": does not say for how many workers the directory is");
  return workers;
}

void write_layout(const Directory& directory, std::uint32_t workers) {
  write(directory.file(kLayout), std::to_string(workers) + "\n");
  sync_directory(directory.path());
}

std::string begin_new_stores(const Directory& directory) {
  const std::string next = directory.file(kNext);
  if (mkdir(next.c_str(), 0700) != 0)
    throw StoreError(fmt::format("{}: can't be made: {}", next, std::strerror(errno)));
  return next;
}

void complete_new_stores(const Directory& directory, std::uint32_t workers) {
  const std::string next = directory.file(kNext);
  write(next + "/" + kLayout, std::to_string(workers) + "\n");
  sync_directory(next);
  write(next + "/" + kComplete, "");
  sync_directory(next);
  sync_directory(directory.path());
}

bool is_changing(const Directory& directory) {
  struct stat facts;
  return stat(directory.file(kNext).c_str(), &facts) == 0;
}

void finish_change(const Directory& directory) {
  if (!is_changing(directory)) return;
  const std::string next = directory.file(kNext);
  const std::string complete = next + "/" + kComplete, moving = next + "/" + kMoving;
  if (!is_there(complete) && !is_there(moving)) return remove_directory(next);
  if (is_there(complete)) {
    for (const std::string& name : names_in(directory.path()))
      if (belongs_to_a_worker(name)) remove_file(directory.file(name));
    sync_directory(directory.path());
    rename_file(complete, moving);
    sync_directory(next);
  }
  renew_identity(directory);  // what brokers remember is of the old epochs
  for (const std::string& name : names_in(next))
    if (belongs_to_a_worker(name)) rename_file(next + "/" + name, directory.file(name));
  sync_directory(next);
  sync_directory(directory.path());
  remove_directory(next);
}

}  // namespace machida::store
