// What a source or sink has said about its client's troubles: a warning for each kind, once until
// all is well again. Worker's thread.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "server/kafka/client.h"

namespace machida::kafka {

class Troubles {
 public:
  // `who`: what the lines begin with, such as "sink topic 'counts'".
  explicit Troubles(std::string who) : who_(std::move(who)) {}

  const std::string& who() const noexcept { return who_; }
  bool none() const noexcept { return said_.empty(); }

  // `and_then`: what waits for its end, for the end of the line.
  void say(Trouble kind, std::string_view what, std::string_view and_then);
  // The kind was told in other words.
  void told(Trouble kind) { said_.insert(kind); }

  void forget() noexcept { said_.clear(); }
  // Forgets, and says so if there were any.
  void over();

 private:
  std::string who_;
  std::set<Trouble> said_;
};

}  // namespace machida::kafka
