#include "server/missing_module.h"

#include "server/base/log.h"
#include "server/near_word.h"

namespace machida {

std::string missing_module(const std::vector<std::string>& words,
                           const std::vector<std::string>& doubts) {
  const std::string text = "You must provide Machida with --application-module";
  if (words.empty()) return text + " NAME; a dataflow is started by `machida run MODULE:FLOW`";
  for (const std::string& doubt : doubts)
    if (doubt.find("--application-module") != std::string::npos) return text + ": " + doubt;
  const std::string& first = words.front();
  if (first.starts_with("-")) return text;
  const std::string command = near_word(first, {"run", "recovery", "scale"});
  if (!command.empty())
    return fmt::format("{}; there is no command '{}': did you mean `machida {}`?", text, first,
                       command);
  if (first.find(':') != std::string::npos)
    return fmt::format("{}; a dataflow is started by `machida run {}`", text, first);
  const std::string module = first.ends_with(".py") ? first.substr(0, first.size() - 3) : first;
  return fmt::format("{}: write `machida --application-module {} ...`", text, module);
}

}  // namespace machida
