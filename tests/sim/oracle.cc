#include "tests/sim/oracle.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "embed/pickling.h"
#include "embed/value.h"
#include "server/checkpoint/state_rows.h"
#include "server/worker/in_process.h"

namespace machida::sim {
namespace {

constexpr std::size_t kFrameBytesMax = 1000;

std::vector<std::string> outputs_of(const worker::InProcess& run, std::size_t pipeline) {
  std::vector<std::string> texts;
  for (const worker::Output& output : run.outputs(pipeline, 0)) texts.push_back(output.value);
  return texts;
}

// A one-worker run, without epochs.
void feed(const embed::Gil& gil, const World& world, worker::InProcess& run) {
  std::vector<std::optional<std::string_view>> messages;
  for (const Broker::Partition& partition : world.broker().partitions())
    for (const Broker::Message& message : partition) messages.emplace_back(message.text);
  run.feed_frames(gil, kLogPipeline, messages);
  if (!world.scenario().application->has_clients) return;
  const std::vector<std::string> accepted = world.clients().all_accepted();
  run.feed_frames(gil, kClientPipeline, {accepted.begin(), accepted.end()});
}

std::string compare_exactly(std::vector<std::string> got, std::vector<std::string> wanted) {
  std::sort(got.begin(), got.end());
  std::sort(wanted.begin(), wanted.end());
  std::vector<std::string> missing, surplus;
  std::set_difference(wanted.begin(), wanted.end(), got.begin(), got.end(),
                      std::back_inserter(missing));
  std::set_difference(got.begin(), got.end(), wanted.begin(), wanted.end(),
                      std::back_inserter(surplus));
  if (!missing.empty())
    return fmt::format("{} of {} outputs are missing: '{}'", missing.size(), wanted.size(),
                       missing.front());
  if (!surplus.empty())
    return fmt::format("{} outputs are unknown or doubled: '{}'", surplus.size(), surplus.front());
  return {};
}

// Nothing is missing and nothing is unknown; doubled after a crash only.
std::string compare_at_least(const World& world, const std::vector<std::string>& wanted) {
  std::vector<std::string> got;
  for (const std::string& output : world.clients().outputs) {
    const std::string chain = output.substr(0, output.find(' '));
    if (!world.clients().lost().contains(chain.substr(0, chain.find('/')))) got.push_back(output);
  }
  std::vector<std::string> known;
  for (const std::string& output : wanted) {
    const std::string chain = output.substr(0, output.find(' '));
    if (!world.clients().lost().contains(chain.substr(0, chain.find('/')))) known.push_back(output);
  }
  if (world.has_crashed()) {
    std::sort(got.begin(), got.end());
    got.erase(std::unique(got.begin(), got.end()), got.end());
  }
  return compare_exactly(std::move(got), std::move(known));
}

std::string compare_order(const std::vector<std::string>& outputs) {
  std::map<std::string, std::int64_t> last;
  for (const std::string& output : outputs) {
    const std::size_t space = output.find(' ');
    const std::int64_t n = std::stoll(output.substr(space + 1));
    const auto [chain, is_new] = last.try_emplace(output.substr(0, space), -1);
    if (n <= chain->second)
      return fmt::format("'{}' came behind number {} of its chain", output, chain->second);
    chain->second = n;
  }
  return {};
}

// "state key" -> the state as text.
using States = std::map<std::string, std::string>;

std::string text_of(const embed::Gil& gil, const embed::Object& state) {
  std::vector<std::string> entries;  // a dict's order is that of its first insertions
  for (const auto& [key, value] : embed::dict_items(gil, state))
    entries.push_back(embed::repr(gil, key) + embed::repr(gil, value));
  std::sort(entries.begin(), entries.end());
  std::string text;
  for (const std::string& entry : entries) text += entry + " ";
  return text;
}

States states_of(const embed::Gil& gil, const worker::InProcess& run) {
  States states;
  for (const auto& table : run.assembly().states())
    for (const auto& [key, state] : embed::dict_items(gil, table->snapshot(gil)))
      if (std::string text = text_of(gil, state); !text.empty())
        states[table->name() + " " + embed::repr(gil, key)] = std::move(text);
  return states;
}

std::string stored_states(const embed::Gil& gil, Disk& disk, States& states) {
  const embed::Pickling pickling(gil);
  std::string twice;
  for (std::uint32_t i = 0; i < disk.workers(); ++i)
    disk.open_store(i)->read_states(
        [&](std::string_view state, const store::Key& key, std::string_view value) {
          const embed::Object object = checkpoint::key_from(gil, pickling, key);
          const std::string name = std::string(state) + " " + embed::repr(gil, object);
          if (!states.emplace(name, text_of(gil, pickling.load(gil, value))).second) twice = name;
        });
  return twice.empty() ? "" : "two workers have the state " + twice;
}

std::string compare_states(const States& got, const States& wanted) {
  for (const auto& [name, text] : wanted) {
    const auto found = got.find(name);
    if (found == got.end()) return "the state " + name + " is missing";
    if (found->second != text)
      return fmt::format("the state {} is {}, not {}", name, found->second, text);
  }
  for (const auto& [name, text] : got)
    if (!wanted.contains(name) && !text.empty()) return "the state " + name + " is unknown";
  return {};
}

}  // namespace

std::string judge(const embed::Gil& gil, World& world) {
  const Application& application = *world.scenario().application;
  worker::InProcess alone(gil, application.plan, worker::UnknownKeyPolicy::kDrop, kFrameBytesMax);
  feed(gil, world, alone);
  const std::vector<std::string>& visible = world.broker().visible();
  if (std::string why = compare_exactly(visible, outputs_of(alone, kLogPipeline)); !why.empty())
    return "to Kafka: " + why;
  if (application.in_order)
    if (std::string why = compare_order(visible); !why.empty()) return "to Kafka: " + why;
  if (application.has_clients)
    if (std::string why = compare_at_least(world, outputs_of(alone, kClientPipeline)); !why.empty())
      return "to TCP: " + why;
  States got;
  if (std::string why = stored_states(gil, world.disk(), got); !why.empty()) return why;
  return compare_states(got, states_of(gil, alone));
}

}  // namespace machida::sim
