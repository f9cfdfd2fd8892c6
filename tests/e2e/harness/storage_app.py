"""Applications that end in a storage sink which writes down what is called, as JSON lines.

Each line of the file is what happened: {"call": "build", ...}, {"call": "write", "items": [...]},
{"call": "close"}.
"""

import json
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

from harness.apptext import PRELUDE
from harness.client import Client
from harness.deadline import wait_until

CALLS = "calls.jsonl"
VENV = ("--venv", sys.prefix)
"""Options of a server whose application needs what tests/requirements.txt installs."""

RECORDER = """\
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


class Partition:
    def __init__(self, sink, path):
        self.sink = sink
        self.path = path

    def note(self, call, **more):
        more["thread"] = threading.get_ident()
        with open(self.path, "a") as file:
            file.write(json.dumps({"call": call, "sink": self.sink.name, **more}) + "\\n")

    def write_batch(self, items):
        self.note("write", items=list(items))

    def close(self):
        self.note("close")


@dataclass(frozen=True)
class Recorder:
    payload: type = str
    name: str = ""
    path: str = "calls.jsonl"
    router_branch_safe: ClassVar[bool] = True
    partition: ClassVar[type] = Partition

    def build_partition(
        self, config, worker_index, worker_count, bridge=None, session_manager=None
    ):
        made = self.partition(self, self.path)
        made.bridge = bridge
        made.note("build", config=dict(config), worker=worker_index, workers=worker_count)
        return made


"""


def storage_app(end: str = "ab.to_sink(Recorder())", defs: str = "", steps: str = "") -> str:
    """Returns a module with one pipeline, "main", from a TCP source to storage sinks.

    end: the statement that ends it. defs: what it needs; Recorder and Partition are there. steps:
    statements before the end.
    """
    lines = [*dedent(steps).splitlines(), end]
    body = "\n".join(f"    {line}" for line in lines)
    setup = f"""\
def application_setup(args):
    ab = wallaroo.ApplicationBuilder("test")
    ab.new_pipeline("main", source(args))
{body}
    return ab.build()
"""
    return f"{PRELUDE}{RECORDER}{dedent(defs)}\n\n{setup}"


def calls(directory: Path, kind: str | None = None, name: str = CALLS) -> list[dict[str, Any]]:
    """Returns what was called so far, of one kind or all of it."""
    path = directory / name
    if not path.exists():
        return []
    whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [call for call in map(json.loads, whole) if kind in (None, call["call"])]


def written(directory: Path, name: str = CALLS) -> list[Any]:
    """Returns all items that were written, in order."""
    return [item for call in calls(directory, "write", name) for item in call["items"]]


def wait_written(directory: Path, count: int, name: str = CALLS) -> list[Any]:
    """Waits until at least so many items are written; returns all of them."""
    wait_until(
        lambda: len(written(directory, name)) >= count,
        lambda: f"{count} items; there are {written(directory, name)}",
    )
    return written(directory, name)


def send(address: tuple[str, int], *payloads: str) -> None:
    """Sends frames over one connection and waits until all are processed."""
    with Client(address) as client:
        client.send_frames(*payloads)
        client.finish()
        client.wait_closed()


def failing(body: str) -> str:
    """Returns definitions of a Recorder whose write_batch runs body before it writes."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"""
class Failing(Partition):
    def write_batch(self, items):
        self.tries = getattr(self, "tries", 0) + 1
        self.note("try", items=list(items))
{lines}
        self.note("write", items=list(items))


class FailingRecorder(Recorder):
    partition = Failing
"""
