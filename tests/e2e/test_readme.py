"""Every command and snippet of every README works, and gives what the README shows.

The texts are taken from the READMEs, which mark in the info strings of their blocks how to follow
them: see harness/readme.py. Only addresses of services and paths of theirs are put in here.
"""

import random
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from harness import BINARY, VENV, Broker, Serve, Start, one_pipeline, send, wait_until
from harness.readme import READMES, ROOT, Reader, blocks_of

MAKE_SHOP = (
    "python3 -m venv build/shop && "
    "build/shop/bin/pip install -r apps/orders_to_postgres/requirements.txt"
)
NOT_RUN = {
    "scripts/test": "it runs this test",
    MAKE_SHOP: "slow, and its packages are among the tests' own",
}
"""Commands in blocks that can't be followed here, each with the reason."""

ORDER = """\
from dataclasses import dataclass

@dataclass
class Order:
    id: int
"""
FOLLOWED = [readme for readme in READMES if blocks_of(readme)]
OF_KAFKA = [r for r in FOLLOWED if any("scripts/kafka" in b.text for b in blocks_of(r))]
OF_POSTGRES = [r for r in FOLLOWED if any("scripts/postgres" in b.text for b in blocks_of(r))]
LINK = re.compile(r"\[[^]]*\]\(([^)#]*)(?:#([^)]*))?\)")
CODE = re.compile(r"`([^`\n]+)`")
OF_THE_TREE = re.compile(r"(?:scripts|apps|server|embed|tests|wallaroo_py)/[\w./]+\w")


def kafka_words(broker: Broker, folder: Path) -> dict[str, str]:
    """Returns what makes a README's broker the one that the tests share."""
    return {
        "127.0.0.1:9092": broker.address,
        '("127.0.0.1", "9092")': str(tuple(broker.address.split(":"))),
        "kcat -C": "kcat -u -C",  # prints at once, as on a terminal
        "scripts/kafka start": f"scripts/kafka start --dir {broker.directory}",
        "scripts/kafka start --mock": f"scripts/kafka start --mock --dir {folder / 'mock'}",
    }


