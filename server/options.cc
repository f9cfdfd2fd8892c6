#include "server/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "server/base/version.h"
#include "server/missing_module.h"
#include "server/near_word.h"

namespace machida {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isdigit(c) || c == '_' || c == '.';
  });
}

struct Arguments {
  std::vector<std::string> ours;         // for the parser: the server's options and unknown ones
  std::vector<std::string> application;  // behind `--`: the application's, whatever they look like
};

// `-w=3` as the original wrote it, for a letter that the parser knows as an option of the server.
bool is_short_with_equals(const CLI::App& cli, const std::string& arg) {
  return arg.size() > 2 && arg[0] == '-' && arg[1] != '-' && arg[2] == '=' &&
         cli.get_option_no_throw(arg.substr(0, 2)) != nullptr;
}

// The runtime of the original took every --pony* option out of argv before the program saw it.
Arguments normalised(const CLI::App& cli, int argc, const char* const* argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--") {
      out.application.assign(argv + i + 1, argv + argc);
      break;
    }
    if (arg.starts_with("--pony")) {
      const bool has_value =
          arg.find('=') == std::string::npos && i + 1 < argc && is_number(argv[i + 1]);
      if (has_value) ++i;
    } else if (is_short_with_equals(cli, arg)) {
      out.ours.push_back(arg.substr(0, 2));
      out.ours.push_back(arg.substr(3));
    } else {
      out.ours.push_back(arg);
    }
  }
  return out;
}

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

// Options of the original that this server has no use for, or not yet.
struct Accepted {
  std::string join, name, control, data, my_control, my_data, external, metrics, file;
  std::uint64_t worker_count = 0, event_log_bytes = 0, stop_pause_ns = 0;
  bool cluster_initializer = false, log_rotation = false;
};

constexpr const char* kClassic = "Accepted from the original";

void add_classic(CLI::App& cli, Accepted& a) {
  const std::string group = kClassic;
  cli.add_option("-m,--metrics", a.metrics, "metrics receiver HOST:PORT; not needed")->group(group);
  cli.add_option("-c,--control", a.control, "control channel HOST:PORT; not needed")->group(group);
  cli.add_option("-d,--data", a.data, "data channel HOST:PORT; not needed")->group(group);
  cli.add_option("-x,--my-control", a.my_control, "own control address; not needed")->group(group);
  cli.add_option("-y,--my-data", a.my_data, "own data address; not needed")->group(group);
  cli.add_option("-e,--external", a.external,
                 "HOST:PORT where `machida scale` may ask, with --workers")
      ->group(group);
  cli.add_option("-n,--name", a.name, "the worker's name")->group(group);
  cli.add_option("-w,--worker-count", a.worker_count, "number of workers, as --workers")
      ->group(group)
      ->check(CLI::PositiveNumber)
      ->transform(without_underscores);
  cli.add_flag("-t,--cluster-initializer", a.cluster_initializer,
               "this process runs all workers, on this machine")
      ->group(group);
  cli.add_flag("--log-rotation", a.log_rotation, "not needed")->group(group);
  cli.add_option("-l,--event-log-file-size", a.event_log_bytes, "bytes; not needed")
      ->group(group)
      ->transform(without_underscores);
  cli.add_option("-u,--stop-pause", a.stop_pause_ns, "nanoseconds; not needed")
      ->group(group)
      ->transform(without_underscores);
  cli.add_option("-j,--join", a.join,
                 "not possible: a restart with another --workers takes the state along")
      ->group(group);
  cli.add_option("-f,--file", a.file, "not needed")->group(group);
}

// A worker's command line of the original beside the initializer's: it names the initializer's
// control channel and itself.
bool is_follower(const Accepted& a) {
  return !a.cluster_initializer && !a.control.empty() && !a.name.empty() && a.data.empty() &&
         a.worker_count == 0;
}

