#include "server/recovery.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "server/recovery_of_parts.h"
#include "server/recovery_text.h"
#include "server/store/inspection.h"
#include "server/store/part_set.h"

namespace machida {
namespace {

constexpr int kMistake = 2;

void ls(store::Inspection& store, int worker, RecoveryReport& report) {
  const store::Meta& meta = store.meta();
  report.text += fmt::format("worker {}: application '{}', {} on disk\n", worker,
                             escaped(meta.application), size_text(store.bytes()));
  if (meta.base != 0)
    report.text +=
        fmt::format("  compacted up to epoch {}: {} keys, {}\n", meta.base, meta.base_rows,
                    size_text(static_cast<std::uint64_t>(meta.base_bytes)));
  Table table({"epoch", "committed", "changed keys", "bytes", "closed"});
  for (const store::EpochRecord& epoch : store.epochs())
    table.add({std::to_string(epoch.number), time_text(epoch.time_ms), std::to_string(epoch.keys),
               size_text(static_cast<std::uint64_t>(epoch.bytes)), epoch.closed ? "yes" : "no"});
  report.text += table.text();
}

void show_journal(const store::Directory& directory, int worker, RecoveryReport& report) {
  try {
    const store::JournalFacts journal = store::inspect_journal(directory, worker);
    if (journal.segments.empty()) return;
    std::uint64_t bytes = 0;
    for (const store::SegmentFacts& segment : journal.segments) bytes += segment.bytes;
    report.text +=
        fmt::format("  journal: records {} up to {}, {}\n", journal.segments.front().first,
                    journal.segments.back().next, size_text(bytes));
    if (!journal.torn.empty()) report.text += fmt::format("  journal: {}\n", journal.torn);
  } catch (const store::StoreError& error) {
    add_damage({error.what()}, report);
  }
}

void show(store::Inspection& store, const store::Directory& directory, int worker,
          RecoveryReport& report) {
  add_damage(store.verify(), report);
  const store::Contents& contents = store.contents();
  if (contents.records.empty()) {
    report.text += fmt::format("worker {}: no epoch\n", worker);
  } else {
    const store::EpochRecord& newest = contents.records.back();
    report.text += fmt::format("worker {}: epoch {} of {}, {}\n", worker, newest.number,
                               time_text(newest.time_ms), newest.closed ? "closed" : "not closed");
    Table states({"state", "keys", "bytes"});
    for (const auto& [name, facts] : store.states())
      states.add({escaped(name), std::to_string(facts.keys), size_text(facts.bytes)});
    report.text += states.text();
    for (const Position& position : contents.positions)
      report.text +=
          fmt::format("  position: {}{}{} at {}\n", escaped(position.source),
                      position.part.empty() ? "" : "/", escaped(position.part), position.value);
    for (const store::Outbox& outbox : contents.outboxes) {
      std::uint64_t bytes = 0;
      for (const auto& chunk : outbox.chunks) bytes += chunk->size();
      report.text += fmt::format("  outbox: {}: {} chunks, {}\n", escaped(outbox.sink),
                                 outbox.chunks.size(), size_text(bytes));
    }
  }
  show_journal(directory, worker, report);
}

// Of one state, or of all for "".
void show_keys(store::Inspection& store, const std::string& wanted, RecoveryReport& report) {
  std::vector<std::string> lines;
  store.read_states([&](std::string_view state, const store::Key& key, std::string_view value) {
    if (wanted.empty() || state == wanted) lines.push_back(key_line(state, key, value.size()));
  });
  std::sort(lines.begin(), lines.end());
  for (const std::string& line : lines) report.text += line;
}

void verify(store::Inspection& store, const store::Directory& directory, int worker,
            RecoveryReport& report) {
  std::vector<std::string> damage = store.verify();
  const store::Contents& contents = store.contents();
  std::int64_t records = 0;
  try {
    for (const auto& segment : store::inspect_journal(directory, worker).segments)
      records += segment.next - segment.first;
  } catch (const store::StoreError& error) {
    damage.emplace_back(error.what());
  }
  add_damage(damage, report);
  const std::int64_t newest = contents.records.empty() ? 0 : contents.records.back().number;
  if (damage.empty())
    report.text += fmt::format("worker {}: all verifies: epoch {}, {} keys, {} journal records\n",
                               worker, newest, contents.keys, records);
  else if (contents.has_usable_epoch && newest > 0)
    report.text +=
        fmt::format("worker {}: damaged; the newest epoch that verifies is {}\n", worker, newest);
  else
    report.text += fmt::format("worker {}: damaged\n", worker);
}

void look(const RecoveryWanted& wanted, RecoveryReport& report) {
  if (!store::part_numbers(wanted.directory).empty()) return look_at_parts(wanted, report);
  const store::Directory directory(wanted.directory, store::Directory::Access::kInspect);
  const std::vector<int> workers = store::workers_of(directory);
  if (workers.empty()) return add_damage({directory.path() + ": holds no store"}, report);
  for (const int worker : workers) {
    try {
      store::Inspection store(directory, worker);
      if (wanted.command == "ls")
        ls(store, worker, report);
      else if (wanted.command == "verify")
        verify(store, directory, worker, report);
      else if (wanted.keys)
        show_keys(store, wanted.state, report);
      else
        show(store, directory, worker, report);
    } catch (const std::runtime_error& error) {  // StoreError and StoreFull
      add_damage({error.what()}, report);
    }
  }
}

}  // namespace

RecoveryReport recovery_report(int argc, const char* const* argv) {
  CLI::App cli(
      "Shows what a recovery directory holds, of a server or of dataflows; unpickles nothing and "
      "changes nothing.",
      "machida recovery");
  cli.require_subcommand(1);
  RecoveryWanted wanted;
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = cli.add_subcommand(name, what);
    command->add_option("DIR", wanted.directory, "the recovery directory")->required();
    return command;
  };
  add("ls", "the epochs: when, how many keys, how large");
  CLI::App* show_command = add("show", "the newest epoch: states, positions, outputs, journal");
  CLI::Option* keys =
      show_command->add_option("--keys", wanted.state, "the keys instead, of one state or all")
          ->expected(0, 1);
  add("verify", "checks every digest; status 0: all is well, 4: something is damaged");
  RecoveryReport report;
  try {
    std::vector<std::string> arguments(argv + 2, argv + argc);
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    cli.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    const auto parsed = cli.get_subcommands();
    report.text = parsed.empty() ? cli.help() : parsed.front()->help("machida recovery");
    return report;
  } catch (const CLI::ParseError& error) {
    report.error =
        fmt::format("machida recovery: {}\nRun with --help for more information.\n", error.what());
    report.status = kMistake;
    return report;
  }
  wanted.command = cli.get_subcommands().front()->get_name();
  wanted.keys = keys->count() > 0;
  try {
    look(wanted, report);
  } catch (const store::StoreError& error) {
    add_damage({error.what()}, report);
  }
  return report;
}

int recovery_main(int argc, const char* const* argv) {
  const RecoveryReport report = recovery_report(argc, argv);
  std::fputs(report.text.c_str(), stdout);
  std::fflush(stdout);
  std::fputs(report.error.c_str(), stderr);
  return report.status;
}

}  // namespace machida
