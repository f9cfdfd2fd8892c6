// reduce_window, fold_window and collect_window: puts each value of a key into its windows and
// leaves `(key, (metadata, output))` for every window that closes: when an item or the system time
// moves the key's watermark past it, or when no more items come. Keys without an open window are
// forgotten if the windower says so.
#pragma once

#include <memory>
#include <vector>

#include "server/base/system_time.h"
#include "server/flow/keyed_step.h"
#include "server/flow/late_items.h"
#include "server/flow/window_logic.h"
#include "server/flow/window_metadata.h"
#include "server/metrics/counter.h"
#include "server/window/windower.h"

namespace machida::flow {

class WindowStep final : public KeyedStep {
 public:
  struct Parts {
    window::Windower windower;
    embed::Object dt_getter;       // value -> aware datetime; empty: items have the system's time
    embed::Object metadata_class;  // empty: the outputs are bare, `(key, output)`
    std::unique_ptr<WindowLogic> logic;
    const SystemTime& time;
  };
  WindowStep(Place place, DeadLetters& dead_letters, Parts parts, metrics::Registry& metrics);

 private:
  struct Cell;

  void begin_batch() override { now_us_ = parts_.time.now_us(); }
  void on_record(const embed::Gil&, KeyTable::Cell&, const Record&, Batch& out) override;
  void on_cell_due(const embed::Gil&, KeyTable::Cell&, std::int64_t now_us, Batch& out) override;
  void on_cell_eof(const embed::Gil&, KeyTable::Cell&, Batch& out) override;
  bool gives_at_eof() const override { return true; }
  std::unique_ptr<KeyTable::Cell> make_cell() const override;
  embed::Object saved(const embed::Gil&, const KeyTable::Cell&) const override;
  void restore(const embed::Gil&, KeyTable::Cell&, const embed::Object& saved) override;

  bool find_time(const embed::Gil&, const Record& record, window::Micros& time_us);
  void merge(const embed::Gil&, Cell& cell, const Record& record);
  void give(const embed::Gil&, Cell& cell, const std::vector<window::ClosedWindow>& closed,
            Batch& out);
  void settle(const embed::Gil&, Cell& cell);

  Parts parts_;
  WindowMetadata metadata_;
  LateItems late_;
  std::int64_t now_us_ = 0;
  window::Outcome outcome_;                   // kept for their capacity
  std::vector<window::ClosedWindow> closed_;  // likewise
};

}  // namespace machida::flow
