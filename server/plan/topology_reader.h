// Reads topology tuples, those of ApplicationBuilder.build() and hand-made ones, into a Plan.
#pragma once

#include "embed/gil.h"
#include "embed/object.h"
#include "server/plan/plan.h"

namespace machida::plan {

// `topology` is the list that application_setup returned. Throws PlanError with every mistake in
// it, each naming pipeline and step. Calls the application's name(), header_length() and the
// constructors of classes given in place of objects; nothing else of it runs.
Plan read_topology(const embed::Gil&, const embed::Object& topology);

}  // namespace machida::plan
