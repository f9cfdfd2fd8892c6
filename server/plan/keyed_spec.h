// A keyed step of a dataflow as the application asked for it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "embed/object.h"
#include "server/window/clock.h"
#include "server/window/windows.h"

namespace machida::plan {

// Makes a fresh state or accumulator.
struct BuilderSpec {
  embed::Object function;  // function() or function(key)
  bool takes_key = false;
};

struct BatchSpec {
  std::int64_t max_size = 1;
  std::int64_t timeout_us = 0;  // not negative
};

struct StatefulMapSpec {
  BuilderSpec builder;
  embed::Object mapper;  // mapper(state, value) -> (state, output)
};

struct ReduceSpec {
  embed::Object reducer;      // reducer(accumulator, value) -> accumulator
  embed::Object is_complete;  // is_complete(accumulator) -> bool
};

struct ReduceWindowSpec {
  embed::Object reducer;
};

struct FoldWindowSpec {
  BuilderSpec builder;
  embed::Object folder;  // folder(accumulator, value) -> accumulator
};

struct CollectWindowSpec {};

struct WindowSpec {
  window::Clock clock;
  embed::Object dt_getter;  // value -> datetime; empty with the system's clock
  window::Windows windows;
  std::variant<ReduceWindowSpec, FoldWindowSpec, CollectWindowSpec> logic;
};

struct KeyedSpec {
  std::string id;
  std::variant<BatchSpec, StatefulMapSpec, ReduceSpec, WindowSpec> step;
};

}  // namespace machida::plan
