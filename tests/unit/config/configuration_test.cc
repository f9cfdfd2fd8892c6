#include "server/config/configuration.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "server/config/formats.h"
#include "server/options.h"

using namespace machida;

namespace {

using Texts = std::vector<std::string>;

std::optional<std::string> environment(const std::string& name) {
  static const std::map<std::string, std::string> kVariables = {
      {"USER", "ann"}, {"SECRET", "s3cret"}, {"EMPTY", ""}};
  const auto found = kVariables.find(name);
  if (found == kVariables.end()) return std::nullopt;
  return found->second;
}

// A file of a directory of its own.
class File {
 public:
  File(const std::string& name, const std::string& text) {
    std::string pattern = std::filesystem::temp_directory_path() / "config-test-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ / name;
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove_all(directory_); }
  std::string path() const { return path_.string(); }
  // "FILE" in place of the path.
  Texts shortened(Texts lines) const {
    for (std::string& line : lines)
      if (line.starts_with(path())) line = "FILE" + line.substr(path().size());
    return lines;
  }

 private:
  std::filesystem::path directory_, path_;
};

Texts mistakes_of(const std::string& name, const std::string& text) {
  const File file(name, text);
  return file.shortened(config::Configuration(file.path(), environment).mistakes());
}

std::string sinks_of(const std::string& name, const std::string& text) {
  const File file(name, text);
  const config::Configuration read(file.path(), environment);
  CHECK(read.mistakes() == Texts{});
  return config::to_json(read.sinks());
}

ParsedOptions parse(const File& file, std::vector<const char*> args = {}) {
  const std::string path = file.path();
  std::vector<const char*> all = {"machida", "--config", path.c_str()};
  all.insert(all.end(), args.begin(), args.end());
  return parse_options(static_cast<int>(all.size()), all.data(), environment);
}

}  // namespace

