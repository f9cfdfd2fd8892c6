// How the traces of the extension module are called: `trace(config: dict, events: list)`, for tests
// that compare windows and keyed steps with models.
#pragma once

#include "embed/object.h"

namespace machida {

// What a trace does; may throw.
using TraceBody = embed::Object (*)(const embed::Gil&, const embed::Object& config,
                                    const embed::Object& events);

// Called by Python with the arguments of a METH_VARARGS function named `name`. Everything that the
// body throws becomes a ValueError; with the traceback if it was user code.
_object* run_trace(const char* name, _object* args, TraceBody body);

}  // namespace machida
