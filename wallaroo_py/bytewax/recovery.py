"""Go on after a stop or a crash; `python -m bytewax.recovery DIR COUNT` makes partitions.

Implemented in `wallaroo.flows.recovery`, which has the whole story.
"""

from wallaroo.flows.recovery import (
    InconsistentPartitionsError,
    MissingPartitionsError,
    NoPartitionsError,
    RecoveryConfig,
    init_db_dir,
    main,
)

__all__ = [
    "InconsistentPartitionsError",
    "MissingPartitionsError",
    "NoPartitionsError",
    "RecoveryConfig",
    "init_db_dir",
]


if __name__ == "__main__":
    main()
