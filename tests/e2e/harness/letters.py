"""The file that --dead-letters names."""

import json
from pathlib import Path
from typing import Any

from harness.deadline import wait_until

LETTERS = ("--dead-letters", "letters.jsonl")
"""Options of a server that runs in tmp_path."""


def wait_letters(directory: Path, count: int) -> list[dict[str, Any]]:
    """Waits for at least count dead letters below the server's directory; returns all there are."""
    path = directory / LETTERS[1]
    wait_until(
        lambda: path.exists() and path.read_text().count("\n") >= count,
        lambda: f"{count} dead letters; there is {path.read_text() if path.exists() else None}",
    )
    return [json.loads(line) for line in path.read_text().splitlines()]
