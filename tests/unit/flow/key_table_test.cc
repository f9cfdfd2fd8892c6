#include "server/flow/key_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "embed/value.h"
#include "tests/unit/python.h"

using namespace machida;
using embed::Gil;
using embed::Object;
using flow::KeyTable;

namespace {

struct TextCell final : KeyTable::Cell {
  std::string text;
};

// Cells of text.
struct Texts final : KeyTable::Contents {
  std::unique_ptr<KeyTable::Cell> make_cell() const override {
    return std::make_unique<TextCell>();
  }
  Object saved(const Gil& gil, const KeyTable::Cell& cell) const override {
    return embed::make_str(gil, static_cast<const TextCell&>(cell).text);
  }
  void restore(const Gil& gil, KeyTable::Cell& cell, const Object& saved) override {
    static_cast<TextCell&>(cell).text = embed::str(gil, saved);
  }
};

// What was written, as text: "key=value", "key gone".
struct Written final : flow::StateWriter {
  std::vector<std::string> lines;
  void write(const Gil& gil, const std::string&, _object* key, _object* state) override {
    lines.push_back(text(gil, key) + "=" + text(gil, state));
  }
  void forget(const Gil& gil, const std::string&, _object* key) override {
    lines.push_back(text(gil, key) + " gone");
  }
  static std::string text(const Gil& gil, _object* object) {
    return embed::str(gil, Object::borrow(gil, object));
  }
  std::vector<std::string> take() {
    std::sort(lines.begin(), lines.end());
    return std::exchange(lines, {});
  }
};

struct Table {
  Texts contents;
  KeyTable keys{"s", contents};

