#include "server/flow/dead_letter_log.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "embed/value.h"
#include "server/base/log.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

std::vector<nlohmann::json> lines_of(const std::string& file) {
  std::vector<nlohmann::json> out;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) out.push_back(nlohmann::json::parse(line));
  return out;
}

}  // namespace

TEST_CASE("a dead letter is a JSON line with place, error, traceback and input") {
  const embed::GilLock gil;
  const std::string file = std::filesystem::temp_directory_path() /
                           ("dead-letters-" + std::to_string(getpid()) + ".jsonl");
  metrics::Registry metrics;
  log::set_level(log::Level::kError);
  {
    flow::DeadLetterLog letters(metrics, flow::OnError::kDeadLetter, file);
    const embed::PythonError error("ValueError", "no \xff", "Traceback…\n");
    letters.add(gil, {"p", "s"}, error, testing::python(gil, "it = b'\\xff\\x00'").get());
    letters.add(gil, {"p", "s"}, error, testing::python(gil, "it = {'a': 1}").get());
  }
  const std::vector<nlohmann::json> lines = lines_of(file);
  std::filesystem::remove(file);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["pipeline"] == "p");
  CHECK(lines[0]["step"] == "s");
  CHECK(lines[0]["error"].get<std::string>().starts_with("ValueError: no "));
  CHECK(lines[0]["traceback"] == "Traceback…\n");
  CHECK(lines[0]["input"] == "b'\\xff\\x00'");
  CHECK(lines[0]["input_base64"] == "/wA=");
  CHECK(lines[0]["time"].get<std::string>().ends_with("Z"));
  CHECK(lines[1]["input"] == "{'a': 1}");
  CHECK_FALSE(lines[1].contains("input_base64"));
  CHECK(metrics.total(flow::DeadLetterLog::kCounter) == 2);
}

TEST_CASE("with the policy stop the first failure ends the run") {
  const embed::GilLock gil;
  metrics::Registry metrics;
  flow::DeadLetterLog letters(metrics, flow::OnError::kStop, "");
  CHECK_THROWS_AS(letters.add(gil, {"p", "s"}, embed::wrong_result("no"), embed::none(gil).get()),
                  flow::StopOnError);
}

TEST_CASE("a dead-letter file that can't be opened is said at once") {
  metrics::Registry metrics;
  CHECK_THROWS_AS(flow::DeadLetterLog(metrics, flow::OnError::kStop, "/nowhere/at/all"),
                  std::runtime_error);
}
