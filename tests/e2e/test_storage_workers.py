"""Storage sinks with several workers: a partition for each, every record once over all of them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from harness import BINARY, VENV, Serve, Survivor, Talker, calls, send, storage_app, wait_written
from harness.orders import check_once, file_rows, orders_application, wait_rows
from harness.postgres import Postgres
from harness.workers import children, kill

SHORT = ("--epoch-interval", "0.05")
WORKERS = ("--workers", "3")


def test_every_worker_builds_and_closes_a_partition(serve: Serve, tmp_path: Path) -> None:
    server = serve(storage_app(), *SHORT, *WORKERS)
    for _ in range(4):
        send(server.address(), *map(str, range(25)))
    wait_written(tmp_path, 100)
    assert server.terminate() == 0
    assert sorted(x["worker"] for x in calls(tmp_path, "build")) == [0, 1, 2]
    assert {x["workers"] for x in calls(tmp_path, "build")} == {3}
    assert len(calls(tmp_path, "close")) == 3
    assert sorted(map(int, wait_written(tmp_path, 100))) == sorted([*range(25)] * 4)


def test_workers_killed_under_load_write_every_row_once(postgres: Postgres, tmp_path: Path) -> None:
    (tmp_path / "app.toml").write_text('[streaming.sinks.shop]\nurl = "${DATABASE}"\n')
    app = orders_application(
        'wallaroo.IntoTable(Order, "by_workers", name="shop"), wallaroo.IntoFiles(Order, "files")'
    )
    args = ["--in", "127.0.0.1:0", "--config", "app.toml", *VENV, *WORKERS]
    env = {"DATABASE": postgres.url()}

    def rows() -> list[tuple[int, int, int]]:
        try:
            return postgres.ask(  # type: ignore[return-value]
                "SELECT connection, number, count FROM by_workers ORDER BY connection, count"
            )
        except psycopg.errors.UndefinedTable:
            return []

    with Survivor(app, args, tmp_path) as servers:
        start = servers.start
        servers.start = lambda *options, env=env: start(*options, env=env)
        talker = Talker(servers.start_listening(), per_s=1000)
        wait_rows(rows, 1, servers.describe)
        known = len(rows())
        kill(children(servers.servers[-1])[1])
        wait_rows(rows, known + 300, servers.describe)
        servers.servers[-1].kill()  # all of them
        servers.start().ready()
        talker.stop()
        servers.drain()
        check_once(rows(), talker)
        check_once(sorted(file_rows(tmp_path)), talker)


def restart(servers: Survivor, workers: int) -> None:
    """Kills the server and starts it with so many workers."""
    servers.servers[-1].kill()
    servers.args[servers.args.index("--workers") + 1] = str(workers)
    servers.start().ready()


def scale(servers: Survivor, workers: int) -> None:
    """Gives the running server so many workers."""
    command = [BINARY, "scale", str(workers), str(servers.store)]
    subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(children(servers.servers[-1])) == workers


@pytest.mark.parametrize("change", [restart, scale])
def test_another_number_of_workers_writes_every_row_once(
    tmp_path: Path, change: Callable[[Survivor, int], None]
) -> None:
    app = orders_application('wallaroo.IntoFiles(Order, "files")')
    with Survivor(app, ["--in", "127.0.0.1:0", *VENV, "--workers", "1"], tmp_path) as servers:
        talker = Talker(servers.start_listening(), per_s=1000)
        for workers in (3, 2, 1):
            known = len(file_rows(tmp_path))
            wait_rows(lambda: file_rows(tmp_path), known + 100, servers.describe)
            change(servers, workers)
        talker.stop()
        servers.drain()
        check_once(sorted(file_rows(tmp_path)), talker)
