#include "server/flow/dead_letter_log.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "embed/object.h"
#include "embed/value.h"
#include "server/base/log.h"
#include "server/flow/base64.h"

namespace machida::flow {
namespace {

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text, ms);
}

}  // namespace

DeadLetterLog::DeadLetterLog(metrics::Registry& metrics, OnError policy, const std::string& file)
    : metrics_(metrics), policy_(policy), file_name_(file) {
  if (file.empty()) return;
  file_.reset(std::fopen(file.c_str(), "ae"));
  if (!file_)
    throw std::runtime_error("the dead-letter file '" + file +
                             "' can't be opened: " + std::strerror(errno));
}

void DeadLetterLog::add(const embed::Gil& gil, const Place& place, const embed::PythonError& error,
                        _object* input) {
  metrics_.counter(kCounter, {{"pipeline", place.pipeline}, {"step", place.step}}).add();
  log(place, error, ++seen_[{place.pipeline + '\0' + place.step, error.type()}]);
  write(gil, place, error, input);
  if (policy_ == OnError::kStop)
    throw StopOnError(
        fmt::format("pipeline '{}', step '{}': {}", place.pipeline, place.step, error.what()));
}

void DeadLetterLog::log(const Place& place, const embed::PythonError& error,
                        std::uint64_t occurrence) {
  if (occurrence == 1)
    log::error("pipeline '{}', step '{}': a record became a dead letter:\n{}", place.pipeline,
               place.step, error.traceback());
  else if (log::worth_a_line(occurrence))
    log::error("pipeline '{}', step '{}': {} dead letters of the kind {}, the last: {}",
               place.pipeline, place.step, occurrence, error.type(), error.what());
}

void DeadLetterLog::write(const embed::Gil& gil, const Place& place,
                          const embed::PythonError& error, _object* input) {
  if (!file_) return;
  const embed::Object object = embed::Object::borrow(gil, input);
  nlohmann::ordered_json letter = {{"time", utc_now()},
                                   {"pipeline", place.pipeline},
                                   {"step", place.step},
                                   {"error", error.what()},
                                   {"traceback", error.traceback()},
                                   {"input", embed::repr(gil, object)}};
  if (embed::is_bytes(object))
    letter["input_base64"] = base64(*embed::bytes_view(gil, object.get()));
  const std::string line =
      letter.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const bool written = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size() &&
                       std::fflush(file_.get()) == 0;
  if (written == !file_failed_) return;
  file_failed_ = !written;
  if (file_failed_)
    log::error("the dead-letter file '{}' can't be written: {}; dead letters are only counted",
               file_name_, std::strerror(errno));
  else
    log::info("the dead-letter file '{}' can be written again", file_name_);
}

}  // namespace machida::flow
