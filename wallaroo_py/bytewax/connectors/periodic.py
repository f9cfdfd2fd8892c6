"""Ask for one item at fixed times: release 0.17's name of a module of `inputs`.

Implemented in `wallaroo.flows.polling`, which has the whole story.
"""

from wallaroo.flows.polling import (
    SimplePollingInput,
)

__all__ = [
    "SimplePollingInput",
]