  TextCell& put(const Gil& gil, const std::string& key, const std::string& text) {
    auto& cell = static_cast<TextCell&>(keys.use(gil, embed::make_str(gil, key).get()));
    keys.occupy(cell);
    cell.text = text;
    return cell;
  }
  void forget(const Gil& gil, const std::string& key) {
    keys.forget(gil, keys.use(gil, embed::make_str(gil, key).get()));
  }
  std::vector<std::string> take_due(const Gil& gil, std::int64_t now_us, std::size_t most = 100) {
    std::vector<std::string> names;
    for (const KeyTable::Cell* cell : keys.take_due(now_us, most))
      names.push_back(Written::text(gil, cell->key()));
    return names;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a key is the str, whatever object it is and however it is kept in memory") {
  const embed::GilLock gil;
  Table table;
  for (const char* key : {"", "a", "ab", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    table.put(gil, key, std::string("text ") + key);
    CHECK_FALSE(table.keys.use(gil, embed::make_str(gil, key).get()).vacant());
  }
  CHECK(table.keys.size() == 6);
  // One character each, of one, two and four bytes in memory.
  for (const char* key : {"b", "\xe2\x82\xad", "\xf0\x9f\x98\x81"})
    CHECK(table.keys.use(gil, embed::make_str(gil, key).get()).vacant());
}

TEST_CASE("each of many keys is found as long as it is there, however they come and go") {
  const embed::GilLock gil;
  Table table;
  std::map<std::string, std::string> expected;
  std::mt19937 random(11);
  for (unsigned round = 0; round < 60'000; ++round) {
    // Many, then few, and again.
    const unsigned keys = round / 15'000 % 2 == 0 ? 5'000 : 40;
    const std::string key = "k" + std::to_string(random() % keys);
    if (random() % 3 == 0) {
      table.forget(gil, key);
      expected.erase(key);
    } else {
      expected[key] = std::to_string(round);
      table.put(gil, key, expected[key]);
    }
    if (keys == 40 && !expected.empty()) {  // the others go
      const std::string other = expected.rbegin()->first;
      table.forget(gil, other);
      expected.erase(other);
    }
    if (round % 2'000 != 0) continue;
    REQUIRE(table.keys.size() == expected.size());
    for (const KeyTable::Cell* cell : table.keys.in_order())
      REQUIRE(static_cast<const TextCell*>(cell)->text ==
              expected.at(Written::text(gil, cell->key())));
    for (const auto& [name, text] : expected)
      REQUIRE(static_cast<TextCell&>(table.keys.use(gil, embed::make_str(gil, name).get())).text ==
              text);
  }
}

TEST_CASE("keys are told in the order of their UTF-8") {
  const embed::GilLock gil;
  Table table;
  // U+10000 comes after U+FF5E, though before it in UTF-16.
  for (const char* key : {"\xf0\x90\x80\x80", "b", "\xef\xbd\x9e", "a", "B", "ab", "\xc3\xa9"})
    table.put(gil, key, "x");
  std::string names;
  for (const KeyTable::Cell* cell : table.keys.in_order())
    names += Written::text(gil, cell->key()) + " ";
  CHECK(names == "B a ab b \xc3\xa9 \xef\xbd\x9e \xf0\x90\x80\x80 ");
}

TEST_CASE("without a checkpoint a forgotten key leaves nothing") {
  const embed::GilLock gil;
  Table table;
  table.keys.set_due(table.put(gil, "a", "1"), 5);
  table.forget(gil, "a");
  CHECK(table.keys.size() == 0);
  CHECK_FALSE(table.keys.next_due_us());
  CHECK_FALSE(table.keys.has_changes());
}

TEST_CASE("an epoch's cells are written as they were at its end; forgotten ones say so once") {
  const embed::GilLock gil;
  Table table;
  Written written;
  table.keys.write_to(written);
  table.put(gil, "a", "1");
  table.put(gil, "b", "1");
  table.put(gil, "brief", "1");
  table.forget(gil, "brief");  // was never stored
  table.keys.end_epoch();
  CHECK(written.lines.empty());  // lazily
  table.put(gil, "a", "2");      // of the next epoch
  CHECK(written.take() == Lines{"a=1"});
  while (table.keys.write_some(gil, 1)) continue;
  CHECK(written.take() == Lines{"b=1"});
  CHECK(table.keys.size() == 2);

  table.forget(gil, "a");
  table.forget(gil, "b");
  table.put(gil, "b", "again");
  table.keys.end_epoch();
  CHECK_FALSE(table.keys.write_some(gil, 10));
  CHECK(written.take() == Lines{"a gone", "b=again"});
  CHECK(table.keys.size() == 1);

  table.forget(gil, "b");
  table.keys.end_epoch();
  table.put(gil, "b", "3");  // before its end was written
  CHECK(written.take() == Lines{"b gone"});
  CHECK_FALSE(table.keys.write_some(gil, 10));
  CHECK_FALSE(table.keys.use(gil, embed::make_str(gil, "b").get()).vacant());
  table.keys.end_epoch();
  CHECK_FALSE(table.keys.write_some(gil, 10));
  CHECK(written.take() == Lines{"b=3"});
  CHECK_FALSE(table.keys.has_changes());
}

TEST_CASE("a restored key is known to the store") {
  const embed::GilLock gil;
  Table table;
  Written written;
  CHECK(table.keys.restore(gil, embed::make_str(gil, "a"), embed::make_str(gil, "saved")));
  CHECK_FALSE(table.keys.restore(gil, embed::make_int(gil, 1), embed::make_str(gil, "saved")));
  table.keys.write_to(written);
  table.forget(gil, "a");
  table.keys.end_epoch();
  CHECK_FALSE(table.keys.write_some(gil, 10));
  CHECK(written.take() == Lines{"a gone"});
  CHECK(table.keys.size() == 0);
}

TEST_CASE("due keys are taken by their time, a piece at a time, each piece by key") {
  const embed::GilLock gil;
  Table table;
  std::int64_t due_us = 0;
  for (const char* key : {"d", "c", "b", "a"})
    table.keys.set_due(table.put(gil, key, ""), due_us += 10);
  CHECK(table.keys.next_due_us() == 10);
  CHECK(table.take_due(gil, 9).empty());
  CHECK(table.take_due(gil, 30, 2) == Lines{"c", "d"});
  CHECK(table.take_due(gil, 30, 2) == Lines{"b"});
  CHECK(table.keys.next_due_us() == 40);
}

TEST_CASE("times that change, end and come again leave the earliest in front") {
  const embed::GilLock gil;
  Table table;
  std::map<std::string, std::int64_t> expected;
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    const std::string key = "k" + std::to_string(random() % 60);
    const std::int64_t due_us = static_cast<std::int64_t>(random() % 1000) - 500;
    switch (random() % 4) {
      case 0:
        table.forget(gil, key);
        expected.erase(key);
        break;
      case 1:
        table.keys.clear_due(table.put(gil, key, ""));
        expected.erase(key);
        break;
      default:
        table.keys.set_due(table.put(gil, key, ""), due_us);
        expected[key] = due_us;
    }
    std::optional<std::int64_t> earliest_us;
    for (const auto& [name, each_us] : expected)
      if (!earliest_us || each_us < *earliest_us) earliest_us = each_us;
    REQUIRE(table.keys.next_due_us() == earliest_us);
    if (round % 50 != 0) continue;
    Lines due;
    for (const auto& [name, each_us] : expected)
      if (each_us <= due_us) due.push_back(name);
    REQUIRE(table.take_due(gil, due_us) == due);
    std::erase_if(expected, [due_us](const auto& entry) { return entry.second <= due_us; });
  }
}
