"""Which epoch a batch of records is."""

from __future__ import annotations

from typing import NamedTuple


class Epoch(NamedTuple):
    """One epoch of one sink.

    sink: names this sink of this worker and its resilience directory: the same after a restart,
    and not that of a directory that was made anew. number: grows from epoch to epoch; epochs
    without records for the sink are left out.
    """

    sink: str
    number: int
