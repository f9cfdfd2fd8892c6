// The `machida` binary: command line, interpreter, application, worker. The only place that reads
// the environment.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embed/application.h"
#include "embed/error.h"
#include "embed/interpreter.h"
#include "embed/value.h"
#include "embed/venv.h"
#include "server/admin.h"
#include "server/base/log.h"
#include "server/end_in_time.h"
#include "server/flow/dead_letter_log.h"
#include "server/inquiry.h"
#include "server/options.h"
#include "server/paths.h"
#include "server/plan/describe.h"
#include "server/plan/mistakes.h"
#include "server/plan/sink_sections.h"
#include "server/plan/topology_reader.h"
#include "server/recovery.h"
#include "server/seat_text.h"
#include "server/supervise.h"
#include "server/uv/child.h"
#include "server/uv/loop.h"
#include "server/worker/reshard.h"
#include "server/worker/worker.h"

extern "C" _object* PyInit__machida();  // module.cc

namespace machida {
namespace {

constexpr int kFailed = 1;
constexpr int kMistake = 2;  // of the application or on the command line: nothing was started
constexpr int kRefused = 4;  // the resilience directory can't be used: nothing was started
constexpr const char* kHashSeed = "PYTHONHASHSEED";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Partition functions may use hash(), and states are found again by what they return: every process
// and every start has the same seed, which is the user's if that is a number.
void fix_hash_seed() {
  const std::string users = environment(kHashSeed);
  if (users.empty() || users == "random") ::setenv(kHashSeed, "0", 1);
}

// What a burst needed, the next one needs again: taking fresh pages for every batch of messages
// cost a fifth of the processor time between Kafka topics. Queues are bounded, so this is too.
void keep_freed_memory() {
  constexpr int kBytesKeptMax = 256 << 20;
  constexpr int kBytesMappedMin = 32 << 20;  // glibc's largest
  mallopt(M_TRIM_THRESHOLD, kBytesKeptMax);
  mallopt(M_MMAP_THRESHOLD, kBytesMappedMin);
}

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// `venv` (of --venv), MACHIDA_VENV, VIRTUAL_ENV, the environment that the server is installed in,
// or the python that it was built with.
std::string python_program(const std::string& venv) {
  for (const std::string& directory :
       {venv, environment("MACHIDA_VENV"), environment("VIRTUAL_ENV"), own_venv()}) {
    if (directory.empty()) continue;
    return embed::open_venv(directory).python;
  }
  return std::filesystem::exists(kBuildPython) ? kBuildPython : "";
}

// Python can't be ended while a thread is in it: what it has printed is written out.
[[noreturn]] void end_at_once(int status) {
  {
    const embed::GilLock gil;
    try {
      const embed::Object out = embed::imported(gil, "sys", "stdout");
      embed::call(gil, *embed::find_attribute(gil, out, "flush"));
    } catch (const embed::PythonError& error) {
      log::error("standard output can't be flushed: {}", error.what());
    }
  }
  std::fflush(nullptr);
  std::_Exit(status);
}

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (!value) return std::nullopt;
  return value;
}

// Reports what is wrong with the configuration file. False: nothing is.
bool has_mistakes(config::Configuration& config) {
  std::string text;
  for (const std::string& mistake : config.mistakes()) text += "\n  " + mistake;
  if (!text.empty()) log::error("the configuration can't be used:{}", text);
  return !text.empty();
}

// Where a path leads, whatever directory the application goes to.
void make_absolute(std::string& path) {
  std::error_code ignored;
  const std::filesystem::path whole = std::filesystem::absolute(path, ignored);
  if (!path.empty() && !whole.empty()) path = whole.string();
}

// What a process that is not a worker was started for.
int do_task(const embed::Gil& gil, const plan::Plan& plan, const Options& options,
            const SeatText& seat) {
  if (seat.task == SeatText::Task::kInquire) {
    answer_inquiry(plan, seat.output);
    return 0;
  }
  const store::Directory directory(options.worker.resilience.directory,
                                   store::Directory::Access::kWorker);
  worker::reshard(gil, plan, directory, seat.old_workers, seat.seat.workers);
  return 0;
}

// `has_run`: becomes true when the worker begins.
int serve(const embed::Interpreter& interpreter, Options& options,
          const std::optional<SeatText>& seat, bool& has_run) {
  metrics::Registry metrics;
  std::optional<flow::DeadLetterLog> dead_letters;
  std::optional<plan::Plan> plan;
  std::optional<worker::Worker> worker;
  {
    const embed::GilLock gil;
    log::debug("{}", interpreter.describe(gil));
    plan = plan::read_topology(
        gil, embed::load_topology(gil, options.application_module, options.application));
    plan::check_sink_sections(gil, plan::storage_sinks_of(*plan), options.config);
    if (has_mistakes(options.config)) return kMistake;
    options.worker.storage.sections_json = config::to_json(options.config.sinks());
    if (options.check != Check::kNo) {
      const bool json = options.check == Check::kJson;
      std::fputs((json ? plan::describe_json(gil, *plan) : plan::describe_text(gil, *plan)).c_str(),
                 stdout);
      std::fflush(stdout);
      return 0;
    }
    if (seat && (seat->task == SeatText::Task::kInquire || seat->task == SeatText::Task::kReshard))
      return do_task(gil, *plan, options, *seat);
    dead_letters.emplace(metrics, options.on_error, options.dead_letters_file);
    worker.emplace(gil, *plan, options.application_module, options.worker, *dead_letters, metrics,
                   say);
  }
  has_run = true;
  const int status = worker->run();
  if (worker->left_threads()) end_at_once(status);
  return status;
}

embed::InterpreterOptions interpreter_options(const std::string& venv,
                                              std::vector<std::string> argv) {
  const std::string packages = package_directory();
  return {.program = python_program(venv),
          .argv = std::move(argv),
          .paths = {std::filesystem::current_path().string(), packages},
          .own_package = "wallaroo",  // an original one may lie beside the application
          .home = packages,
          .modules = {{"_machida", PyInit__machida}}};
}

// `machida run module:flow ...`: the same as `python -m bytewax.run`, on the server's interpreter.
int run_dataflow(int argc, char** argv) {
  uv::raise_open_files_limit();
  try {
    const embed::Interpreter interpreter(interpreter_options("", {argv + 1, argv + argc}));
    const embed::GilLock gil;
    std::vector<embed::Object> arguments;
    for (int i = 2; i < argc; ++i) arguments.push_back(embed::make_str(gil, argv[i]));
    embed::call(gil, embed::imported(gil, "wallaroo.flows.run", "main"),
                embed::make_list(gil, std::move(arguments)), embed::make_str(gil, "machida run"));
    return 0;
  } catch (const embed::SystemExit& exit) {
    if (*exit.what()) std::fprintf(stderr, "%s\n", exit.what());
    return exit.status();
  } catch (const embed::PythonError& error) {
    log::error("{}the dataflow can't be started", error.traceback());
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
  return kMistake;
}

// Returns the process's status, with the interpreter still there.
int run_on(std::optional<embed::Interpreter>& interpreter, Options& options,
           const std::optional<SeatText>& seat, bool& has_run) {
  try {
    interpreter.emplace(interpreter_options(options.venv, options.application));
    return serve(*interpreter, options, seat, has_run);
  } catch (const embed::SystemExit& exit) {
    has_mistakes(options.config);
    if (*exit.what()) std::fprintf(stderr, "%s\n", exit.what());
    return exit.status();
  } catch (const embed::ApplicationError& error) {
    log::error("{}", error.what());
  } catch (const store::StoreError& error) {
    log::error("{}", error.what());
    return kRefused;
  } catch (const plan::PlanError& error) {
    log::error("{}", error.what());
  } catch (const embed::PythonError& error) {
    log::error("{}the application can't be started", error.traceback());
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
  has_mistakes(options.config);
  return kMistake;
}

int run(Options& options, const std::optional<SeatText>& seat = std::nullopt) {
  log::set_level(options.log_level);
  if (!seat)
    for (const std::string& doubt : options.doubts) log::warn("{}", doubt);
  uv::raise_open_files_limit();
  make_absolute(options.dead_letters_file);
  make_absolute(options.worker.resilience.directory);
  bool has_run = false;
  std::optional<embed::Interpreter> interpreter;
  const int status = run_on(interpreter, options, seat, has_run);
  if (!interpreter) return status;
  std::optional<EndInTime> end_in_time;
  {
    const embed::GilLock gil;
    const std::uint64_t patience_ms = has_run ? options.worker.drain_timeout_ms : 0;
    end_in_time.emplace(gil, status, std::chrono::milliseconds(patience_ms));
  }
  interpreter.reset();
  return status;
}

// What it prints, every worker prints again.
void print_nothing() {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) ::dup2(nowhere, STDOUT_FILENO);
}

int run_seat(const SeatText& seat, int argc, char** argv) {
  uv::die_with_parent(seat.supervisor);
  if (seat.task == SeatText::Task::kInquire || seat.task == SeatText::Task::kReshard)
    print_nothing();
  else
    log::set_worker(seat.seat.index);
  Options options = parse_options(argc, argv, variable).options;
  options.worker.seat = seat.seat;
  options.worker.settle = seat.task == SeatText::Task::kSettle;
  options.worker.resilience.resume_epoch = seat.resume_epoch;
  return run(options, seat);
}

// Nothing: one process is enough.
std::optional<int> run_workers(const Options& options, int argc, char** argv) {
  log::set_level(options.log_level);
  try {
    if (!needs_supervisor(options)) return std::nullopt;
    uv::raise_open_files_limit();
    return supervise(options, {argv, argv + argc});
  } catch (const store::StoreError& error) {
    log::error("{}", error.what());
    return kRefused;
  } catch (const std::exception& error) {
    log::error("{}: stopping", error.what());
    return kFailed;
  }
}

int run_command_line(int argc, char** argv) {
  ParsedOptions parsed = parse_options(argc, argv, variable);
  parsed.options.worker.resilience.hash_seed = environment(kHashSeed);
  if (parsed.exit) {
    std::fputs(parsed.exit->text.c_str(), parsed.exit->status == 0 ? stdout : stderr);
    return parsed.exit->status;
  }
  if (parsed.options.check == Check::kNo) {
    if (parsed.options.is_follower) return follow();
    if (const std::optional<int> status = run_workers(parsed.options, argc, argv)) return *status;
  }
  return run(parsed.options);
}

}  // namespace
}  // namespace machida

int main(int argc, char** argv) {
  machida::uv::open_standard_files();
  machida::keep_freed_memory();
  machida::fix_hash_seed();
  const std::string word = argc > 1 ? argv[1] : "";
  if (word == "recovery") return machida::recovery_main(argc, argv);
  if (word == "scale") return machida::scale_main(argc, argv);
  if (word == "run") return machida::run_dataflow(argc, argv);
  if (word != machida::SeatText::kWord || argc < 3) return machida::run_command_line(argc, argv);
  const machida::SeatText seat = machida::SeatText::parse(argv[2]);
  argv[2] = argv[0];  // what is behind the two words is the user's command line
  return machida::run_seat(seat, argc - 2, argv + 2);
}
