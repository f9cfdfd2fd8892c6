#include <yaml-cpp/yaml.h>

#include <charconv>
#include <set>
#include <string>

#include "server/config/formats.h"

namespace machida::config {
namespace {

Place place_of(const YAML::Mark& mark) {
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

// What an unquoted scalar is, by YAML 1.2's core schema.
void read_plain(const YAML::Node& node, Value& value) {
  const std::string& text = node.Scalar();
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return;
  if (text == "true" || text == "True" || text == "TRUE") {
    value.is = true;
  } else if (text == "false" || text == "False" || text == "FALSE") {
    value.is = false;
  } else if (std::int64_t integer = 0;
             std::from_chars(text.data() + (text[0] == '+'), text.data() + text.size(), integer) ==
             std::from_chars_result{text.data() + text.size(), std::errc()}) {
    value.is = integer;
  } else if (double number = 0; YAML::convert<double>::decode(node, number)) {
    value.is = number;
  } else {
    value.is = text;
  }
}

class Reader {
 public:
  explicit Reader(std::vector<Mistake>& mistakes) : mistakes_(mistakes) {}

  Value read(const YAML::Node& node) {
    Value value;
    value.place = place_of(node.Mark());
    if (++depth_ > kDepthMax) {  // aliases may even go in a circle
      mistakes_.push_back({value.place, "tables and lists are nested too deeply"});
    } else if (node.IsMap()) {
      value.is = table(node);
    } else if (node.IsSequence()) {
      Value::List items;
      for (const YAML::Node& child : node) items.push_back(read(child));
      value.is = std::move(items);
    } else if (node.IsScalar() && node.Tag() == "?") {
      read_plain(node, value);
    } else if (node.IsScalar()) {
      value.is = node.Scalar();
    }
    --depth_;
    return value;
  }

 private:
  static constexpr int kDepthMax = 32;

  Value::Table table(const YAML::Node& node) {
    Value::Table entries;
    std::set<std::string> seen;
    for (const auto& pair : node) {
      const Place place = place_of(pair.first.Mark());
      if (!pair.first.IsScalar()) {
        mistakes_.push_back({place, "a key must be a text"});
        continue;
      }
      const std::string& key = pair.first.Scalar();
      if (!seen.insert(key).second)
        mistakes_.push_back({place, "the key '" + key + "' is there twice"});
      entries.push_back({key, place, read(pair.second)});
    }
    return entries;
  }

  std::vector<Mistake>& mistakes_;
  int depth_ = 0;
};

}  // namespace

Value read_yaml(std::string_view text, std::vector<Mistake>& mistakes) {
  try {
    return Reader(mistakes).read(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    mistakes.push_back({place_of(error.mark), error.msg});
    return {};
  }
}

}  // namespace machida::config
