// `_machida.run_flow`: a dataflow of wallaroo.flows, run in the calling thread.
#pragma once

struct _object;

namespace machida {

_object* run_flow(_object* module, _object* args);

inline constexpr const char* kRunFlowDoc =
    "run_flow(flow: Dataflow, options: dict) -> str | None\n\n"
    "Runs the dataflow until its inputs have ended. options: epoch_interval (float, seconds, 10\n"
    "unless given), workers (int), recovery_dir (str), backup_interval (float, seconds),\n"
    "snapshot_ser and snapshot_de (functions). On the main thread SIGTERM and SIGINT drain: what "
    "was\n"
    "read goes through; it returns 'drained' then, or raises KeyboardInterrupt.\n"
    "Raises what user code raised, ValueError for a flow that can't be run.";

}  // namespace machida
