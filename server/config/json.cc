#include <cmath>
#include <nlohmann/json.hpp>

#include "server/config/configuration.h"

namespace machida::config {
namespace {

template <class T>
std::string scalar(const T& value) {
  using Json = nlohmann::json;
  return Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct ToJson {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool flag) const { return scalar(flag); }
  std::string operator()(std::int64_t integer) const { return scalar(integer); }
  std::string operator()(double number) const {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
    return scalar(number);
  }
  std::string operator()(const std::string& text) const { return scalar(text); }
  std::string operator()(const Value::List& list) const {
    std::string out;
    for (const Value& item : list) out += (out.empty() ? "" : ",") + to_json(item);
    return "[" + out + "]";
  }
  std::string operator()(const Value::Table& table) const {
    std::string out;
    for (const Entry& entry : table)
      out += (out.empty() ? "" : ",") + scalar(entry.key) + ":" + to_json(entry.value);
    return "{" + out + "}";
  }
};

}  // namespace

std::string to_json(const Value& value) { return std::visit(ToJson(), value.is); }
std::string to_json(const Value::Table& table) { return ToJson()(table); }

}  // namespace machida::config
