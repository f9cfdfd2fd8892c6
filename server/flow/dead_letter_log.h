// Dead letters of a running server: counted per step, logged (the first of each kind with its
// traceback, then ever more rarely), written to a file of JSON lines if one is set.
#pragma once

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "server/base/handle.h"
#include "server/flow/dead_letters.h"
#include "server/metrics/counter.h"

namespace machida::flow {

enum class OnError { kDeadLetter, kStop };

class DeadLetterLog final : public DeadLetters {
 public:
  static constexpr const char* kCounter = "machida_flow_dead_letters_total";

  // `file` is appended to; empty: none. Throws std::runtime_error when it can't be opened.
  DeadLetterLog(metrics::Registry& metrics, OnError policy, const std::string& file);

  void add(const embed::Gil&, const Place& place, const embed::PythonError& error,
           _object* input) override;

 private:
  void log(const Place& place, const embed::PythonError& error, std::uint64_t occurrence);
  void write(const embed::Gil&, const Place& place, const embed::PythonError& error,
             _object* input);

  metrics::Registry& metrics_;
  OnError policy_;
  std::string file_name_;
  CPtr<std::FILE, std::fclose> file_;
  bool file_failed_ = false;
  std::map<std::pair<std::string, std::string>, std::uint64_t> seen_;  // place, kind of error
};

}  // namespace machida::flow
