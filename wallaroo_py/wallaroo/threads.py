"""The application's threads, for the server when it ends."""

from __future__ import annotations

import sys


def names() -> str:
    """Return the names of the threads that Python waits for at its end, with commas; "" for none.

    Those are all but the main thread and daemon threads.
    """
    threading = sys.modules.get("threading")  # who has not loaded it has no threads
    if threading is None:
        return ""
    main = threading.main_thread()
    waited_for = [x for x in threading.enumerate() if not x.daemon and x is not main]
    return ", ".join(thread.name for thread in waited_for)