// What an accepted option asks for and does not get; sets the number of workers.
std::optional<std::string> apply_workers(const Accepted& a, std::uint64_t workers, Options& o) {
  if (!a.join.empty())
    return "--join: workers of a running application can't join it; start it again with another "
           "--workers, the state follows";
  if (workers != 0 && a.worker_count != 0 && workers != a.worker_count)
    return fmt::format("--workers {} and --worker-count {} differ", workers, a.worker_count);
  const std::uint64_t wanted = workers != 0 ? workers : a.worker_count;
  if (wanted > kWorkersMax)
    return fmt::format("--workers {}: at most {} are possible", wanted, kWorkersMax);
  o.workers_given = workers != 0;
  if (!a.external.empty() && wanted != 0) {
    const Result<HostPort> external = parse_host_port(a.external);
    if (!external) return "--external: " + external.error();
    o.external = *external;
  }
  o.is_follower = workers == 0 && is_follower(a);
  o.workers = static_cast<std::uint32_t>(std::max<std::uint64_t>(wanted, 1));
  return std::nullopt;
}

struct Words {
  std::string check, on_error = "dead-letter", unknown_keys = "drop", log_level = "info";
  double drain_timeout_s = 30;
  double commit_interval_s = 1;
  double epoch_interval_s = 1;
  std::uint64_t workers = 0;        // 0: not given
  std::uint64_t checkpoint_ns = 0;  // the original's word for it; 0: not given
  bool run_with_resilience = false;
};

void add_own(CLI::App& cli, Options& o, Words& w) {
  cli.add_option("--application-module", o.application_module,
                 "the Python module with application_setup(args)");
  cli.add_option("--workers", w.workers, "worker processes, 1 unless set")
      ->transform(without_underscores)
      ->check(CLI::PositiveNumber);
  cli.add_flag("--check{text}", w.check,
               "load the application, print its topology and stop; --check=json for programs");
  cli.add_option("--max-frame-bytes", o.worker.frame_bytes_max,
                 "largest payload of a frame; a client that announces more is cut off")
      ->transform(without_underscores)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  cli.add_option("--dead-letters", o.dead_letters_file,
                 "file for records that user code failed on, as JSON lines");
  cli.add_option("--on-error", w.on_error,
                 "what to do when user code fails on a record: dead-letter, or stop the server")
      ->check(CLI::IsMember({"dead-letter", "stop"}))
      ->capture_default_str();
  cli.add_option("--unknown-keys", w.unknown_keys,
                 "partition keys that are not listed: drop the record, or create their state")
      ->check(CLI::IsMember({"drop", "create"}))
      ->capture_default_str();
  cli.add_option("--drain-timeout", w.drain_timeout_s,
                 "seconds to write what is left when stopping")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  cli.add_option("--commit-interval", w.commit_interval_s,
                 "seconds between commits of Kafka offsets")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  cli.add_option("--memory-budget", o.worker.memory_budget_bytes,
                 "bytes that the Kafka clients' queues may take together")
      ->transform(without_underscores)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  cli.add_option("--sink-retries", o.worker.storage.retries,
                 "how often a storage sink's write that failed is tried again")
      ->capture_default_str();
  cli.add_option("--venv", o.venv,
                 "virtual environment of the application (or MACHIDA_VENV, VIRTUAL_ENV)");
  cli.add_option("--log-level", w.log_level, "least important lines to log")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
}

