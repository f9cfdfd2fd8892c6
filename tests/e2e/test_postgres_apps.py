"""The example applications that end in tables leave there what lies beside them."""

import tomllib
from pathlib import Path

import pytest
from harness import VENV, Client, Start, frames, wait_until
from harness.postgres import Postgres

APPS = Path(__file__).resolve().parents[2] / "apps"
EXAMPLES = {
    path.parent.name: tomllib.loads(path.read_text()) for path in APPS.glob("*/example.toml")
}
INTO_TABLES = sorted(
    name for name, x in EXAMPLES.items() if any("table" in sink for sink in x["sinks"])
)


@pytest.mark.parametrize("name", INTO_TABLES)
def test_application_leaves_its_expected_rows(start: Start, postgres: Postgres, name: str) -> None:
    folder = APPS / name
    example = EXAMPLES[name]
    (source,) = example["sources"]
    for sink in example["sinks"]:
        postgres.ask(f"DROP TABLE IF EXISTS {sink['table']}")
    server = start(
        *("--application-module", example["module"], "--in", "127.0.0.1:0", *VENV),
        *("--config", str(folder / example["config"]), "--epoch-interval", "0.05"),
        env={"PYTHONPATH": str(folder), "DATABASE_URL": postgres.url().replace("+psycopg", "")},
    ).ready()
    with Client(server.address(source["pipeline"])) as client:
        client.send(frames(*(folder / source["file"]).read_bytes().splitlines()))
        client.finish()
        client.wait_closed()
    for sink in example["sinks"]:
        query = f"SELECT {', '.join(sink['columns'])} FROM {sink['table']} ORDER BY 1"
        expected = (folder / sink["file"]).read_text().splitlines()

        def rows(query: str = query) -> list[str]:
            return ["\t".join(map(str, row)) for row in postgres.ask(query)]

        wait_until(lambda e=expected, r=rows: r() == e, lambda r=rows: "\n".join(r()))
    assert server.terminate() == 0
    assert server.summary()["dead letters"] == 0, server.stderr
