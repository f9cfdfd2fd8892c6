// Reads the keyed steps among the tuples of a Dataflow:
//   ("batch", id, max_size: int, timeout: timedelta)
//   ("stateful_map", id, builder, mapper, builder_takes_key: bool)
//   ("reduce", id, reducer, is_complete)
//   ("reduce_window", id, clock, windows, reducer)
//   ("fold_window", id, clock, windows, builder, folder, builder_takes_key: bool)
//   ("collect_window", id, clock, windows)
// A clock with a dt_getter (and wait_for_system_duration) is an EventClockConfig, another one a
// SystemClockConfig. Windows with a gap are a SessionWindow, with an offset (length, align_to) a
// SlidingWindow, others (length, align_to) a TumblingWindow.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/plan/keyed_spec.h"
#include "server/plan/mistakes.h"

namespace machida::plan {

bool is_keyed_step(std::string_view action);

// `parts`: of a tuple whose first one is_keyed_step(). Notes what is wrong with it, named by the
// step, and returns nothing then. Throws PythonError: what an attribute of a config raises.
std::optional<KeyedSpec> read_keyed_step(const embed::Gil&, const std::vector<embed::Object>& parts,
                                         Mistakes& mistakes);

}  // namespace machida::plan
