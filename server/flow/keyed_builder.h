// The user's builder of a fresh state or accumulator: takes nothing, or the key.
#pragma once

#include "embed/gil.h"
#include "embed/object.h"

struct _object;

namespace machida::flow {

enum class BuilderTakes { kNothing, kKey };

struct KeyedBuilder {
  embed::Object function;
  BuilderTakes takes = BuilderTakes::kNothing;

  // A new reference, or null with the exception set.
  _object* build(const embed::Gil&, _object* key) const;
};

}  // namespace machida::flow
