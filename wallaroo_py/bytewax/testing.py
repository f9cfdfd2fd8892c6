"""Run dataflows in tests: sources and sinks in memory, helpers, and `python -m bytewax.testing`.

Implemented in `wallaroo.flows.testing`, which has the whole story.
"""

from wallaroo.flows.testing import (
    TestingSink,
    TestingSource,
    cluster_main,
    ffwd_iter,
    main,
    poll_next_batch,
    run_main,
)
from wallaroo.flows.testing import _ListSinkPartition as _ListSinkPartition
from wallaroo.flows.testing import test_cluster as test_cluster

# Names of release 0.17.
TestingInput = TestingSource
TestingOutput = TestingSink

__all__ = [
    "TestingInput",
    "TestingOutput",
    "TestingSink",
    "TestingSource",
    "cluster_main",
    "ffwd_iter",
    "poll_next_batch",
    "run_main",
]


if __name__ == "__main__":
    main()
