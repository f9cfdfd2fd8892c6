"""The file that --config names: sections for storage sinks, the server's options, mistakes."""

import math
import sqlite3
from pathlib import Path

import pytest
from harness import VENV, Serve, calls, send, storage_app, wait_written

TWO_SINKS = """ab.to_sinks([Recorder(name="orders"), Recorder(name="other", path="other.jsonl")])"""
INTO_TABLE = """\
from dataclasses import dataclass
@dataclass
class Order:
    id: int

@wallaroo.computation(name="order")
def order(text):
    return Order(int(text))
"""


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "app.toml",
            """
[streaming.sinks.orders]
url = "pg://u:${PASSWORD}@h"
depth = { size = 3, tags = ["a"] }
[streaming.sinks.other]
""",
        ),
        (
            "app.yaml",
            """
streaming:
  sinks:
    orders:
      url: pg://u:${PASSWORD}@h
      depth: {size: 3, tags: [a]}
    other: {}
""",
        ),
    ],
)
def test_section_is_handed_to_build_partition(
    serve: Serve, tmp_path: Path, file: str, text: str
) -> None:
    (tmp_path / file).write_text(text)
    server = serve(storage_app(TWO_SINKS), "--config", file, env={"PASSWORD": "s3cret"})
    (build,) = calls(tmp_path, "build")
    assert build["config"] == {"url": "pg://u:s3cret@h", "depth": {"size": 3, "tags": ["a"]}}
    assert calls(tmp_path, "build", "other.jsonl")[0]["config"] == {}
    assert server.terminate() == 0
    assert "s3cret" not in server.stderr + server.stdout


def test_numbers_that_are_not_finite_reach_the_sink(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[streaming.sinks.orders]\nwait_s = inf\nleast = [-inf]\n")
    serve(storage_app('ab.to_sink(Recorder(name="orders"))'), "--config", "c.toml")
    assert calls(tmp_path, "build")[0]["config"] == {"wait_s": math.inf, "least": [-math.inf]}


def test_without_a_file_a_section_is_empty(serve: Serve, tmp_path: Path) -> None:
    serve(storage_app(TWO_SINKS))
    assert calls(tmp_path, "build")[0]["config"] == {}


def test_options_of_the_server_can_be_in_the_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        '[server]\ndead-letters = "letters.jsonl"\nepoch-interval = 0.05\nlog-level = "debug"\n'
    )
    server = serve(storage_app(), "--config", "c.toml")
    send(server.address(), "a")
    assert wait_written(tmp_path, 1) == ["a"]
    assert (tmp_path / "letters.jsonl").exists()
    assert server.log_lines("debug")


def test_all_mistakes_are_reported_at_once_with_their_places(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        """\
server:
  epoch-interval: soon
  colour: red
streaming:
  sinks:
    orders:
      url: ${NO_SUCH_VARIABLE}
    oders: {}
    table:
      url: sqlite:///${SECRET}
      batch_size: many
"""
    )
    end = """\
ab.to(order)
    ab.to_sinks([Recorder(name="orders"), Recorder(name="missing"),
                 wallaroo.IntoTable(Order, "orders", name="table")])"""
    server = serve(
        storage_app(end, INTO_TABLE),
        "--config",
        "c.yaml",
        *VENV,
        env={"SECRET": "s3cret"},
        ready=False,
    )
    assert server.wait() == 2
    found = [line.strip() for line in server.log_lines("c.yaml:")]
    assert found == [
        "c.yaml:2:19: 'epoch-interval' takes FLOAT:POSITIVE: seconds between checkpoints",
        "c.yaml:3:3: the server has no option 'colour'",
        "c.yaml:5:3: there is no section streaming.sinks.missing, which the sink Recorder of "
        "pipeline 'main' needs",
        "c.yaml:7:12: the environment variable NO_SUCH_VARIABLE is not set",
        "c.yaml:8:5: streaming.sinks.oders: no storage sink has this name; there are: missing, "
        "orders, table",
        "c.yaml:11:7: streaming.sinks.table: batch_size (rows per statement) must be an integer",
    ]
    assert "s3cret" not in server.stderr
    assert calls(tmp_path) == []


def test_check_looks_at_the_file_too(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[streaming.sinks.oders]\n")
    server = serve(storage_app(TWO_SINKS), "--config", "c.toml", "--check", ready=False)
    assert server.wait() == 2
    assert len(server.log_lines("c.toml:")) == 3


def test_unreadable_file_is_told(serve: Serve) -> None:
    server = serve(storage_app(), "--config", "none.toml", ready=False)
    assert server.wait() == 2
    assert "'none.toml' can't be read: No such file or directory" in server.stderr


@pytest.mark.parametrize("name", ["my.ini", "my.yaml"])
def test_file_of_the_application_is_told_to_go_behind_two_dashes(
    serve: Serve, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("interval: 3\n")
    text = storage_app(steps='print("ARGS", args[-2:])')
    server = serve(text, "--config", name, ready=False)
    assert server.wait() == 2
    assert f"as in -- --config {name}" in server.stderr
    server = serve(text, "--", "--config", name)
    assert f"ARGS ['--config', '{name}']" in server.stdout


def test_into_table_writes_through_the_binary(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('[streaming.sinks.table]\nurl = "sqlite:///shop.db"\n')
    end = 'ab.to(order)\n    ab.to_sink(wallaroo.IntoTable(Order, "orders", name="table"))'
    server = serve(storage_app(end, INTO_TABLE), "--config", "c.toml", *VENV)
    send(server.address(), *map(str, range(100)))
    assert server.terminate() == 0
    rows = sqlite3.connect(tmp_path / "shop.db").execute("SELECT id FROM orders").fetchall()
    assert rows == [(i,) for i in range(100)]
