#include <toml++/toml.h>

#include <sstream>

#include "server/config/formats.h"

namespace machida::config {
namespace {

Place place_of(const toml::source_region& source) {
  return {source.begin.line, source.begin.column};
}

// Dates and times are texts, as written.
template <class T>
std::string text_of(const T& moment) {
  std::ostringstream out;
  out << moment;
  return out.str();
}

Value value_of(const toml::node& node) {
  Value value;
  value.place = place_of(node.source());
  if (const toml::table* table = node.as_table()) {
    Value::Table entries;
    for (const auto& [key, child] : *table)
      entries.push_back({std::string(key.str()), place_of(key.source()), value_of(child)});
    value.is = std::move(entries);
  } else if (const toml::array* array = node.as_array()) {
    Value::List items;
    for (const toml::node& child : *array) items.push_back(value_of(child));
    value.is = std::move(items);
  } else if (const auto* text = node.as_string()) {
    value.is = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.is = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.is = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    value.is = flag->get();
  } else if (const auto* date = node.as_date()) {
    value.is = text_of(date->get());
  } else if (const auto* time = node.as_time()) {
    value.is = text_of(time->get());
  } else if (const auto* moment = node.as_date_time()) {
    value.is = text_of(moment->get());
  }
  return value;
}

}  // namespace

Value read_toml(std::string_view text, std::vector<Mistake>& mistakes) {
  try {
    return value_of(toml::parse(text));
  } catch (const toml::parse_error& error) {
    mistakes.push_back({place_of(error.source()), std::string(error.description())});
    return {};
  }
}

}  // namespace machida::config
