#include "server/config/interpolation.h"

#include <cctype>

namespace machida::config {
namespace {

bool is_name(const std::string& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0]))) return false;
  for (const unsigned char c : text)
    if (!std::isalnum(c) && c != '_') return false;
  return true;
}

class Text {
 public:
  Text(const Place& place, const Environment& environment, std::vector<Mistake>& mistakes)
      : place_(place), environment_(environment), mistakes_(mistakes) {}

  std::string resolve(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      if (text.compare(at, 2, "$$") == 0) {
        out += '$';
        at += 2;
      } else if (text.compare(at, 2, "${") == 0) {
        const std::size_t end = text.find('}', at);
        if (end == std::string::npos) {
          wrong("${ without a }; a dollar is written $$");
          return out;
        }
        out += variable(text.substr(at + 2, end - at - 2));
        at = end + 1;
      } else {
        out += text[at++];
      }
    }
    return out;
  }

 private:
  std::string variable(const std::string& inside) {
    const std::size_t dash = inside.find(":-");
    const std::string name = inside.substr(0, dash);
    if (!is_name(name)) {
      wrong("what is between ${ and } is no name of a variable; a dollar is written $$");
      return "";
    }
    const std::optional<std::string> value = environment_(name);
    if (dash != std::string::npos && (!value || value->empty())) return inside.substr(dash + 2);
    if (!value) wrong("the environment variable " + name + " is not set");
    return value.value_or("");
  }

  void wrong(std::string what) { mistakes_.push_back({place_, std::move(what)}); }

  const Place& place_;
  const Environment& environment_;
  std::vector<Mistake>& mistakes_;
};

}  // namespace

void interpolate(Value& value, const Environment& environment, std::vector<Mistake>& mistakes) {
  if (auto* text = std::get_if<std::string>(&value.is)) {
    *text = Text(value.place, environment, mistakes).resolve(*text);
  } else if (auto* list = std::get_if<Value::List>(&value.is)) {
    for (Value& item : *list) interpolate(item, environment, mistakes);
  } else if (auto* table = std::get_if<Value::Table>(&value.is)) {
    for (Entry& entry : *table) interpolate(entry.value, environment, mistakes);
  }
}

}  // namespace machida::config
