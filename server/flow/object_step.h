// A keyed step that remembers one Python object for each key, and stores it as it is.
#pragma once

#include "server/flow/keyed_step.h"

namespace machida::flow {

class ObjectStep : public KeyedStep {
 protected:
  using KeyedStep::KeyedStep;

  struct Cell final : KeyTable::Cell {
    embed::Object object;
  };

  // For a record: its key's cell.
  virtual void on_object(const embed::Gil&, Cell& cell, const Record& record, Batch& out) = 0;

 private:
  void on_record(const embed::Gil& gil, KeyTable::Cell& cell, const Record& record,
                 Batch& out) final {
    on_object(gil, static_cast<Cell&>(cell), record, out);
  }
  std::unique_ptr<KeyTable::Cell> make_cell() const final { return std::make_unique<Cell>(); }
  embed::Object saved(const embed::Gil& gil, const KeyTable::Cell& cell) const final {
    return static_cast<const Cell&>(cell).object.clone(gil);
  }
  void restore(const embed::Gil& gil, KeyTable::Cell& cell, const embed::Object& saved) final {
    static_cast<Cell&>(cell).object = saved.clone(gil);
  }
};

}  // namespace machida::flow
