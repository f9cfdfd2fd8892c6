// A Dataflow object (wallaroo.flows) into a plan::Dataflow, or every mistake in it at once. Reads
// `_steps`, a list of tuples (operator, step id or None, arguments ...), and `_bare_window_output`.
#pragma once

#include "embed/gil.h"
#include "embed/object.h"
#include "server/plan/dataflow.h"

namespace machida::plan {

// Steps whose id is None get one of operator and place: "inspect-3". Throws PlanError, and
// PythonError when `flow` is no Dataflow.
Dataflow read_dataflow(const embed::Gil&, const embed::Object& flow);

}  // namespace machida::plan
