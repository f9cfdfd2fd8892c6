#include "tests/sim/memory_disk.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "server/base/check.h"

namespace machida::sim {
namespace {

using Where = std::tuple<std::string, store::KeyKind, std::int64_t, std::string>;

}  // namespace

class MemoryDisk::Store final : public store::EpochStore {
 public:
  explicit Store(Epochs& epochs) : epochs_(epochs) {}

  std::optional<Newest> newest() const override {
    if (epochs_.empty()) return std::nullopt;
    const Stored& last = epochs_.back();
    Newest newest{{last.epoch.number, {}, last.epoch.positions, {}}, last.closed};
    if (!last.closed) newest.epoch.outboxes = last.epoch.outboxes;
    return newest;
  }

  std::uint64_t keys() const override { return values().size(); }

  void read_states(const OnState& on_state) const override {
    for (const auto& [where, value] : values()) {
      const auto& [state, kind, integer, bytes] = where;
      on_state(state, {kind, integer, bytes}, *value);
    }
  }

  void commit(const store::Epoch& epoch) override {
    MACHIDA_CHECK(epoch.number == (epochs_.empty() ? 1 : epochs_.back().epoch.number + 1),
                  "epochs follow each other");
    if (!epochs_.empty()) {
      Stored& before = epochs_.back();
      MACHIDA_CHECK(before.closed || before.epoch.outboxes.empty(),
                    "an epoch with outputs is closed before the next one commits");
      before.closed_durably = before.closed;
    }
    epochs_.push_back({epoch});
  }

  void close(std::int64_t epoch) override {
    MACHIDA_CHECK(!epochs_.empty() && epoch == epochs_.back().epoch.number,
                  "the newest epoch is closed");
    epochs_.back().closed = true;
  }

 private:
  std::map<Where, const std::string*> values() const {
    std::map<Where, const std::string*> values;
    for (const Stored& stored : epochs_)
      for (const store::StateRows& rows : stored.epoch.states)
        for (const store::StateRow& row : rows.rows) {
          const Where where(rows.state, row.key.kind, row.key.integer, row.key.bytes);
          if (row.value)
            values[where] = &*row.value;
          else
            values.erase(where);
        }
    return values;
  }

  Epochs& epochs_;
};

class MemoryDisk::Journal final : public store::InputJournal {
 public:
  Journal(Records& records, std::uint64_t bytes_max) : records_(records), bytes_max_(bytes_max) {}

  std::int64_t position() const noexcept override { return records_.next; }

  bool append(std::uint32_t source, std::span<const std::string_view> frames) override {
    if (records_.bytes > bytes_max_) return false;
    if (records_.segments.empty()) records_.segments.push_back(records_.next);
    Record& record = records_.kept.emplace_back();
    record = {records_.next++, source, {frames.begin(), frames.end()}};
    for (const std::string_view frame : frames) records_.bytes += frame.size();
    return true;
  }

  void sync() override { records_.synced = records_.next; }

  void begin_segment() override {
    if (records_.segments.empty() || records_.segments.back() != records_.next)
      records_.segments.push_back(records_.next);
  }

  void trim(std::int64_t position) override {
    std::vector<std::int64_t>& segments = records_.segments;
    while (segments.size() > 1 && segments[1] <= position) {
      segments.erase(segments.begin());
      while (!records_.kept.empty() && records_.kept.front().number < segments.front()) {
        for (const std::string& frame : records_.kept.front().frames)
          records_.bytes -= frame.size();
        records_.kept.pop_front();
      }
    }
  }

  void replay(std::int64_t position, const OnRecord& on_record) override {
    if (records_.next < position) {
      records_ = Records();
      records_.next = records_.synced = position;
    }
    const std::int64_t first = records_.kept.empty() ? records_.next : records_.kept.front().number;
    if (first > position) throw store::StoreError("records of the journal are missing");
    for (const Record& record : records_.kept)
      if (record.number >= position)
        on_record(record.source, {record.frames.begin(), record.frames.end()});
  }

 private:
  Records& records_;
  const std::uint64_t bytes_max_;
};

void MemoryDisk::begin(std::uint32_t workers) {
  stores_.resize(workers);
  journals_.resize(workers);
}

std::int64_t MemoryDisk::newest_epoch(std::uint32_t worker) {
  return stores_[worker].empty() ? 0 : stores_[worker].back().epoch.number;
}

void MemoryDisk::go_back(std::uint32_t worker, std::int64_t epoch) {
  Epochs& epochs = stores_[worker];
  while (!epochs.empty() && epochs.back().epoch.number > epoch) epochs.pop_back();
  if (!epochs.empty()) epochs.back().closed = epochs.back().closed_durably = true;
}

std::unique_ptr<store::EpochStore> MemoryDisk::open_store(std::uint32_t worker) {
  return std::make_unique<Store>(stores_[worker]);
}

std::unique_ptr<store::InputJournal> MemoryDisk::open_journal(std::uint32_t worker) {
  return std::make_unique<Journal>(journals_[worker], journal_bytes_max_);
}

void MemoryDisk::change_workers(const embed::Gil& gil, const plan::Plan& plan,
                                std::uint32_t workers, bool interrupted) {
  std::vector<Epochs> fresh(workers);
  worker::Stores old_stores, new_stores;
  for (Epochs& epochs : stores_) old_stores.push_back(std::make_unique<Store>(epochs));
  for (Epochs& epochs : fresh) new_stores.push_back(std::make_unique<Store>(epochs));
  worker::deal_out(gil, plan, old_stores, new_stores);
  if (interrupted) return;
  stores_ = std::move(fresh);
  journals_.assign(workers, Records());
  ++changes_;
}

std::int64_t MemoryDisk::lose_power(std::uint32_t worker) {
  Epochs& epochs = stores_[worker];
  if (!epochs.empty() && !epochs.back().closed_durably && random_.chance(50))
    epochs.back().closed = false;
  Records& records = journals_[worker];
  const auto lost = static_cast<std::uint64_t>(records.next - records.synced);
  records.next -= static_cast<std::int64_t>(random_.below(lost + 1));
  while (!records.kept.empty() && records.kept.back().number >= records.next) {
    for (const std::string& frame : records.kept.back().frames) records.bytes -= frame.size();
    records.kept.pop_back();
  }
  while (!records.segments.empty() && records.segments.back() > records.next)
    records.segments.pop_back();
  return records.next;
}

}  // namespace machida::sim
