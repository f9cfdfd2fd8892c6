// The command line: the server's own options and, untouched, the application's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/base/log.h"
#include "server/config/configuration.h"
#include "server/flow/dead_letter_log.h"
#include "server/worker/worker.h"

namespace machida {

inline constexpr std::uint32_t kWorkersMax = 64;

enum class Check { kNo, kText, kJson };

struct Options {
  std::string application_module;
  Check check = Check::kNo;
  worker::WorkerOptions worker;
  std::uint32_t workers = 1;
  bool workers_given = false;        // also a single one is supervised then
  std::optional<HostPort> external;  // where `machida scale` may ask
  // The command line of one of several workers as the original started them: the process of the
  // initializer runs them all.
  bool is_follower = false;
  flow::OnError on_error = flow::OnError::kDeadLetter;
  std::string dead_letters_file;  // empty: none
  log::Level log_level = log::Level::kInfo;
  std::string venv;                      // empty: from the environment
  config::Configuration config;          // of --config; its mistakes are still to be reported
  std::vector<std::string> application;  // argv[0] and what the server does not know, in order
  std::vector<std::string> doubts;       // about what goes to the application: lines for the log
};

// What the process shall end with at once: after --help, --version or a mistake.
struct Exit {
  int status;
  std::string text;  // for standard output if status is 0, for standard error otherwise
};

struct ParsedOptions {
  Options options;
  std::optional<Exit> exit;
};

// Option names, short forms and leniency as in the original: `--opt v`, `--opt=v`, `-o v`, `-o=v`,
// integers with `_`, `--pony*` ignored, unknown options left to the application.
// `environment`: for ${VAR} in the file that --config names. What its section `server` sets and the
// command line does not is used as if it stood there.
ParsedOptions parse_options(int argc, const char* const* argv,
                            const config::Environment& environment = {});

}  // namespace machida
