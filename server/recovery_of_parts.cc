#include "server/recovery_of_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "server/store/part_set.h"

namespace machida {
namespace {

using store::PartFile;
using store::PartSet;

std::string part_text(const PartFile& part) {
  return fmt::format("partition {} of {}", part.place().number, part.place().count);
}

void ls(PartFile& part, RecoveryReport& report) {
  const std::uint64_t bytes = std::filesystem::file_size(part.path());
  report.text += fmt::format("{}: up to epoch {}, {} on disk\n", part_text(part), part.epoch(),
                             size_text(bytes));
  if (part.horizon() != 0)
    report.text += fmt::format("  superseded snapshots up to epoch {} are gone\n", part.horizon());
  Table table({"epoch", "snapshots", "bytes"});
  for (const PartFile::EpochFacts& epoch : part.epochs())
    table.add({std::to_string(epoch.number), std::to_string(epoch.snapshots),
               size_text(static_cast<std::uint64_t>(epoch.bytes))});
  report.text += table.text();
}

void verify(PartFile& part, RecoveryReport& report) {
  part.verify();
  report.text += fmt::format("{}: all verifies, up to epoch {}\n", part_text(part), part.epoch());
}

void show(const PartSet& set, RecoveryReport& report) {
  struct Facts {
    std::uint64_t keys = 0, bytes = 0;
  };
  std::map<std::string, Facts> states;
  for (const auto& part : set.files())
    part->read(set.epoch(),
               [&states](const std::string& state, const store::Key&, std::string_view value) {
                 ++states[state].keys;
                 states[state].bytes += value.size();
               });
  report.text += fmt::format("epoch {}, in {} partitions\n", set.epoch(), set.files().size());
  Table table({"step", "keys", "bytes"});
  for (const auto& [name, facts] : states)
    table.add({escaped(name), std::to_string(facts.keys), size_text(facts.bytes)});
  report.text += table.text();
}

// Of one step, or of all for "".
void show_keys(const PartSet& set, const std::string& wanted, RecoveryReport& report) {
  std::vector<std::string> lines;
  for (const auto& part : set.files())
    part->read(set.epoch(),
               [&](const std::string& state, const store::Key& key, std::string_view value) {
                 if (wanted.empty() || state == wanted)
                   lines.push_back(key_line(state, key, value.size()));
               });
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) report.text += line;
}

// Those that can be opened; what is wrong with one is no reason not to show the others.
PartSet::Files open_each(const RecoveryWanted& wanted, RecoveryReport& report) {
  PartSet::Files files;
  for (const std::uint32_t number : store::part_numbers(wanted.directory)) {
    try {
      auto part = std::make_unique<PartFile>(store::part_path(wanted.directory, number),
                                             PartFile::Access::kInspect);
      if (wanted.command == "ls") ls(*part, report);
      if (wanted.command == "verify") verify(*part, report);
      files.push_back(std::move(part));
    } catch (const std::runtime_error& error) {  // StoreError and StoreFull
      add_damage({error.what()}, report);
    }
  }
  return files;
}

}  // namespace

void look_at_parts(const RecoveryWanted& wanted, RecoveryReport& report) {
  PartSet::Files files = open_each(wanted, report);
  if (report.status != 0) return;
  try {
    const PartSet set(wanted.directory, std::move(files));
    if (wanted.command == "verify")
      report.text += fmt::format("the next run goes on from epoch {}\n", set.epoch());
    if (wanted.command != "show") return;
    for (const auto& part : set.files()) part->verify();
    if (wanted.keys)
      show_keys(set, wanted.state, report);
    else
      show(set, report);
  } catch (const std::runtime_error& error) {
    add_damage({error.what()}, report);
  }
}

}  // namespace machida