TEST_CASE("TOML and YAML give the same sections") {
  const std::string expected =
      R"({"orders":{"url":"pg://ann:s3cret@h","size":5,"share":0.5,"on":true,"tags":["a","b"]}})";
  CHECK(sinks_of("c.yaml", R"(
streaming:
  sinks:
    orders:
      url: pg://${USER}:${SECRET}@h
      size: 5
      share: 0.5
      on: true
      tags: [a, "b"]
)") == expected);
  const std::string toml = sinks_of("c.toml", R"(
[streaming.sinks.orders]
url = "pg://${USER}:${SECRET}@h"
size = 5
share = 0.5
on = true
tags = ["a", "b"]
)");
  CHECK(toml.size() == expected.size());  // its tables have an order of their own
  CHECK(toml.find(R"("url":"pg://ann:s3cret@h")") != std::string::npos);
}

TEST_CASE("YAML's plain scalars have the types of the core schema, quoted ones are texts") {
  CHECK(sinks_of("c.yml", R"(
streaming:
  sinks: {a: {i: -3, f: 1e3, t: true, n: ~, e: , s: "3", v: 1.2.3, y: yes, d: 2026-01-02}}
)") == R"({"a":{"i":-3,"f":1000.0,"t":true,"n":null,"e":null,"s":"3","v":"1.2.3","y":"yes",)"
       R"("d":"2026-01-02"}})");
}

TEST_CASE("numbers that are not finite are handed on as Python writes them") {
  const std::string expected = R"({"a":{"w":1.5,"x":Infinity,"y":-Infinity,"z":NaN}})";
  CHECK(sinks_of("c.toml", "[streaming.sinks.a]\nw = 1.5\nx = inf\ny = -inf\nz = nan") == expected);
  CHECK(sinks_of("c.yaml", "streaming: {sinks: {a: {w: 1.5, x: .inf, y: -.inf, z: .nan}}}") ==
        expected);
}

TEST_CASE("a default stands in for a variable that is not set or empty") {
  CHECK(sinks_of("c.toml",
                 "[streaming.sinks.a]\nx = '${NONE:-a b}-${EMPTY:-e}-${EMPTY}-${USER:-no}'") ==
        R"({"a":{"x":"a b-e--ann"}})");
  CHECK(sinks_of("c.toml", "[streaming.sinks.a]\nx = '$${USER} 5$$ $x'") ==
        R"({"a":{"x":"${USER} 5$ $x"}})");
}

TEST_CASE("all mistakes of a file are told at once, with their places") {
  CHECK(mistakes_of("c.toml", R"([streaming.sinks.a]
x = "${NONE}"
[streaming]
sources = 1
[other]
[streaming.sinks]
b = 3
)") == Texts{"FILE:2:5: the environment variable NONE is not set",
             "FILE:4:1: unknown section 'streaming.sources'; known: streaming.sinks",
             "FILE:5:2: unknown section 'other'; known: server, streaming",
             "FILE:7:1: 'streaming.sinks.b' must be a table, not an integer"});
}

TEST_CASE("a secret is not in a mistake") {
  for (const std::string& line :
       mistakes_of("c.toml", "[streaming.sinks]\na = '${SECRET}'\n[server]\nx = '${SECRET'"))
    CHECK(line.find("s3cret") == std::string::npos);
}

TEST_CASE("broken syntax is told with its place") {
  const Texts toml = mistakes_of("c.toml", "[server]\nx = = 1\n");
  REQUIRE(toml.size() == 1);
  CHECK(toml[0].starts_with("FILE:2:5: "));
  const Texts yaml = mistakes_of("c.yaml", "server:\n  x: [1, 2\n");
  REQUIRE(yaml.size() == 1);
  CHECK(yaml[0].starts_with("FILE:3:1: "));
  CHECK(mistakes_of("c.yaml", "server:\n  x: 1\n  x: 2\n") ==
        Texts{"FILE:3:3: the key 'x' is there twice"});
  CHECK(mistakes_of("c.yaml", "- a\n") ==
        Texts{"FILE:1:1: the file must hold a table, not a list"});
}

TEST_CASE("an empty file configures nothing") {
  CHECK(sinks_of("c.toml", "") == "{}");
  CHECK(sinks_of("c.yaml", "# nothing\n") == "{}");
}

TEST_CASE("a YAML alias that goes in a circle is a mistake") {
  const Texts found = mistakes_of("c.yaml", "streaming: &a\n  sinks: {x: {y: *a}}\n");
  CHECK_FALSE(found.empty());
}

TEST_CASE("the section server sets options, the command line wins") {
  const File file("c.toml", R"([server]
application-module = "shop"
epoch_interval = 0.25
max-frame-bytes = "1_000"
sink-retries = "${NONE:-7}"
recover-damaged = true
on-error = "stop"
)");
  const ParsedOptions parsed = parse(file, {"--on-error", "dead-letter", "--in", "h:1"});
  CHECK_FALSE(parsed.exit);
  const Options& options = parsed.options;
  CHECK(options.config.mistakes() == Texts{});
  CHECK(options.application_module == "shop");
  CHECK(options.worker.resilience.epoch_interval_ms == 250);
  CHECK(options.worker.frame_bytes_max == 1000);
  CHECK(options.worker.storage.retries == 7);
  CHECK(options.worker.resilience.accept_damage);
  CHECK(options.on_error == flow::OnError::kDeadLetter);
  CHECK(options.application == Texts{"machida", "--in", "h:1"});
}

TEST_CASE("the command line's epoch interval wins over the file's other word for it") {
  const File file("c.yaml", "server: {time-between-checkpoints: 5000000}");
  CHECK(parse(file, {"--application-module", "m", "--epoch-interval", "2"})
            .options.worker.resilience.epoch_interval_ms == 2000);
  CHECK(parse(file, {"--application-module", "m"}).options.worker.resilience.epoch_interval_ms ==
        5);
}

TEST_CASE("wrong options in a file are told with their places, also when they are overridden") {
  const File file("c.yaml", R"(server:
  epoch-interval: soon
  on-error: panic
  drain-timeout: [1]
  help: true
  no-such: 1
)");
  const ParsedOptions parsed = parse(file, {"--application-module", "m", "--on-error", "stop"});
  CHECK_FALSE(parsed.exit);  // the application's sinks are still to be asked
  const Texts lines = file.shortened(parsed.options.config.mistakes());
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] ==
        "FILE:2:19: 'epoch-interval' takes FLOAT:POSITIVE: seconds between checkpoints");
  CHECK(lines[1].starts_with("FILE:3:13: 'on-error' takes TEXT:{dead-letter,stop}: "));
  CHECK(lines[2].starts_with("FILE:4:18: 'drain-timeout' takes "));
  CHECK(lines[3] == "FILE:5:3: the server has no option 'help'");
  CHECK(lines[4] == "FILE:6:3: the server has no option 'no-such'");
}

TEST_CASE("a file that can't be read, or of another format, ends the start") {
  for (const char* name : {"/nonexistent/c.toml", "/dev/null/c.yaml", "c.json"}) {
    const char* args[] = {"machida", "--config", name, "--application-module", "m"};
    const ParsedOptions parsed = parse_options(5, args, environment);
    REQUIRE(parsed.exit);
    CHECK(parsed.exit->status == 2);
    CHECK(parsed.exit->text.find(name) != std::string::npos);
  }
}
