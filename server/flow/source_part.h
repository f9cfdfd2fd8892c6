// One partition of a source written in Python (bytewax.inputs): asked for its next items whenever
// it is awake, until it says that there are no more. Worker's thread, under the lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/base/system_time.h"
#include "server/flow/batch.h"
#include "server/flow/dead_letters.h"

namespace machida::flow {

class SourcePart {
 public:
  // `built` is a BuiltSource (wallaroo/flows/source_adapter.py) and `name` the partition's, empty
  // for a dynamic source. What user code raises goes to `dead_letters`.
  SourcePart(const embed::Gil&, Place place, std::string name, embed::Object built,
             embed::Object abort_class, DeadLetters& dead_letters, const SystemTime& time);

  enum class Polled {
    kItems,    // take them with next_items()
    kNothing,  // none for the time being
    kEnd,      // there will be none
    kAbort,    // the source asks to stop at once, as in a crash (AbortExecution)
  };
  // `now_us` is now.
  Polled poll(const embed::Gil&, std::int64_t now_us);

  // Appends at most `items_max` of those that poll() got; whether it was any.
  bool next_items(const embed::Gil&, Batch& out, std::size_t items_max);

  // Not to be polled before (microseconds since 1970 UTC), nor when it has ended.
  std::int64_t awake_us() const noexcept { return awake_us_; }
  bool ended() const noexcept { return ended_; }
  const std::string& name() const noexcept { return name_; }

  // It has a position, which may have moved since the last snapshot(): also a poll that gave no
  // items may have done that.
  bool moved() const noexcept { return moved_ && snapshot_; }
  // Its position behind the last items. Empty for sources that have none.
  embed::Object snapshot(const embed::Gil&);

  // Once; what it raises goes to the dead letters.
  void close(const embed::Gil&);

 private:
  _object* next_batch(const embed::Gil&) const;
  _object* list_of(const embed::Gil&, _object* batch) const;
  Polled stopped(const embed::Gil&);
  void sleep(const embed::Gil&, bool had_items, std::int64_t now_us);
  void look_how_long(std::int64_t took_us);
  void failed(const embed::Gil&, const std::string& what, _object* function);
  void keep_for_itself(const embed::Gil&);
  std::string text(const char* method) const;

  Place place_;
  std::string name_;
  embed::Object next_batch_, next_awake_, snapshot_, close_;
  embed::Object abort_class_;
  bool takes_sched_ = false;
  DeadLetters& dead_letters_;
  const SystemTime& time_;

  embed::Object items_;  // a list or tuple: what next_items() has not given yet
  std::size_t taken_ = 0;
  std::int64_t awake_us_ = 0;
  std::int64_t pause_us_ = 0;  // 0: the last batch had items
  bool ended_ = false;
  bool moved_ = false;
  bool said_slow_ = false;
};

}  // namespace machida::flow
