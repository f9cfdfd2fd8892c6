// Windows as a test describes them: a dict of the words and microseconds that window_trace and
// step_trace share.
#pragma once

#include <optional>
#include <string>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/window/windower.h"

namespace machida {

// The entry of a dict, or nothing.
std::optional<embed::Object> find_entry(const embed::Gil&, const embed::Object& dict,
                                        const char* name);
// Its text; `otherwise` when it is not there.
std::string word_of(const embed::Gil&, const embed::Object& dict, const char* name,
                    const char* otherwise);
// Its integer. Throws std::invalid_argument when it is not there.
std::int64_t number_of(const embed::Gil&, const embed::Object& dict, const char* name);

// "clock": event (with wait_us) or system; "windows": tumbling (length_us, align_us), sliding (and
// offset_us) or session (gap_us); "idle_keys": keep or forget. Throws std::invalid_argument.
window::Windower read_windower(const embed::Gil&, const embed::Object& config);

}  // namespace machida
