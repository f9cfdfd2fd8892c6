#include "server/flow/key_table.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/check.h"
#include "server/flow/call.h"

namespace machida::flow {
namespace {

using embed::Gil;
using embed::Object;

// Of a place in the heap: with event times each item makes its key the next one that is due, which
// then goes all the way up.
constexpr std::size_t kChildren = 4;

// Those of a str with lone surrogates, which has no UTF-8, come as they are in memory.
std::string_view order_of(PyObject* key) {
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(key, &size);  // kept in the str
  if (bytes) return {bytes, static_cast<std::size_t>(size)};
  PyErr_Clear();
  return {static_cast<const char*>(PyUnicode_DATA(key)),
          static_cast<std::size_t>(PyUnicode_GET_LENGTH(key) * PyUnicode_KIND(key))};
}

void sort_by_key(std::vector<KeyTable::Cell*>& cells) {
  std::sort(cells.begin(), cells.end(), [](const KeyTable::Cell* a, const KeyTable::Cell* b) {
    return order_of(a->key()) < order_of(b->key());
  });
}

// A str keeps its hash.
std::size_t hash_of(PyObject* key) {
  const Py_hash_t hash = reinterpret_cast<PyASCIIObject*>(key)->hash;
  return static_cast<std::size_t>(hash != -1 ? hash : PyObject_Hash(key));
}

// Equal strs have the same representation (PEP 393).
bool equal(PyObject* a, PyObject* b) {
  if (a == b) return true;
  const Py_ssize_t length = PyUnicode_GET_LENGTH(a);
  const auto kind = PyUnicode_KIND(a);
  return length == PyUnicode_GET_LENGTH(b) && kind == PyUnicode_KIND(b) &&
         std::memcmp(PyUnicode_DATA(a), PyUnicode_DATA(b),
                     static_cast<std::size_t>(length * kind)) == 0;
}

}  // namespace

KeyTable::~KeyTable() {
  if (cells_.size() == 0 || !Py_IsInitialized()) return;
  const embed::GilLock gil;
  cells_.clear();
}

KeyTable::Cell& KeyTable::find(const Gil& gil, PyObject* key) {
  const std::size_t hash = hash_of(key);
  Cell* known = cells_.find(hash, [key](const Cell& cell) { return equal(cell.key(), key); });
  if (known) return *known;
  std::unique_ptr<Cell> cell = contents_.make_cell();
  cell->key_ = Object::borrow(gil, key);
  return cells_.insert(hash, std::move(cell));
}

void KeyTable::forget(const Gil&, Cell& cell) {
  clear_due(cell);
  cell.vacant_ = true;
  if (!writer_) drop(cell);  // otherwise when the store has been told
}

void KeyTable::drop(Cell& cell) { cells_.take(hash_of(cell.key()), cell); }

void KeyTable::remember_change(const Gil& gil, Cell& cell) {
  if (cell.changed_in_ != 0 && cell.changed_in_ == ended_epoch_) write(gil, cell);
  cell.changed_in_ = epoch_;
  changed_.push_back(&cell);
}

void KeyTable::end_epoch() {
  MACHIDA_CHECK(to_write_.empty(), "an epoch ended before the one before was written");
  to_write_.swap(changed_);
  ended_epoch_ = epoch_++;
}

bool KeyTable::write_some(const Gil& gil, std::size_t states_max) {
  for (; states_max > 0 && !to_write_.empty(); --states_max) {
    Cell& cell = *to_write_.back();
    to_write_.pop_back();
    if (cell.changed_in_ != ended_epoch_) continue;
    write(gil, cell);
    if (cell.vacant_) drop(cell);
  }
  return !to_write_.empty();
}

void KeyTable::write(const Gil& gil, Cell& cell) {
  if (!cell.vacant_)
    writer_->write(gil, name_, cell.key(), contents_.saved(gil, cell).get());
  else if (cell.stored_)
    writer_->forget(gil, name_, cell.key());
  cell.stored_ = !cell.vacant_;
  cell.changed_in_ = 0;
}

bool KeyTable::restore(const Gil& gil, const Object& key, Object state) {
  if (!embed::is_exactly_str(key)) return false;
  Cell& cell = find(gil, key.get());
  contents_.restore(gil, cell, state);
  cell.vacant_ = false;
  cell.stored_ = true;
  return true;
}

std::vector<KeyTable::Cell*> KeyTable::in_order() const {
  std::vector<Cell*> cells;
  cells_.each([&cells](Cell& cell) {
    if (!cell.vacant()) cells.push_back(&cell);
  });
  sort_by_key(cells);
  return cells;
}

void KeyTable::set_due(Cell& cell, std::int64_t due_us) {
  const Due due{due_us, &cell};
  if (cell.due_place_ == kNowhere) {
    due_.push_back(due);
    return sift_up(due_.size() - 1, due);
  }
  const std::int64_t before_us = due_[cell.due_place_].due_us;
  if (due_us < before_us)
    sift_up(cell.due_place_, due);
  else if (due_us > before_us)
    sift_down(cell.due_place_, due);
}

void KeyTable::clear_due(Cell& cell) {
  const std::size_t place = cell.due_place_;
  if (place == kNowhere) return;
  cell.due_place_ = kNowhere;
  const Due last = due_.back();
  due_.pop_back();
  if (last.cell == &cell) return;
  sift_up(place, last);
  sift_down(last.cell->due_place_, last);
}

std::vector<KeyTable::Cell*> KeyTable::take_due(std::int64_t now_us, std::size_t cells_max) {
  std::vector<Cell*> cells;
  while (cells.size() < cells_max && !due_.empty() && due_.front().due_us <= now_us) {
    cells.push_back(due_.front().cell);
    clear_due(*due_.front().cell);
  }
  sort_by_key(cells);
  return cells;
}

void KeyTable::put(std::size_t place, Due due) {
  due_[place] = due;
  due.cell->due_place_ = place;
}

// What is to be due moves from a place, whose content is not looked at, towards the first one.
void KeyTable::sift_up(std::size_t place, Due due) {
  while (place > 0) {
    const std::size_t parent = (place - 1) / kChildren;
    if (due_[parent].due_us <= due.due_us) break;
    put(place, due_[parent]);
    place = parent;
  }
  put(place, due);
}

void KeyTable::sift_down(std::size_t place, Due due) {
  while (true) {
    const std::size_t first = kChildren * place + 1;
    if (first >= due_.size()) break;
    const std::size_t end = std::min(first + kChildren, due_.size());
    std::size_t child = first;
    for (std::size_t other = first + 1; other < end; ++other)
      if (due_[other].due_us < due_[child].due_us) child = other;
    if (due.due_us <= due_[child].due_us) break;
    put(place, due_[child]);
    place = child;
  }
  put(place, due);
}

}  // namespace machida::flow
