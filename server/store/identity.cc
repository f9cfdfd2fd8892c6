#include "server/store/identity.h"

#include <fmt/core.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <random>

#include "server/store/file.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

constexpr std::size_t kDigits = 16;

std::string random_digits() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace

std::string identity_of(const Directory& directory) {
  const std::string path = directory.file("id");
  if (!std::filesystem::exists(path)) return renew_identity(directory);
  std::string id;
  std::ifstream(path) >> id;
  for (const unsigned char c : id)
    if (!std::isxdigit(c)) id.clear();
  if (id.size() != kDigits) throw StoreError(path + ": damaged, it has no 16 hexadecimal digits");
  return id;
}

std::string renew_identity(const Directory& directory) {
  const std::string path = directory.file("id");
  const std::string id = random_digits();
  if (!write_durably(path, id + "\n")) throw StoreError(path + ": there is no room for it");
  sync_directory(directory.path());
  return id;
}

}  // namespace machida::store
