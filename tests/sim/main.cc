// Usage: sim [--seeds FROM COUNT | --seed N] [--trace] [--disk DIRECTORY]
//
// Runs seeds, 2,000 without arguments, and says which fail and how to see one of them again. Each
// run is judged by a one-worker run of the same input; one in fifty runs twice and must do the same
// twice. --trace prints what happens. --disk has the workers use real stores and journals, in
// directories of their own within that one, instead of memory. Exit status: 0 when no seed failed.
#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/interpreter.h"
#include "server/base/log.h"
#include "tests/sim/application.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

namespace {

using namespace machida;

constexpr std::uint64_t kSeeds = 2'000, kFailuresMax = 10, kTwiceOneIn = 50;
constexpr unsigned kSeedSecondsMax = 600;  // thousands of times what one takes

struct Options {
  std::uint64_t from = 0, count = kSeeds;
  sim::Scheduler::Trace trace = sim::Scheduler::Trace::kSilent;
  std::string disk;
};

// What an invariant that breaks has to say last; a signal handler can't format.
char last_words[200];

void say_last_words() {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, last_words, std::strlen(last_words));
}

void on_abort(int) { say_last_words(); }

// An event that never ends: the world counts events only.
void on_alarm(int) {
  say_last_words();
  _exit(1);
}

struct Outcome {
  std::string failure;
  std::uint64_t hash = 0, events = 0;
};

Outcome run(const embed::Gil& gil, const Options& options, std::uint64_t seed,
            const std::vector<sim::Application>& applications) {
  std::string directory;
  if (!options.disk.empty()) {
    directory = options.disk + "/" + std::to_string(seed);
    std::filesystem::remove_all(directory);
  }
  Outcome outcome;
  {
    sim::World world(seed, applications, options.trace, directory);
    outcome.failure = world.run(gil);
    if (outcome.failure.empty()) outcome.failure = sim::judge(gil, world);
    outcome.hash = world.scheduler().hash();
    outcome.events = world.scheduler().events();
  }
  if (!directory.empty()) std::filesystem::remove_all(directory);
  return outcome;
}

int run_all(const Options& options, const char* program) {
  const embed::GilLock gil;
  const std::vector<sim::Application> applications = sim::applications(gil);
  std::uint64_t failures = 0, events = 0;
  for (std::uint64_t seed = options.from; seed < options.from + options.count; ++seed) {
    const std::string again =
        fmt::format("seed {} failed; again: {} --seed {} --trace{}\n", seed, program, seed,
                    options.disk.empty() ? "" : " --disk " + options.disk);
    std::strncpy(last_words, again.c_str(), sizeof last_words - 1);
    alarm(kSeedSecondsMax);
    Outcome outcome = run(gil, options, seed, applications);
    events += outcome.events;
    if (outcome.failure.empty() && seed % kTwiceOneIn == 0 &&
        run(gil, options, seed, applications).hash != outcome.hash)
      outcome.failure = "the same seed did something else the second time";
    if (outcome.failure.empty()) continue;
    fmt::print(stderr, "{}  {}\n", again, outcome.failure);
    if (++failures == kFailuresMax) break;
  }
  fmt::print("{} seeds from {} on, {} events: {} failed\n", options.count, options.from, events,
             failures);
  return failures == 0 ? 0 : 1;
}

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t number = 0;
  const char* end = text + std::strlen(text);
  const auto read = std::from_chars(text, end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto next_number = [&] { return ++i < argc ? number(argv[i]) : std::nullopt; };
    if (word == "--trace") {
      options.trace = sim::Scheduler::Trace::kPrinted;
    } else if (word == "--disk" && i + 1 < argc) {
      options.disk = argv[++i];
    } else if (word == "--seed" || word == "--seeds") {
      const std::optional<std::uint64_t> from = next_number();
      const std::optional<std::uint64_t> count = word == "--seed" ? 1 : next_number();
      if (!from || !count) return std::nullopt;
      options.from = *from;
      options.count = *count;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Options> options = read_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: {} [--seeds FROM COUNT | --seed N] [--trace] [--disk DIRECTORY]\n",
               argv[0]);
    return 2;
  }
  std::signal(SIGABRT, on_abort);
  std::signal(SIGALRM, on_alarm);
  if (options->trace == sim::Scheduler::Trace::kSilent) log::set_level(log::Level::kNone);
  if (!options->disk.empty()) std::filesystem::create_directories(options->disk);
  const embed::Interpreter interpreter({});
  return run_all(*options, argv[0]);
}
