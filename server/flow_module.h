// `_machida.run_flow`: a dataflow of wallaroo.flows, run in the calling thread; and
// `_machida.init_db_dir`: the recovery partitions that it can keep its state in; and
// `_machida.die_with_parent`, for processes that share one; and `_machida.stop_asked`, for what
// waits in one.
#pragma once

struct _object;

namespace machida {

_object* run_flow(_object* module, _object* args);
_object* init_db_dir(_object* module, _object* args);
_object* die_with_parent(_object* module, _object* args);
_object* stop_asked(_object* module, _object* nothing);

inline constexpr const char* kRunFlowDoc =
    "run_flow(flow: Dataflow, options: dict) -> str | None\n\n"
    "Runs the dataflow until its inputs have ended. options: epoch_interval (float, seconds, 10\n"
    "unless given), workers (int, of this process), links (list of int: descriptors of stream\n"
    "sockets to the other processes by their number, -1 at the own place; they are taken over),\n"
    "stop_line (int: an eventfd that they share, which is taken over; none when it is alone),\n"
    "watched (bool: a second signal does nothing), recovery_dir (str), backup_interval (float,\n"
    "seconds), snapshot_ser and snapshot_de (functions), summary (given: what was counted is "
    "logged\n"
    "at the end), handled_signals (list of int: those of SIGTERM and SIGINT that have a handler "
    "of\n"
    "the application's). On the main thread the others drain: what was read goes through; it\n"
    "returns 'drained' then, or raises KeyboardInterrupt. Signal handlers are called there while\n"
    "it waits, too.\n"
    "Raises what user code raised, ValueError for a flow that can't be run, and\n"
    "wallaroo.flows.links.PeerFailedError when another process has failed.";

inline constexpr const char* kInitDbDirDoc =
    "init_db_dir(directory: str, count: int) -> None\n\n"
    "Makes count empty recovery partitions. Raises OSError when there are some already.";

inline constexpr const char* kDieWithParentDoc =
    "die_with_parent(parent: int) -> None\n\n"
    "From now on the kernel kills this process when its parent's thread ends; at once if the\n"
    "parent is not the process with that number any more.";

inline constexpr const char* kStopAskedDoc =
    "stop_asked() -> bool\n\n"
    "Whether SIGTERM or SIGINT has asked the dataflow that runs on the main thread to end, or\n"
    "another process of the one that runs on this thread, or one of those is gone.";

}  // namespace machida
