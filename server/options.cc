#include "server/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "server/base/version.h"
#include "server/missing_module.h"
#include "server/near_word.h"
#include "server/settings.h"

namespace machida {
namespace {

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
      if (option->get_group() != kOriginalGroup) own.push_back("--" + name);
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

// An application may have an option of this name, too.
std::string whose_config(const std::string& file) {
  return fmt::format(
      "--config {} is read by the server; an option of the application goes behind --, as in "
      "-- --config {}",
      file, file);
}

Exit mistake(const std::string& text) {
  return {2, "machida: " + text + "\nRun with --help for more information.\n"};
}

// Reads the command line, and the file that it names.
std::optional<Exit> read(CLI::App& cli, std::vector<std::string> arguments, Settings& settings,
                         const config::Environment& environment) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    cli.parse(arguments);
    if (!settings.config_file.empty()) {
      settings.options.config = config::Configuration(settings.config_file, environment);
      apply_server_section(cli, settings.options.config);
    }
  } catch (const CLI::CallForVersion&) {
    return Exit{0, std::string("machida ") + kVersion + "\n"};
  } catch (const CLI::CallForHelp&) {
    return Exit{0, cli.help()};
  } catch (const CLI::ParseError& error) {
    return mistake(error.what());
  } catch (const std::runtime_error& error) {  // of the configuration file
    return mistake(error.what() + ("\n" + whose_config(settings.config_file)));
  }
  return std::nullopt;
}

// What the options ask for and can't have together.
std::optional<std::string> conflict(const Settings& settings, const CLI::App& cli, Options& o) {
  const Words& words = settings.words;
  if (words.check != "" && words.check != "text" && words.check != "json")
    return "--check is text or json, not '" + words.check + "'";
  if (o.application_module.empty()) return missing_module(cli.remaining(), o.doubts);
  if (words.run_with_resilience && o.worker.resilience.directory.empty())
    return "--run-with-resilience needs --resilience-dir";
  return apply_workers(settings.original, words.workers, o);
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
  const Arguments arguments = normalised(cli, argc, argv);
  parsed.exit = read(cli, arguments.ours, settings, environment);
  if (parsed.exit) return parsed;
  apply(settings.words, settings.options);
  parsed.options = std::move(settings.options);
  Options& options = parsed.options;
  options.doubts = doubts_about(cli, cli.remaining());
  if (!options.config.mistakes().empty())
    options.doubts.push_back(whose_config(settings.config_file));
  options.application = {argv[0]};
  for (const auto& more : {cli.remaining(), arguments.application})
    options.application.insert(options.application.end(), more.begin(), more.end());
  if (const std::optional<std::string> why = conflict(settings, cli, options)) {
    parsed.exit = mistake(*why);
    // The application's sinks may have more to say about the file, unless there is none to ask.
    for (const std::string& line : options.config.mistakes()) parsed.exit->text += line + "\n";
  }
  return parsed;
}

}  // namespace machida
