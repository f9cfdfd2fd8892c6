#include "server/options.h"

#include <doctest/doctest.h>

#include <vector>

using machida::Check;
using machida::ParsedOptions;

namespace {

ParsedOptions parse(std::vector<const char*> args) {
  args.insert(args.begin(), "machida");
  return machida::parse_options(static_cast<int>(args.size()), args.data());
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("what the server does not know goes to the application, in order, behind argv[0]") {
  const ParsedOptions parsed = parse({"--in", "h:1", "--application-module", "m", "-o=h:2",
                                      "--delay_ms=5", "--flag", "word", "--", "--on-error", "x"});
  CHECK_FALSE(parsed.exit);
  CHECK(parsed.options.application_module == "m");
  CHECK(parsed.options.application == Texts{"machida", "--in", "h:1", "-o=h:2", "--delay_ms=5",
                                            "--flag", "word", "--on-error", "x"});
}

TEST_CASE("the original's spellings work") {
  const ParsedOptions parsed = parse({"--application-module=m",
                                      "--max-frame-bytes",
                                      "1_000_000",
                                      "-m",
                                      "h:5001",
                                      "-c=h:1",
                                      "--data",
                                      "h:2",
                                      "-t",
                                      "-n",
                                      "w",
                                      "--worker-count=1",
                                      "--ponythreads",
                                      "1",
                                      "--ponynoblock",
                                      "--ponypinasio",
                                      "--ponyminthreads=2",
                                      "--unknown-keys=create",
                                      "--on-error",
                                      "stop",
                                      "--drain-timeout",
                                      "1.5",
                                      "-u",
                                      "2_000"});
  CHECK_FALSE(parsed.exit);
  CHECK(parsed.options.worker.frame_bytes_max == 1'000'000);
  CHECK(parsed.options.worker.drain_timeout_ms == 1500);
  CHECK(parsed.options.on_error == machida::flow::OnError::kStop);
  CHECK(parsed.options.application == Texts{"machida"});
}

TEST_CASE("--check has two forms and takes no word after it") {
  CHECK(parse({"--application-module", "m", "--check", "word"}).options.check == Check::kText);
  CHECK(parse({"--application-module", "m", "--check=json"}).options.check == Check::kJson);
  CHECK(parse({"--application-module", "m", "--check=xml"}).exit->status == 2);
  CHECK(parse({"--application-module", "m"}).options.check == Check::kNo);
}

TEST_CASE("the initializer's command line runs all workers, that of another worker none") {
  const auto workers = [](std::vector<const char*> words) {
    words.insert(words.begin(), {"--application-module", "m"});
    return parse(std::move(words)).options;
  };
  CHECK(workers({}).workers == 1);
  CHECK(workers({"--workers", "3"}).workers == 3);
  const auto first = workers({"--control", "h:1", "--data", "h:2", "--cluster-initializer",
                              "--worker-count", "2", "--name", "worker1"});
  CHECK(first.workers == 2);
  CHECK_FALSE(first.is_follower);
  CHECK(workers({"--control", "h:1", "--name", "worker2"}).is_follower);
  CHECK_FALSE(workers({"--control", "h:1", "--name", "one", "-t"}).is_follower);
  CHECK_FALSE(workers({"--control", "h:1"}).is_follower);
}

TEST_CASE("mistakes end with status 2, --help and --version with 0") {
  CHECK(parse({}).exit->status == 2);
  CHECK(parse({"--application-module", "m", "--on-error", "ignore"}).exit->status == 2);
  CHECK(parse({"--application-module", "m", "--max-frame-bytes", "many"}).exit->status == 2);
  CHECK(parse({"--application-module", "m", "--workers", "65"}).exit->status == 2);
  CHECK(parse({"--application-module", "m", "--workers", "2", "-w", "3"}).exit->status == 2);
  CHECK(parse({"--application-module", "m", "--join", "h:1"}).exit->status == 2);
  CHECK(parse({"--help"}).exit->status == 0);
  CHECK(parse({"-h"}).exit->status == 0);
  CHECK(parse({"--version"}).exit->text.starts_with("machida "));
}

TEST_CASE("of an option that is given twice the last one counts") {
  const auto o = parse({"--application-module",
                        "a",
                        "--application-module",
                        "b",
                        "--metrics",
                        "h:1",
                        "-m",
                        "h:2",
                        "-r",
                        "/one",
                        "--resilience-dir",
                        "/two",
                        "-n",
                        "x",
                        "--name=y",
                        "-w",
                        "3",
                        "-w=2",
                        "-t",
                        "-t"})
                     .options;
  CHECK(o.application_module == "b");
  CHECK(o.worker.resilience.directory == "/two");
  CHECK(o.workers == 2);
}

TEST_CASE("a number that is out of range is told in few words") {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--worker-count", "0"}, "--worker-count: '0' is no number above 0\n"},
      {{"--workers", "-1"}, "--workers: '-1' is no number above 0\n"},
      {{"--max-frame-bytes", "x"}, "--max-frame-bytes: 'x' is no number above 0\n"},
      {{"--drain-timeout", "-3"}, "--drain-timeout: '-3' is no number from 0 on\n"},
  };
  for (auto [words, said] : cases) {
    words.insert(words.begin(), {"--application-module", "m"});
    const auto exit = parse(words).exit;
    REQUIRE(exit);
    CHECK(exit->status == 2);
    CHECK(exit->text ==
          "machida: " + std::string(said) + "Run with --help for more information.\n");
  }
}

TEST_CASE("a configuration file that is the application's is told whose option --config is") {
  const auto exit = parse({"--application-module", "m", "--config", "my.ini"}).exit;
  REQUIRE(exit);
  CHECK(exit->text.find("my.ini' must be named .toml") != std::string::npos);
  CHECK(exit->text.find("behind --, as in -- --config my.ini\n") != std::string::npos);
}

TEST_CASE("checkpoints: where, how often, and the original's words") {
  const auto resilience = [](const std::vector<const char*>& more) {
    std::vector<const char*> words = {"--application-module", "m"};
    words.insert(words.end(), more.begin(), more.end());
    return parse(words).options.worker.resilience;
  };
  CHECK(resilience({}).directory.empty());
  CHECK(resilience({"-r", "/some/where"}).directory == "/some/where");
  CHECK(resilience({}).epoch_interval_ms == 1000);
  CHECK(resilience({"--epoch-interval", "0.05"}).epoch_interval_ms == 50);
  CHECK(resilience({"--time-between-checkpoints", "250_000_000"}).epoch_interval_ms == 250);
  CHECK(resilience({"--journal-bytes", "1_000"}).journal_bytes_max == 1000);
  CHECK(parse({"--application-module", "m", "--run-with-resilience"}).exit->status == 2);
}
