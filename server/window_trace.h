// `_machida.window_trace`: server/window step by step, for the tests that compare it with a model.
#pragma once

struct _object;  // CPython's PyObject, without its header

namespace machida {

inline constexpr char kWindowTraceDoc[] =
    "window_trace(config: dict, events: list[tuple]) -> list[tuple]\n\n"
    "Runs the window arithmetic over events, one state per key; for tests. Times are microseconds\n"
    "since 1970 UTC.\n\n"
    "config: clock 'event' (with wait_us) or 'system'; windows 'tumbling' (length_us, align_us),\n"
    "'sliding' (length_us, offset_us, align_us) or 'session' (gap_us); idle_keys 'keep' (default)\n"
    "or 'forget'.\n"
    "events and what each returns: ('item', key, time_us, now_us) -> (placed, closed, merges,\n"
    "windows, late_windows, due_us); ('notify', key, now_us) and ('eof', key) -> (closed, "
    "due_us);\n"
    "('save', key) -> the state as bytes, after it was restored from them; ('restore', key, "
    "bytes)\n"
    "-> None. placed is 'in', 'late', 'between' or 'out of range'; closed is a list of (id, "
    "open_us,\n"
    "close_us), merges of (from, into), windows of ids; due_us is None for never.\n"
    "Raises ValueError for a wrong config, event or saved state.";

// METH_VARARGS.
_object* window_trace(_object* module, _object* args);

}  // namespace machida
