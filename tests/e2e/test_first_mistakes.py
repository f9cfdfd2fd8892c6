"""Mistakes of somebody who begins: the message names the place, what is wrong, and what to do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import Start, one_pipeline, wait_until

ROOT = Path(__file__).resolve().parents[2]
ADDRESSES = ("--in", "127.0.0.1:0", "--out", "127.0.0.1:9")
GOOD = one_pipeline()
FLOW = """\
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

flow = Dataflow()
flow.input("words", TestingSource(["to", "be"]))
flow.output("out", StdOutSink())
"""
NO_FILE = "--application-module takes a module's name, not its file: write 'good'"
NO_MODULE = "You must provide Machida with --application-module"
MODULES = {
    "good": GOOD,
    "words": FLOW,
    "other": re.sub(r"^flow\b", "stream", FLOW, flags=re.MULTILINE),
    "raises": 'raise RuntimeError("no licence file")\n',
    "no_setup": GOOD.replace("def application_setup", "def aplication_setup"),
    "empty": "import wallaroo\n",
    "no_decorator": GOOD.replace("@wallaroo.decoder(", "# ("),
    "no_build": GOOD.replace("return ab.build()", "return ab"),
    "no_return": GOOD.replace("return ab.build()", "ab.build()"),
    "misspelled": GOOD.replace("ApplicationBuilder", "AplicationBuilder"),
    "no_step": FLOW + 'flow.mapp("up", str.upper)\n',
    "no_sink": FLOW.replace("flow.output", "# "),
    "no_source": FLOW.replace("flow.input", "# "),
    "sink_class": FLOW + 'flow.output("again", StdOutSink)\n',
    "no_key": FLOW.replace("flow.output", "flow.reduce('sum', max, bool)\nflow.output"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the reader is: all modules lie there."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], f"{NO_MODULE} NAME; a dataflow is started by `machida run MODULE:FLOW`"),
        (["good"], f"{NO_MODULE}: write `machida --application-module good ...`"),
        (["good.py"], f"{NO_MODULE}: write `machida --application-module good ...`"),
        (["words:flow"], f"{NO_MODULE}; a dataflow is started by `machida run words:flow`"),
        (["rnu", "words"], "there is no command 'rnu': did you mean `machida run`?"),
        (["--aplication-module", "good"], "no option --aplication-module"),
        (["--application_module=good"], "did you mean --application-module?"),
    ],
)
def test_a_command_line_without_a_module(start: Start, words: list[str], said: str) -> None:
    server = start(*words)
    assert server.wait() == 2
    assert said in server.stderr


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("nowhere", "No module named 'nowhere': it is looked for in the current directory, {here}"),
        ("Good", "and in PYTHONPATH; did you mean 'good'?"),
        ("goood", "did you mean 'good'?"),
        ("good.py", NO_FILE),
        ("./good", NO_FILE),
        ("sub/good.py", f"{NO_FILE}, with PYTHONPATH=sub"),
        ("words:flow", "a dataflow is started by `machida run words:flow`"),
        ("no_setup", "did you mean 'aplication_setup'? Its name must be application_setup"),
        ("empty", "write one, `def application_setup(args):`, that ends with `return ab.build()`"),
        ("words", "it has a dataflow: start it with `machida run words:flow`"),
        ("raises", 'raises.py", line 1'),
        ("no_decorator", "is not a decoder: decorate it with @wallaroo.decoder ({here}/no_deco"),
        ("no_build", "end it with `return ab.build()`"),
        ("no_return", "end it with `return ab.build()`"),
        ("misspelled", "no attribute 'AplicationBuilder'; did you mean 'ApplicationBuilder'?"),
    ],
)
def test_a_wrong_module(start: Start, folder: Path, module: str, said: str) -> None:
    server = start("--application-module", module, *ADDRESSES)
    assert server.wait() == 2
    assert said.format(here=folder) in server.stderr
    assert "listening on" not in server.stdout


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "127.0.0.1:9"], "--in (or -i) is missing: add for example --in 127.0.0.1:7010"),
        (["--in", "127.0.0.1:0"], "--out (or -o) is missing: add for example --out 127.0.0.1:7002"),
        (["--inn", "127.0.0.1:0"], "--in 127.0.0.1:7010 ('--inn' is another option)"),
        (["-in", "127.0.0.1:0"], "('-in' is another option)"),
        (["--in", "127.0.0.1"], "address '127.0.0.1': there is no port (write HOST:PORT"),
        (["--in", "7010"], "address '7010': there is no port"),
        (["--in", "[]:7010"], "address '[]:7010': there is no host"),
        (["--in", "127.0.0.1:http"], "the port must be a number from 0 to 65535"),
        (["--in", "tcp://127.0.0.1:0"], "'tcp://127.0.0.1:0': write it without tcp://"),
        (["--in", "127.0.0.1:0,"], "'': nothing stands before or behind a comma"),
    ],
)
def test_wrong_addresses(start: Start, words: list[str], said: str) -> None:
    server = start("--application-module", "good", *words)
    assert server.wait() == 2
    assert said in server.stderr


@pytest.mark.usefixtures("folder")
def test_an_option_that_looks_like_one_of_the_servers_is_doubted(start: Start) -> None:
    words = ["--log-levle", "debug", "--worker=2", "--resilience_dir", "x", "--names", "y"]
    server = start("--application-module", "good", "--check", *ADDRESSES, *words)
    assert server.wait() == 0
    warnings = server.log_lines("warning")
    assert [line.rpartition("did you mean ")[2] for line in warnings] == [
        "--log-level?",
        "--workers?",
        "--resilience-dir?",
    ]
    assert "no option --log-levle, it goes to application_setup(args)" in warnings[0]


@pytest.mark.usefixtures("folder")
def test_a_file_is_no_resilience_directory(start: Start) -> None:
    server = start("--application-module", "good", *ADDRESSES, "-r", "good.py")
    assert server.wait() == 4
    assert "good.py: is a file; the recovery directory was expected" in server.stderr


@pytest.mark.usefixtures("folder")
def test_a_broker_that_is_not_there_is_named_and_waited_for(start: Start, tmp_path: Path) -> None:
    app = (ROOT / "apps/word_count_kafka/word_count_kafka.py").read_text()
    (tmp_path / "counting.py").write_text(app)
    topics = [
        *("--kafka_source_topic", "texts", "--kafka_source_brokers", "127.0.0.1:1"),
        *("--kafka_sink_topic", "counts", "--kafka_sink_brokers", "127.0.0.1:1"),
    ]
    server = start("--application-module", "counting", *topics)
    server.wait_stderr("waiting for it to end")
    warning = server.log_lines("warning", "127.0.0.1:1")[0]
    assert "topic" in warning
    assert "Connection refused" in warning
    assert server.terminate() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wrods:flow"], "ImportError: no module 'wrods', for the dataflow 'wrods:flow'"),
        (["wrods:flow"], "did you mean 'words'?"),
        (["./wrods:flow"], "ImportError: no file './wrods.py'"),
        (["words:flwo"], "words.py; its dataflow is 'flow': write words:flow"),
        (["other"], "module 'other' has no 'flow'"),
        (["other"], "its dataflow is 'stream': write other:stream"),
        (["good"], "it has application_setup: start it with `machida --application-module good`"),
        (["words", "-r", "none"], 'recovery directory "none" does not exist'),
        (["words", "-r", "none"], "mkdir -p none && python3 -m bytewax.recovery none 4"),
        (["no_sink"], "at least one output: end it with flow.output(step_id, sink)"),
        (["no_source"], "at least one input: begin it with flow.input(step_id, source)"),
        (["words", "-a", "192.0.2.1:2101;192.0.2.2:2101", "-i", "0"], "is another machine"),
        (["words", "-r", "words.py"], 'recovery directory "words.py" does not exist'),
    ],
)
def test_a_wrong_command_for_a_dataflow(
    start: Start, folder: Path, words: list[str], said: str
) -> None:
    server = start("run", *words)
    assert server.wait() == 1
    assert said in server.stderr
    assert "Traceback" not in server.stderr
    assert server.stdout == ""


@pytest.mark.parametrize(
    ("module", "place", "said"),
    [
        ("raises", "line 1", "RuntimeError: no licence file"),
        (
            "no_step",
            "line 8",
            "AttributeError: 'Dataflow' object has no attribute 'mapp'. Did you mean: 'map'?",
        ),
        (
            "sink_class",
            "line 8",
            "TypeError: argument 'sink': sink must subclass `bytewax.outputs.Sink`; got the class "
            "StdOutSink and not an object of it: write StdOutSink(...)",
        ),
    ],
)
def test_the_traceback_of_a_dataflow_that_fails_to_load_begins_in_its_module(
    start: Start, folder: Path, module: str, place: str, said: str
) -> None:
    server = start("run", module)
    assert server.wait() == 1
    first, second, *_, last = server.stderr.strip().splitlines()
    assert first == "Traceback (most recent call last):"
    assert second.strip() == f'File "{folder}/{module}.py", {place}, in <module>'
    assert last == said


@pytest.mark.usefixtures("folder")
def test_an_item_without_a_key_is_shown_with_its_step(start: Start) -> None:
    server = start("run", "no_key")
    assert server.wait() == 1
    assert "requires a `(key, value)` 2-tuple" in server.stderr
    assert "step 'sum' on 'to'" in server.stderr


@pytest.mark.usefixtures("folder")
def test_a_file_is_run_as_well(start: Start) -> None:
    server = start("run", "words.py")
    assert server.wait() == 0
    wait_until(lambda: server.stdout == "to\nbe\n", "the words")


def python(folder: Path, code: str, path: list[Path]) -> str:
    """Runs code in the tests' Python and returns what it ended with."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