void add_resilience(CLI::App& cli, worker::ResilienceOptions& r, Words& w) {
  const std::string group = "Recovery after a crash";
  cli.add_option("-r,--resilience-dir", r.directory,
                 "directory for checkpoints; a restart goes on where a killed server was")
      ->group(group);
  cli.add_option("--epoch-interval", w.epoch_interval_s, "seconds between checkpoints")
      ->group(group)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  cli.add_option("--time-between-checkpoints", w.checkpoint_ns,
                 "the same in nanoseconds, as in the original")
      ->group(group)
      ->transform(without_underscores);
  cli.add_option("--journal-bytes", r.journal_bytes_max,
                 "largest size of the journal of what was read over TCP; full, the sources pause")
      ->group(group)
      ->transform(without_underscores)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  cli.add_flag("--recover-damaged", r.accept_damage,
               "of a damaged store use the newest epoch that is whole; later outputs may come "
               "twice")
      ->group(group);
  cli.add_flag("--run-with-resilience", w.run_with_resilience,
               "as in the original: --resilience-dir is needed")
      ->group(group);
}

std::uint64_t epoch_interval_ms(const Words& w) {
  const double ms =
      w.checkpoint_ns != 0 ? static_cast<double>(w.checkpoint_ns) / 1e6 : w.epoch_interval_s * 1000;
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(ms), 1);
}

void apply(const Words& w, Options& o) {
  o.worker.resilience.epoch_interval_ms = epoch_interval_ms(w);
  if (!w.check.empty()) o.check = w.check == "json" ? Check::kJson : Check::kText;
  if (w.on_error == "stop") o.on_error = flow::OnError::kStop;
  if (w.unknown_keys == "create") o.worker.unknown_keys = worker::UnknownKeyPolicy::kCreate;
  o.worker.drain_timeout_ms = static_cast<std::uint64_t>(w.drain_timeout_s * 1000);
  o.worker.commit_interval_ms =
      std::max<std::uint64_t>(static_cast<std::uint64_t>(w.commit_interval_s * 1000), 1);
  o.log_level = *log::level_named(w.log_level);
}

// Everything that the command line sets.
struct Settings {
  Options options;
  Words words;
  Accepted accepted;
  std::string config_file;
};

void declare(CLI::App& cli, Settings& s) {
  add_own(cli, s.options, s.words);
  cli.add_option("--config", s.config_file,
                 "TOML or YAML file with these options and the sections of storage sinks");
  add_resilience(cli, s.options.worker.resilience, s.words);
  add_classic(cli, s.accepted);
}

std::optional<std::string> option_text(const config::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.is)) return *text;
  if (const auto* flag = std::get_if<bool>(&value.is)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value.is)) return std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&value.is)) return fmt::format("{}", *number);
  return std::nullopt;
}

// The option that a key of the file's section `server` sets, or null.
CLI::Option* option_of(CLI::App& cli, std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  if (key == "help" || key == "version" || key == "config") return nullptr;
  return cli.get_option_no_throw("--" + key);
}

// Two words for one thing: the file's must not win over the command line's.
bool is_given(CLI::App& cli, const CLI::Option& option) {
  const auto given = [&cli](const char* name) { return cli.get_option(name)->count() > 0; };
  const std::string name = option.get_name();
  const bool interval = name == "--epoch-interval" || name == "--time-between-checkpoints";
  return option.count() > 0 ||
         (interval && (given("--epoch-interval") || given("--time-between-checkpoints")));
}

// Values are tried on options of their own: also those that the command line overrides are checked.
void apply_server_section(CLI::App& cli, config::Configuration& config) {
  CLI::App trial;
  Settings unused;
  declare(trial, unused);
  std::vector<std::pair<CLI::Option*, std::string>> wanted;
  for (const config::Entry& entry : config.server()) {
    CLI::Option* option = option_of(trial, entry.key);
    if (!option) {
      config.wrong(entry.place, "the server has no option '" + entry.key + "'");
      continue;
    }
    const std::optional<std::string> text = option_text(entry.value);
    try {
      if (!text) throw CLI::ConversionError("no single value");
      option->add_result(*text);
      option->run_callback();
      CLI::Option* real = option_of(cli, entry.key);
      if (!is_given(cli, *real)) wanted.emplace_back(real, *text);
    } catch (const CLI::ParseError&) {
      config.wrong(entry.value.place,
                   fmt::format("'{}' takes {}: {}", entry.key, option->get_type_name(),
                               option->get_description()));
    }
  }
  for (const auto& [option, text] : wanted) {
    option->add_result(text);
    option->run_callback();
  }
}

