#include "server/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace machida {
namespace {

void add_own(CLI::App& cli, Options& o, Words& w) {
  cli.add_option("--application-module", o.application_module,
                 "the Python module with application_setup(args)");
  cli.add_option("--workers", w.workers, "worker processes, 1 unless set")
      ->transform(without_underscores)
      ->check(above_zero, kAboveZero);
  cli.add_flag("--check{text}", w.check,
               "load the application, print its topology and stop; --check=json for programs");
  cli.add_option("--max-frame-bytes", o.worker.frame_bytes_max,
                 "largest payload of a frame; a client that announces more is cut off")
      ->transform(without_underscores)
      ->check(above_zero, kAboveZero)
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
      ->check(zero_or_above, kZeroOrAbove)
      ->capture_default_str();
  cli.add_option("--commit-interval", w.commit_interval_s,
                 "seconds between commits of Kafka offsets")
      ->check(above_zero, kAboveZero)
      ->capture_default_str();
  cli.add_option("--memory-budget", o.worker.memory_budget_bytes,
                 "bytes that the Kafka clients' queues may take together")
      ->transform(without_underscores)
      ->check(above_zero, kAboveZero)
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
      ->check(above_zero, kAboveZero)
      ->capture_default_str();
  cli.add_option("--time-between-checkpoints", w.checkpoint_ns,
                 "the same in nanoseconds, as in the original")
      ->group(group)
      ->transform(without_underscores);
  cli.add_option("--journal-bytes", r.journal_bytes_max,
                 "largest size of the journal of what was read over TCP; full, the sources pause")
      ->group(group)
      ->transform(without_underscores)
      ->check(above_zero, kAboveZero)
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

}  // namespace

void declare(CLI::App& cli, Settings& s) {
  // As in the original, the last of several counts.
  cli.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_own(cli, s.options, s.words);
  cli.add_option("--config", s.config_file,
                 "TOML or YAML file with these options and the sections of storage sinks; for an "
                 "option of the application: -- --config FILE");
  add_resilience(cli, s.options.worker.resilience, s.words);
  add_original(cli, s.original);
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

}  // namespace machida
