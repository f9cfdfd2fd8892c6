// Runs a keyed step of a dataflow over a list of events, with the system's time as the events say,
// for tests that compare it with a model; step_trace of the extension module.
#pragma once

struct _object;

namespace machida {

inline constexpr char kStepTraceDoc[] =
    "step_trace(config: dict, events: list[tuple]) -> tuple[list[tuple], int]\n\n"
    "Runs one keyed step of a dataflow, for tests. config: step (an operator's name), its "
    "functions\n"
    "and numbers by their names, clock and windows as in window_trace, metadata (a class; without\n"
    "it windows are bare). Events: ('items', now_us, records), ('due', now_us), ('eof',),\n"
    "('epoch',), ('restart',): with nothing but the snapshots. Returns for each (outputs, when "
    "the\n"
    "step is due or None, keys that it holds), and the number of late items. Raises ValueError:\n"
    "what is wrong with the arguments, or the traceback of what user code raised.";

// A METH_VARARGS function.
_object* step_trace(_object* module, _object* args);

}  // namespace machida
