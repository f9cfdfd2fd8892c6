"""What a partition raises to say what is wrong with a batch."""

from __future__ import annotations

from collections.abc import Mapping


class SinkUnavailable(Exception):
    """The storage can't be reached at the moment: the same records are tried until it can be."""


class RejectedItems(Exception):
    """Some records of a batch can't be written, and nothing of the batch was.

    They become dead letters (or stop the server, as `--on-error` says); the rest is given again
    at once.
    reasons: index in the batch -> why.
    """

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__(f"{len(reasons)} items rejected: {next(iter(reasons.values()), '')}")
        self.reasons = dict(reasons)
