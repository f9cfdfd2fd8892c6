#include "server/flow/unknown_keys.h"

#include "embed/object.h"
#include "embed/value.h"
#include "server/base/log.h"

namespace machida::flow {

UnknownKeys::UnknownKeys(Place place, std::string state_name, metrics::Registry& metrics)
    : place_(std::move(place)),
      state_name_(std::move(state_name)),
      count_(metrics.counter(kCounter, {{"pipeline", place_.pipeline}, {"step", place_.step}})) {}

void UnknownKeys::add(const embed::Gil& gil, _object* key) {
  count_.add();
  if (count_.value() != 1) return;
  log::warn(
      "pipeline '{}', step '{}': the key {} is not among the listed keys of state '{}': such "
      "records are dropped and counted (--unknown-keys=create makes their state instead)",
      place_.pipeline, place_.step, embed::repr(gil, embed::Object::borrow(gil, key), 200),
      state_name_);
}

}  // namespace machida::flow
