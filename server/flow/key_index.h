// The hash table under a KeyTable: owns cells, found by a hash that the caller has at hand and a
// comparison that it makes. Flat, since with many keys the time goes into waiting for memory: a
// search reads one slot, mostly, and its cell. Takes 16 bytes per slot, of which a quarter to three
// quarters are in use once there are some; gives memory back when keys go.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace machida::flow {

template <class Cell>
class KeyIndex {
 public:
  // The cell with this hash that is `same`, or null.
  template <class Same>
  Cell* find(std::size_t hash, const Same& same) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = home(hash); slots_[i].cell; i = next(i))
      if (slots_[i].hash == hash && same(*slots_[i].cell)) return slots_[i].cell.get();
    return nullptr;
  }

  // A cell that find() does not find.
  Cell& insert(std::size_t hash, std::unique_ptr<Cell> cell) {
    if ((size_ + 1) * 4 > slots_.size() * 3) resize(slots_.empty() ? kSlotsMin : slots_.size() * 2);
    ++size_;
    return place(hash, std::move(cell));
  }

  // A cell that is in; the caller's then.
  std::unique_ptr<Cell> take(std::size_t hash, const Cell& cell) {
    std::size_t i = home(hash);
    while (slots_[i].cell.get() != &cell) i = next(i);
    std::unique_ptr<Cell> taken = std::move(slots_[i].cell);
    close_gap(i);
    --size_;
    if (slots_.size() > kSlotsMin && size_ * 8 < slots_.size()) resize(slots_.size() / 2);
    return taken;
  }

  template <class Visit>
  void each(const Visit& visit) const {
    for (const Slot& slot : slots_)
      if (slot.cell) visit(*slot.cell);
  }

  std::size_t size() const noexcept { return size_; }
  void clear() {
    slots_.clear();
    size_ = 0;
  }

 private:
  static constexpr std::size_t kSlotsMin = 16;  // a power of two, as all numbers of slots

  struct Slot {
    std::size_t hash = 0;
    std::unique_ptr<Cell> cell;
  };

  // Where a hash belongs; further on if that is taken.
  std::size_t home(std::size_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  Cell& place(std::size_t hash, std::unique_ptr<Cell> cell) {
    std::size_t i = home(hash);
    while (slots_[i].cell) i = next(i);
    slots_[i] = {hash, std::move(cell)};
    return *slots_[i].cell;
  }

  // Moves those behind a free slot up that would not be found any more.
  void close_gap(std::size_t gap) {
    for (std::size_t i = next(gap); slots_[i].cell; i = next(i)) {
      const std::size_t way = (i - home(slots_[i].hash)) & (slots_.size() - 1);
      const std::size_t back = (i - gap) & (slots_.size() - 1);
      if (way < back) continue;  // its home lies behind the gap
      slots_[gap] = std::move(slots_[i]);
      gap = i;
    }
  }

  void resize(std::size_t slots) {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
    for (Slot& slot : old)
      if (slot.cell) place(slot.hash, std::move(slot.cell));
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace machida::flow
