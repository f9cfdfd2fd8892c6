"""Every example application gives the output that lies beside it, through the real server.

Those that speak to Kafka are in test_kafka_apps.py, those with tables in test_postgres_apps.py,
dataflows in test_flow_apps.py.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from harness import Client, NewReceiver, Start, frames, wait_until

APPS = Path(__file__).resolve().parents[2] / "apps"
EXAMPLES = {
    path.parent.name: tomllib.loads(path.read_text()) for path in APPS.glob("*/example.toml")
}
OVER_TCP = sorted(
    name
    for name, example in EXAMPLES.items()
    if "module" in example
    and not any("kafka" in end or "table" in end for end in example["sources"] + example["sinks"])
)


def stream_of(folder: Path, source: dict[str, Any]) -> bytes:
    """Returns the bytes to send to a source; the formats are described in apps/README.md."""
    data = (folder / source["file"]).read_bytes()
    if source["format"] == "framed":
        return data
    assert source["format"] == "lines"
    return frames(*data.splitlines())


def messages(data: bytes, framing: str) -> list[bytes]:
    """Cuts what a sink got into messages."""
    if framing == "newline":
        return data.splitlines(keepends=True)
    assert framing == "u32"
    cut = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        cut.append(data[:end])
        data = data[end:]
    return cut


def test_every_application_has_an_example() -> None:
    expected = {
        *("reverse", "celsius", "alphabet", "alphabet_partitioned", "word_count"),
        *("market_spread", "word_count_kafka", "celsius_kafka", "alerts", "orders_to_postgres"),
    }
    assert expected <= set(EXAMPLES)
    applications = {p.name for p in APPS.iterdir() if p.is_dir() and p.name[0] not in "._"}
    assert applications == set(EXAMPLES)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("name", OVER_TCP)
def test_application_gives_its_expected_output(
    start: Start, new_receiver: NewReceiver, tmp_path: Path, name: str, workers: int
) -> None:
    folder = APPS / name
    example = EXAMPLES[name]
    sources, sinks = example["sources"], example["sinks"]
    receivers = [new_receiver() for _ in sinks]
    options = [
        *("--application-module", example["module"], "--workers", str(workers)),
        *("--in", ",".join("127.0.0.1:0" for _ in sources)),
        *("--out", ",".join(receiver.address for receiver in receivers)),
    ]
    in_order = any("after" in source for source in sources)
    if workers > 1 and in_order:
        options += ["--resilience-dir", str(tmp_path / "recovery")]
    server = start(*options, env={"PYTHONPATH": str(folder)}).ready()
    clients: list[Client] = []
    for source in sources:
        if "after" in source:
            clients[source["after"]].wait_closed()
            if workers > 1:  # what was read may still be on its way to another worker
                assert server.terminate() == 0
                server = start(*options, env={"PYTHONPATH": str(folder)}).ready()
        clients.append(Client(server.address(source["pipeline"])))
        clients[-1].send(stream_of(folder, source))
        clients[-1].finish()
    for client in clients:
        client.wait_closed()
        client.close()
    assert server.terminate() == 0
    for sink, receiver in zip(sinks, receivers, strict=True):
        expected = (folder / sink["file"]).read_bytes()
        wait_until(
            lambda r=receiver, e=expected: len(r.data) >= len(e),
            lambda r=receiver, e=expected: f"{len(e)} bytes; there are {len(r.data)}",
        )
        got, wanted = (messages(x, sink["framing"]) for x in (receiver.data, expected))
        if sink["order"] == "sorted" or workers > 1:
            got, wanted = sorted(got), sorted(wanted)
        assert got == wanted
    assert server.summary()["dead letters"] == 0, server.stderr


@pytest.mark.parametrize("name", OVER_TCP)
def test_application_runs_from_its_own_directory(
    start: Start, new_receiver: NewReceiver, name: str
) -> None:
    folder = APPS / name
    example = EXAMPLES[name]
    start(
        *("--application-module", example["module"]),
        *("--in", ",".join("127.0.0.1:0" for _ in example["sources"])),
        *("--out", ",".join(new_receiver().address for _ in example["sinks"])),
        cwd=folder,
    ).ready()
