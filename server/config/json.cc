#include <nlohmann/json.hpp>

#include "server/config/configuration.h"

namespace machida::config {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Value& value);

Json json_of(const Value::Table& table) {
  Json object = Json::object();
  for (const Entry& entry : table) object[entry.key] = json_of(entry.value);
  return object;
}

struct ToJson {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(bool flag) const { return flag; }
  Json operator()(std::int64_t integer) const { return integer; }
  Json operator()(double number) const { return number; }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(const Value::List& list) const {
    Json array = Json::array();
    for (const Value& item : list) array.push_back(json_of(item));
    return array;
  }
  Json operator()(const Value::Table& table) const { return json_of(table); }
};

Json json_of(const Value& value) { return std::visit(ToJson(), value.is); }

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const Value& value) { return dump(json_of(value)); }
std::string to_json(const Value::Table& table) { return dump(json_of(table)); }

}  // namespace machida::config