@pytest.fixture
def words(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """What to put in place of addresses and paths of the README that the test is about.

    The ports stay as they are: each test has a loopback address of its own.
    """
    readme = request.getfixturevalue("readme")
    host = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
    put_in = {"127.0.0.1": host}
    if readme in OF_KAFKA:
        put_in |= kafka_words(request.getfixturevalue("broker"), tmp_path)
    if readme in OF_POSTGRES:
        postgres = request.getfixturevalue("postgres")
        put_in["--venv build/shop"] = " ".join(VENV)
        put_in["scripts/postgres start"] = f"scripts/postgres start --dir {postgres.directory}"
        for table in ("orders", "customers"):
            postgres.ask(f"DROP TABLE IF EXISTS {table}")
    return put_in


@pytest.fixture
def store(start: Start, request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A resilience directory as a server leaves it."""
    (tmp_path / "app.py").write_text(one_pipeline())
    receiver = request.getfixturevalue("receiver")
    server = start(
        *("--application-module", "app", "--in", "127.0.0.1:0", "--out", receiver.address),
        *("--resilience-dir", str(tmp_path / "store")),
    ).ready()
    send(server.address(), "a")
    receiver.wait_lines(1)
    assert server.terminate() == 0
    return tmp_path / "store"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("readme", FOLLOWED)
def test_a_readme_can_be_followed(
    request: pytest.FixtureRequest, tmp_path: Path, readme: str, words: dict[str, str]
) -> None:
    if readme == "README.md":
        words[" DIR"] = f" {request.getfixturevalue('store')}"
    (tmp_path / "tree").mkdir()
    reader = Reader(tmp_path / "tree", words, set(NOT_RUN))
    try:
        for block in blocks_of(readme):
            reader.follow(block)
    finally:
        reader.close()
        if (tmp_path / "mock").exists():
            stop = [ROOT / "scripts/kafka", "stop", "--dir", tmp_path / "mock"]
            subprocess.run(stop, check=True)


def test_only_what_is_in_a_readme_is_left_out() -> None:
    lines = {
        c.partition("#")[0].strip() for r in READMES for b in blocks_of(r) for c in b.commands()
    }
    assert set(NOT_RUN) <= lines


def test_the_storage_sink_of_the_readme_stores(serve: Serve, tmp_path: Path) -> None:
    write_files(tmp_path)
    (tmp_path / "log.toml").write_text('[streaming.sinks.log]\npath = "log"\n')
    text = one_pipeline(defs="from into_log import IntoLog\n").replace(
        "ab.to_sink(sink(args, 0, encoder))", "ab.to_sink(IntoLog(str, 'log'))"
    )
    server = serve(text, "--config", "log.toml", "--epoch-interval", "0.05")
    send(server.address(), "a", "b")
    log = tmp_path / "log.0"
    wait_until(lambda: log.exists() and log.read_text() == "a\nb\n", "the records in the log")


def test_the_configuration_of_the_readme_is_accepted(serve: Serve, tmp_path: Path) -> None:
    write_files(tmp_path)
    text = one_pipeline(defs=ORDER).replace(
        "ab.to_sink(sink(args, 0, encoder))",
        "ab.to_sink(wallaroo.IntoTable(Order, 'orders', name='orders'))",
    )
    env: dict[str, str | None] = {"PASSWORD": "s3cret"}
    server = serve(text, "--config", "orders.toml", "--check", *VENV, env=env, ready=False)
    assert server.wait() == 0, server.stderr


def write_files(folder: Path) -> None:
    """Writes the files of the README's blocks."""
    for block in blocks_of("README.md"):
        if (name := block.words[-1]).startswith("file="):
            (folder / name.removeprefix("file=")).write_text(block.text)


@pytest.mark.parametrize("readme", READMES)
def test_what_a_readme_names_is_there(readme: str) -> None:
    text = (ROOT / readme).read_text()
    folder = (ROOT / readme).parent
    inside = [path for path, _ in LINK.findall(text) if path and "://" not in path]
    missing = [path for path in inside if not (folder / path).exists()]
    for code in CODE.findall(text):
        named = OF_THE_TREE.findall(code)
        missing += [
            p for p in named if not any(h.glob(f"{p}*") for h in (ROOT, ROOT / "wallaroo_py"))
        ]
    assert missing == []


def test_the_files_that_the_server_s_readme_follows_are_there() -> None:
    server = ROOT / "server"
    text = (server / "README.md").read_text()
    rooms = {folder.name for folder in server.iterdir() if folder.is_dir()}
    named = [code for code in CODE.findall(text) if re.fullmatch(r"(\w+/\w+|\w+)(\.cc|\.h)?", code)]
    files = [c for c in named if c.partition("/")[0] in {*rooms, "embed"} or c.endswith(".cc")]
    assert len(files) > 50
    assert [
        file
        for file in files
        if not any(
            (folder / file).with_suffix(end).exists()
            for folder in (server, ROOT)
            for end in (".cc", ".h", "")
        )
    ] == []


def test_the_names_that_the_server_s_readme_uses_are_there() -> None:
    text = (ROOT / "server/README.md").read_text()
    named = [name for code in CODE.findall(text) for name in re.findall(r"(?:\w+::)+(\w+)", code)]
    assert len(named) > 10
    headers = [*(ROOT / "server").glob("*/*.h"), *(ROOT / "embed").glob("*.h")]
    declared = "\n".join(header.read_text() for header in headers)
    assert [name for name in named if not re.search(rf"\b{name}\b", declared)] == []


def test_the_table_of_rooms_has_them_all() -> None:
    section = (ROOT / "server/README.md").read_text().partition("## Rooms")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    listed = {name.rstrip("/") for row in rows for name in CODE.findall(row)}
    layers = tomllib.loads((ROOT / "scripts/layers.toml").read_text())["layers"]
    assert listed == {room for room in layers if not room.startswith("tests/")}


@pytest.mark.parametrize("readme", READMES)
def test_links_within_a_readme_lead_to_its_headings(readme: str) -> None:
    text = (ROOT / readme).read_text()
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
    assert {anchor for path, anchor in LINK.findall(text) if anchor and not path} <= anchors


def test_the_table_of_options_is_what_help_lists() -> None:
    text = (ROOT / "README.md").read_text()
    section = text.partition("## The command line")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `--")]
    listed = set(re.findall(r"--[a-z][a-z-]+", "".join(rows)))
    told = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
    own = told.partition("Accepted from the original")[0]
    # Further to the left than what is said of them; where exactly is up to the release of CLI11.
    helped = set(re.findall(r"^ {2,11}(?:-\w, *)?(--[a-z][a-z-]+)", own, re.MULTILINE))
    of_the_original = {"--time-between-checkpoints", "--run-with-resilience"}
    assert listed == helped - of_the_original