RUN_IN_A_TEST = "import good; from wallaroo import testing; testing.run(good, {})"


def test_an_engine_that_was_not_built_is_named_with_what_to_do(folder: Path) -> None:
    said = python(folder, RUN_IN_A_TEST, [ROOT / "wallaroo_py"])
    assert "ImportError: wallaroo.testing needs the engine, the extension module _machida" in said
    assert "run scripts/build and put its directory build on PYTHONPATH" in said


def test_an_engine_of_another_python_is_named_with_what_to_do(folder: Path) -> None:
    build = folder / "build"
    build.mkdir()
    (build / "_machida.cpython-399-x86_64-linux-gnu.so").touch()
    said = python(folder, RUN_IN_A_TEST, [ROOT / "wallaroo_py", build])
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"linux-gnu.so is for another Python than this one, {mine}" in said
    assert f"MACHIDA_PYTHON={sys.executable} scripts/build --dir build-{mine}" in said


def test_a_python_that_can_not_be_run_stops_the_build() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, ROOT / "scripts/build"],
        env={**os.environ, "MACHIDA_PYTHON": "/no/such/python"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "MACHIDA_PYTHON is '/no/such/python', which is no program" in done.stderr


def test_a_free_threaded_python_is_refused_by_the_build() -> None:
    code = (
        "import runpy, sysconfig\n"
        "sysconfig.get_config_vars()['Py_GIL_DISABLED'] = 1  # as in python3.13t\n"
        f"runpy.run_path({str(ROOT / 'scripts/embeddable.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cannot be embedded: it is free-threaded" in done.stderr
    assert "MACHIDA_PYTHON=/usr/bin/python3 scripts/build" in done.stderr
