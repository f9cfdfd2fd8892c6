#include "tests/unit/store/support.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace machida::testing {
namespace {

namespace fs = std::filesystem;

std::string name_of(std::string_view state, const store::Key& key) {
  return std::string(state) + "|" + std::to_string(static_cast<int>(key.kind)) + "|" +
         std::to_string(key.integer) + "|" + key.bytes;
}

}  // namespace

TempDirectory::TempDirectory(Place place) {
  const fs::path memory = "/dev/shm";
  const bool in_memory = place == Place::kMemory && access(memory.c_str(), W_OK) == 0;
  path_ = ((in_memory ? memory : fs::temp_directory_path()) / "machida-store-XXXXXX").string();
  if (!mkdtemp(path_.data())) throw std::runtime_error("no temporary directory");
}

TempDirectory::~TempDirectory() { fs::remove_all(path_); }

void TempDirectory::copy_from(const std::string& other) {
  for (const std::string& name : names()) fs::remove(file(name));
  for (const auto& entry : fs::directory_iterator(other))
    fs::copy_file(entry.path(), fs::path(path_) / entry.path().filename());
}

std::vector<std::string> TempDirectory::names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void truncate_file(const std::string& path, std::uint64_t bytes) { fs::resize_file(path, bytes); }

void flip(const std::string& path, std::uint64_t offset, unsigned char mask) {
  std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(stream.get() ^ mask);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(byte);
}

store::Key bytes_key(store::KeyKind kind, std::string bytes) {
  store::Key key;
  key.kind = kind;
  key.bytes = std::move(bytes);
  return key;
}

store::Key text_key(std::string text) { return bytes_key(store::KeyKind::kText, std::move(text)); }

store::Key integer_key(std::int64_t integer) {
  store::Key key;
  key.kind = store::KeyKind::kInteger;
  key.integer = integer;
  return key;
}

store::Epoch make_epoch(std::int64_t number, int keys, int keys_max, std::size_t value_bytes) {
  store::Epoch epoch;
  epoch.number = number;
  const std::string value = "v" + std::to_string(number) + std::string(value_bytes, '.');
  store::StateRows count{"count", {}};
  for (int i = 0; i < keys; ++i) {
    const std::int64_t key = (number * 7919 + i) % keys_max;
    store::StateRow& row = count.rows.emplace_back();
    row.key = text_key("key-" + std::to_string(key));
    if ((key + number) % 7 != 0) row.value = value + std::to_string(key);
  }
  store::StateRows other{"other", {}};
  const auto add = [&](store::Key key, std::string text) {
    other.rows.push_back({std::move(key), std::move(text)});
  };
  add(store::Key(), "none " + value);
  add(integer_key(-number % 3), "integer " + value);
  add(bytes_key(store::KeyKind::kBytes, std::string("\0\xff", 2)), std::string("\0b", 2) + value);
  add(bytes_key(store::KeyKind::kPickle, "\x80\x04K\x01."), "pickle " + value);
  add(text_key(std::string("a\0b", 3)), "");
  epoch.states = {std::move(count), std::move(other)};
  epoch.positions = {{"kafka:words", "0", number * 10}, {"kafka:words", "1", number * 100}};
  epoch.outboxes = {{"kafka:counts",
                     {std::make_shared<const std::string>("chunk " + value),
                      std::make_shared<const std::string>("")}},
                    {"silent", {}}};
  return epoch;
}

void Said::apply(const store::Epoch& epoch_said) {
  epoch = epoch_said.number;
  closed = false;
  for (const store::StateRows& rows : epoch_said.states)
    for (const store::StateRow& row : rows.rows) {
      const std::string name = name_of(rows.state, row.key);
      if (row.value)
        states[name] = *row.value;
      else
        states.erase(name);
    }
  positions.clear();
  for (const Position& position : epoch_said.positions)
    positions.push_back(position.source + "/" + position.part + "=" +
                        std::to_string(position.value));
  outbox.clear();
  for (const store::Outbox& box : epoch_said.outboxes) {
    outbox.push_back(box.sink);
    for (const auto& chunk : box.chunks) outbox.push_back(">" + *chunk);
  }
}

void Said::close() {
  closed = true;
  outbox.clear();
}

Said said_by(const store::Store& store) {
  Said said;
  const std::optional<store::Store::Newest> newest = store.newest();
  if (!newest) return said;
  said.apply(newest->epoch);
  if (newest->closed) said.close();
  std::uint64_t keys = 0;
  store.read_states([&](std::string_view state, const store::Key& key, std::string_view value) {
    ++keys;
    said.states[name_of(state, key)] = value;
  });
  if (keys != store.keys() || keys != said.states.size())
    throw std::runtime_error("a key was read twice");
  return said;
}

std::string refusal(const std::function<void()>& function) {
  try {
    function();
  } catch (const store::StoreError& error) {
    return error.what();
  }
  return "";
}

}  // namespace machida::testing