constexpr const char* kOtherCommands =
    "Other commands:\n"
    "  machida run MODULE:FLOW         run a dataflow\n"
    "  machida recovery ls|show|verify DIR\n"
    "                                  look into a resilience directory\n"
    "  machida scale N DIR             go on with another number of workers\n"
    "Each has a --help of its own.";

// Words that are left to the application and look as if one of the server's options was meant.
std::vector<std::string> doubts_about(const CLI::App& cli, const std::vector<std::string>& words) {
  std::vector<std::string> own;
  for (const CLI::Option* option : cli.get_options())
    for (const std::string& name : option->get_lnames())
      if (option->get_group() != kClassic) own.push_back("--" + name);
  std::vector<std::string> lines;
  for (const std::string& word : words) {
    if (!word.starts_with("-")) continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string meant = near_word(name, own);
    if (!meant.empty())
      lines.push_back(fmt::format(
          "the server has no option {}, it goes to application_setup(args); did you mean {}?", name,
          meant));
  }
  return lines;
}

std::optional<Exit> mistake(const std::string& text) {
  return Exit{2, "machida: " + text + "\nRun with --help for more information.\n"};
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv,
                            const config::Environment& environment) {
  CLI::App cli(
      "Hosts a streaming application written in Python. Options that are not listed here go to the "
      "application's application_setup(args).",
      "machida");
  cli.allow_extras();
  cli.get_formatter()->column_width(34);
  cli.footer(kOtherCommands);
  cli.set_version_flag("--version", std::string("machida ") + kVersion);
  ParsedOptions parsed;
  Settings settings;
  declare(cli, settings);
  Arguments arguments = normalised(cli, argc, argv);
  std::reverse(arguments.ours.begin(), arguments.ours.end());  // CLI11 takes them from the back
  try {
    cli.parse(arguments.ours);
    if (!settings.config_file.empty()) {
      settings.options.config = config::Configuration(settings.config_file, environment);
      apply_server_section(cli, settings.options.config);
    }
  } catch (const CLI::CallForVersion&) {
    parsed.exit = Exit{0, std::string("machida ") + kVersion + "\n"};
    return parsed;
  } catch (const CLI::CallForHelp&) {
    parsed.exit = Exit{0, cli.help()};
    return parsed;
  } catch (const CLI::ParseError& error) {
    parsed.exit = mistake(error.what());
    return parsed;
  } catch (const std::runtime_error& error) {  // of the configuration file
    parsed.exit = mistake(error.what());
    return parsed;
  }
  const Words& words = settings.words;
  apply(words, settings.options);
  parsed.options = std::move(settings.options);
  Options& options = parsed.options;
  options.doubts = doubts_about(cli, cli.remaining());
  options.application = {argv[0]};
  for (const auto& more : {cli.remaining(), arguments.application})
    options.application.insert(options.application.end(), more.begin(), more.end());
  if (words.check != "" && words.check != "text" && words.check != "json")
    parsed.exit = mistake("--check is text or json, not '" + words.check + "'");
  else if (options.application_module.empty())
    parsed.exit = mistake(missing_module(cli.remaining(), options.doubts));
  else if (words.run_with_resilience && options.worker.resilience.directory.empty())
    parsed.exit = mistake("--run-with-resilience needs --resilience-dir");
  else if (const std::optional<std::string> why =
               apply_workers(settings.accepted, settings.words.workers, options))
    parsed.exit = mistake(*why);
  // The application's sinks may have more to say about the file, unless there is none to ask.
  if (parsed.exit)
    for (const std::string& line : options.config.mistakes()) parsed.exit->text += line + "\n";
  return parsed;
}

}  // namespace machida
