// A step of a dataflow that remembers something for each key: takes records `(key, value)` with a
// str key, and leaves `(key, output)`. What it remembers is in its KeyTable. Exceptions of user
// code are reported by the place that called it; the record is dropped then, as its state is.
#pragma once

#include <cstdint>
#include <string>

#include "server/flow/key_table.h"
#include "server/flow/step.h"

namespace machida::flow {

class KeyedStep : public Step, public TimedWork, protected KeyTable::Contents {
 public:
  void run(const embed::Gil&, Batch& in, Batch& out) final;
  EpochStates* states() noexcept final { return &keys_; }
  TimedWork* timed() noexcept final { return this; }
  std::optional<std::int64_t> next_due_us() const final { return keys_.next_due_us(); }
  void on_due(const embed::Gil&, std::int64_t now_us, Batch& out) final;
  void on_eof(const embed::Gil&, Batch& out) final;

  std::size_t keys() const noexcept { return keys_.size(); }

 protected:
  // What goes through a step at one moment.
  struct Record {
    _object* item;  // the whole of it, for error messages
    _object* key;
    _object* value;
  };

  KeyedStep(Place place, DeadLetters& dead_letters)
      : Step(std::move(place), dead_letters), keys_(this->place().step, *this) {}

  // Before the records of a batch.
  virtual void begin_batch() {}
  // The cell is part of the next snapshot.
  virtual void on_record(const embed::Gil&, KeyTable::Cell& cell, const Record& record,
                         Batch& out) = 0;
  // A cell that was to be due.
  virtual void on_cell_due(const embed::Gil&, KeyTable::Cell&, std::int64_t, Batch&) {}
  // No record will come for the key.
  virtual void on_cell_eof(const embed::Gil&, KeyTable::Cell&, Batch&) {}
  // Whether on_cell_eof() does something.
  virtual bool gives_at_eof() const { return false; }

  // Appends `(key, output)`; takes over `output`, null means that Python raised.
  static void push(const embed::Gil&, _object* key, _object* output, Batch& out);
  // The same for the record's key, in the record's own tuple if nobody else has it; the last use of
  // the record's value.
  static void answer(const embed::Gil&, const Record& record, _object* output, Batch& out);

  KeyTable keys_;
};

}  // namespace machida::flow
