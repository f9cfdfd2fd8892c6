// Looking at what a step gets back from a snapshot, which may have come from elsewhere.
#pragma once

#include "embed/error.h"
#include "embed/object.h"

namespace machida::flow {

// That it is none of this kind of step ("batch").
embed::PythonError no_state_of(const char* kind, const embed::Object& saved);

}  // namespace machida::flow
