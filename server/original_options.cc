#include "server/original_options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

namespace machida {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isdigit(c) || c == '_' || c == '.';
  });
}

// `-w=3` as the original wrote it, for a letter that the parser knows as an option of the server.
bool is_short_with_equals(const CLI::App& cli, const std::string& arg) {
  return arg.size() > 2 && arg[0] == '-' && arg[1] != '-' && arg[2] == '=' &&
         cli.get_option_no_throw(arg.substr(0, 2)) != nullptr;
}

// A worker's command line of the original beside the initializer's: it names the initializer's
// control channel and itself.
bool is_follower(const OriginalOptions& a) {
  return !a.cluster_initializer && !a.control.empty() && !a.name.empty() && a.data.empty() &&
         a.worker_count == 0;
}

}  // namespace

void add_original(CLI::App& cli, OriginalOptions& a) {
  const std::string group = kOriginalGroup;
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
      ->transform(without_underscores)
      ->check(above_zero, kAboveZero);
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

std::optional<std::string> apply_workers(const OriginalOptions& a, std::uint64_t workers,
                                         Options& o) {
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

std::string above_zero(const std::string& text) {
  double number = 0;
  return CLI::detail::lexical_cast(text, number) && number > 0
             ? ""
             : fmt::format("'{}' is no number above 0", text);
}

std::string zero_or_above(const std::string& text) {
  double number = 0;
  return CLI::detail::lexical_cast(text, number) && number >= 0
             ? ""
             : fmt::format("'{}' is no number from 0 on", text);
}

std::string without_underscores(std::string text) {
  std::erase(text, '_');
  return text;
}

}  // namespace machida
