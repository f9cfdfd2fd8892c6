#include "server/plan/sink_sections.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "embed/value.h"

namespace machida::plan {
namespace {

using embed::Gil;
using embed::Object;

const config::Entry* find(const config::Value::Table& sections, const std::string& name) {
  const auto found =
      std::find_if(sections.begin(), sections.end(),
                   [&name](const config::Entry& section) { return section.key == name; });
  return found == sections.end() ? nullptr : &*found;
}

config::Place place_of(const Gil& gil, const config::Entry& section, const Object& key) {
  if (embed::is_none(key)) return section.place;
  const std::string name = embed::str(gil, key);
  for (const config::Entry& entry : *section.value.table())
    if (entry.key == name) return entry.place;
  return section.place;
}

void ask_sink(const Gil& gil, const StorageSinkSpec& sink, const config::Entry& section,
              config::Configuration& config) {
  const Object ask = embed::imported(gil, "wallaroo.storage.runtime", "section_mistakes");
  const Object found =
      embed::call(gil, ask, sink.sink, embed::make_str(gil, config::to_json(section.value)));
  for (const Object& pair : embed::items(gil, found)) {
    const std::vector<Object> parts = embed::items(gil, pair);
    config.wrong(place_of(gil, section, parts[0]),
                 "streaming.sinks." + section.key + ": " + embed::str(gil, parts[1]));
  }
}

std::string listed(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<UsedSink> storage_sinks_of(const Plan& plan) {
  std::vector<UsedSink> sinks;
  for (const PipelineSpec& pipeline : plan.pipelines)
    for (const SinkSpec& sink : pipeline.sinks)
      if (const auto* storage = std::get_if<StorageSinkSpec>(&sink.to))
        sinks.push_back({*storage, "pipeline '" + pipeline.name + "'"});
  return sinks;
}

void check_sink_sections(const Gil& gil, const std::vector<UsedSink>& sinks,
                         config::Configuration& config) {
  if (!config.has_file()) return;
  std::set<std::string> names;
  for (const auto& [sink, where] : sinks) {
    if (sink.name.empty()) continue;
    names.insert(sink.name);
    if (const config::Entry* section = find(config.sinks(), sink.name))
      ask_sink(gil, sink, *section, config);
    else
      config.wrong(config.sinks_place(), "there is no section streaming.sinks." + sink.name +
                                             ", which the sink " + sink.type + " of " + where +
                                             " needs");
  }
  for (const config::Entry& section : config.sinks())
    if (!names.contains(section.key))
      config.wrong(section.place,
                   "streaming.sinks." + section.key +
                       ": no storage sink has this name; there are: " + listed(names));
}

}  // namespace machida::plan
