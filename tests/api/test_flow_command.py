"""The command lines of dataflows: flags and their environment, import strings, exit statuses."""

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import wallaroo
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource
from wallaroo.flows import run
from wallaroo.flows.importing import load_flow
from wallaroo.flows.running import cli_main, cluster_main, run_cluster

FLOW = """
from bytewax.dataflow import Dataflow

flow = Dataflow()
flow.map("only", str)
wrong = 3

def make(name="made", *, n=1):
    made = Dataflow()
    made.map(name * n, str)
    return made
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module with dataflows, in a directory of its own, which is the current one."""
    name = f"flow_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("behind", "step_id"),
    [
        ("", "only"),
        (":", "only"),
        (":flow", "only"),
        (":make", "made"),
        (":make()", "made"),
        (":make('a', n=3)", "aaa"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".py"])
def test_an_import_string_finds_a_flow(module, suffix, behind, step_id):
    flow = load_flow(module + suffix + behind)
    assert isinstance(flow, Dataflow)
    assert flow._steps[0][1] == step_id


def test_a_path_into_a_package_is_imported_as_its_module(tmp_path, module):
    package = tmp_path / "above" / f"pkg_{module}" / "inner"
    package.mkdir(parents=True)
    for directory in (package, package.parent):
        (directory / "__init__.py").write_text("")
    (package / "app.py").write_text("from . import other\nflow = other.flow\n")
    (package / "other.py").write_text(FLOW)
    load_flow(f"{package}/app.py")
    assert f"pkg_{module}.inner.app" in sys.modules
    assert sys.path[0] == str(tmp_path / "above")
    load_flow(f"above.pkg_{module}.inner.app")


@pytest.mark.parametrize(
    "import_str", ["{}/pkg/inner/app", "app:flow", "inner/app", "{}/pkg.inner.app"]
)
def test_a_module_in_a_package_is_imported_as_its_module_from_anywhere(
    tmp_path, module, monkeypatch, import_str
):
    package = tmp_path / "pkg" / "inner"
    package.mkdir(parents=True)
    for directory in (package, package.parent):
        (directory / "__init__.py").write_text("")
    (package / "app.py").write_text("from .other import flow\n")
    (package / "other.py").write_text(FLOW)
    monkeypatch.chdir(package.parent if import_str == "inner/app" else package)
    load_flow(import_str.format(tmp_path))
    assert sys.modules["pkg.inner.app"].__file__ == str(package / "app.py")
    for name in ("pkg", "pkg.inner", "pkg.inner.app", "pkg.inner.other"):
        del sys.modules[name]


@pytest.mark.parametrize("import_str", ["./{}", "../{1}/{0}:flow", "pkg", "./pkg/"])
def test_a_path_needs_no_suffix(tmp_path, module, monkeypatch, import_str):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text(FLOW)
    assert load_flow(import_str.format(module, tmp_path.name))._steps[0][1] == "only"
    sys.modules.pop("pkg", None)


def test_an_installed_module_is_found_from_within_a_package(tmp_path, module, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    monkeypatch.chdir(tmp_path / "pkg")
    assert load_flow(module)._steps[0][1] == "only"


@pytest.mark.parametrize(
    ("import_str", "error", "text"),
    [
        ("no_such_module_x", ImportError, "no module 'no_such_module_x', for the dataflow"),
        ("no/such/file.py", ImportError, "no file 'no/such/file.py'"),
        ("./no_such_file:flow", ImportError, "no file './no_such_file.py'"),
        ("{}:nothing", AttributeError, "has no 'nothing', for the dataflow '{}:nothing'"),
        ("{}:wrong", TypeError, "is no `bytewax.dataflow.Dataflow`; got 3"),
        ("{}:make(flow)", ValueError, "neither a name nor a call with literals"),
        ("{}:make(**{{}})", ValueError, "neither a name nor a call with literals"),
        ("{}:a.b", ValueError, "neither a name nor a call with literals"),
        ("{}:1+", ValueError, "neither a name nor a call with literals"),
        (":flow", ValueError, "is no import string"),
    ],
)
def test_a_wrong_import_string_is_explained(module, import_str, error, text):
    with pytest.raises(error, match=text.format(module).replace("(", r"\(")):
        load_flow(import_str.format(module))


def test_a_mistake_inside_the_module_comes_out_as_it_is(tmp_path, module):
    (tmp_path / f"broken_{module}.py").write_text("import no_such_module_y\n")
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'no_such_module_y'$"):
        load_flow(f"broken_{module}")


FLAGS = [
    ("-w", "--workers-per-process", "BYTEWAX_WORKERS_PER_PROCESS", "3", "workers_per_process", 3),
    ("-p", "--processes", "BYTEWAX_PROCESSES", "2", "processes", 2),
    (
        "-r",
        "--recovery-directory",
        "BYTEWAX_RECOVERY_DIRECTORY",
        "dir",
        "recovery_directory",
        "dir",
    ),
    (
        *("-s", "--snapshot-interval", "BYTEWAX_SNAPSHOT_INTERVAL"),
        *("5", "snapshot_interval", timedelta(seconds=5)),
    ),
    (
        *("-b", "--backup-interval", "BYTEWAX_RECOVERY_BACKUP_INTERVAL"),
        *("7", "backup_interval", timedelta(seconds=7)),
    ),
]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("BYTEWAX_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(("short", "long", "variable", "text", "name", "value"), FLAGS)
def test_a_flag_has_a_long_form_and_an_environment_variable(
    monkeypatch, short, long, variable, text, name, value
):
    assert getattr(run.parse(["m", short, text]), name) == value
    assert getattr(run.parse(["m", f"{long}={text}"]), name) == value
    monkeypatch.setenv(variable, text)
    assert getattr(run.parse(["m"]), name) == value
    monkeypatch.setenv(variable, "9")
    assert getattr(run.parse(["m", short, text]), name) == value


def test_without_flags_there_is_one_worker_and_no_recovery():
    options = run.parse(["m"])
    assert (options.workers_per_process, options.processes) == (1, 1)
    assert (options.process_id, options.addresses, options.recovery_directory) == (None,) * 3
    assert options.snapshot_interval == timedelta(seconds=10)
    assert options.backup_interval == timedelta(days=1)


def test_processes_have_addresses(monkeypatch, tmp_path):
    options = run.parse(["m", "-i", "1", "-a", "h:1;h:2;"])
    assert (options.process_id, options.addresses) == (1, ["h:1", "h:2"])
    monkeypatch.setenv("BYTEWAX_POD_NAME", "my-app-12")
    monkeypatch.setenv("BYTEWAX_STATEFULSET_NAME", "my-app")
    (tmp_path / "hosts").write_text("a:1\nb:2\n")
    monkeypatch.setenv("BYTEWAX_HOSTFILE_PATH", str(tmp_path / "hosts"))
    options = run.parse(["m"])
    assert (options.process_id, options.addresses) == (12, ["a:1", "b:2"])
    monkeypatch.setenv("BYTEWAX_PROCESS_ID", "0")
    monkeypatch.setenv("BYTEWAX_ADDRESSES", "x:1")
    options = run.parse(["m"])
    assert (options.process_id, options.addresses) == (0, ["x:1"])


def test_a_file_of_hosts_is_not_read_without_a_process_id(monkeypatch):
    monkeypatch.setenv("BYTEWAX_HOSTFILE_PATH", "/no/such/file")
    assert run.parse(["m"]).addresses is None


def test_processes_are_ignored_where_there_are_addresses(monkeypatch, capsys):
    monkeypatch.setenv("BYTEWAX_PROCESSES", "3")
    options = run.parse(["m", "-i", "0", "-a", "h:1;h:2"])
    assert options.processes == 1
    assert "-p/--processes is ignored, because of -i and -a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environment", "text"),
    [
        ([], {}, "import_str"),
        (["m", "-w", "0"], {}, "must be 1 or more"),
        (["m", "-w", "x"], {}, "must be a whole number, got 'x'"),
        (["m", "-s", "1.5"], {}, "must be a whole number, got '1.5'"),
        (["m", "-s", "-1"], {}, "-s"),
        (["m"], {"BYTEWAX_WORKERS_PER_PROCESS": "many"}, "must be a whole number, got 'many'"),
        (["m", "-i", "0"], {}, "go together"),
        (["m", "-a", "h:1"], {}, "go together"),
        (["m", "-i", "0"], {"BYTEWAX_HOSTFILE_PATH": "/no/such/file"}, "/no/such/file"),
        (
            ["m"],
            {"BYTEWAX_POD_NAME": "a-1", "BYTEWAX_STATEFULSET_NAME": "b"},
            "BYTEWAX_POD_NAME is 'a-1', which is not BYTEWAX_STATEFULSET_NAME 'b'",
        ),
    ],
)
def test_a_wrong_command_line_ends_with_status_2(monkeypatch, capsys, arguments, environment, text):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        run.parse(arguments)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("process", "addresses", "text"),
    [
        ("2", "localhost:2101;localhost:2102", "is 2, counted from 0, and there are 2 addresses"),
        ("1", "localhost:2101", "is 1, counted from 0, and there is 1 address"),
    ],
)
def test_a_process_without_an_address_is_one_line_and_status_2(tmp_path, process, addresses, text):
    done = command("bytewax.run", "no_such_module_x", "-i", process, "-a", addresses, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"python -m bytewax.run: error: the process id {text}"
    assert "Traceback" not in done.stderr


def test_wrong_numbers_of_workers_are_refused():
    flow = Dataflow()
    with pytest.raises(ValueError, match="process_id and addresses go together"):
        cli_main(flow, process_id=0)
    with pytest.raises(ValueError, match="'worker_count_per_proc': must be 1 or more"):
        cluster_main(flow, [], 0, worker_count_per_proc=0)
    with pytest.raises(ValueError, match="'proc_id': 2 is no index of the 2 addresses"):
        cluster_main(flow, ["a:1", "b:1"], 2)
    with pytest.raises(TypeError, match="argument 'addresses'"):
        cluster_main(flow, "a:1", 0)
    with pytest.raises(ValueError, match="'processes': must be 1 or more"):
        run_cluster(flow, processes=0)
    with pytest.raises(ValueError, match="'processes': must be 1 or more"):
        cli_main(flow, processes=0)
    with pytest.raises(ValueError, match="processes and addresses exclude each other"):
        cli_main(flow, processes=2, process_id=0, addresses=["localhost:2101"])


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        ({"processes": 2}, {0, 1}),
        ({"processes": 2, "workers_per_process": 2}, {0, 1, 2, 3}),
        ({"processes": None, "workers_per_process": None}, {0}),
    ],
)
def test_processes_of_cli_main_multiply_the_workers(arguments, workers):
    used = set()
    flow = Dataflow()
    flow.input("in", TestingSource(range(200)))
    flow.redistribute()
    flow.inspect_worker(lambda worker, number: used.add(worker))
    flow.output("out", TestingSink([]))
    cli_main(flow, **arguments)
    assert used == workers


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("192.0.2.1:2101", "'192.0.2.1:2101' is another machine"),
        ("[2001:db8::1]:2101", "is another machine"),
        ("localhost", "'localhost' is no host:port"),
        (":2101", "':2101' is no host:port"),
        ("localhost:http", "'localhost:http' is no host:port"),
    ],
)
def test_addresses_of_processes_are_of_this_machine(address, text):
    flow = Dataflow()
    flow.input("in", TestingSource([]))
    flow.output("out", TestingSink([]))
    with pytest.raises(ValueError, match=re.escape(text)):
        cluster_main(flow, ["localhost:2102", address], 0)


WATCH_A_VICTIM_THAT_IS_WAITED_FOR_FIRST = """
import os, signal, sys
from wallaroo.flows.processes import _Watch
hearing, victims = os.pipe()
os.set_blocking(hearing, False)
watch = _Watch(hearing)
for index, end in enumerate([lambda: os._exit(1), lambda: os.kill(os.getpid(), signal.SIGKILL)]):
    pid = os.fork()
    if pid == 0:
        end()
    watch.pids[pid] = index
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
os.write(victims, (0).to_bytes(4, "little"))
sys.exit(watch.run())
"""


def test_a_killed_worker_is_named_also_after_those_that_ended_because_of_it():
    done = subprocess.run(
        [sys.executable, "-c", WATCH_A_VICTIM_THAT_IS_WAITED_FOR_FIRST],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(wallaroo.__file__).parents[1])},
        check=False,
    )
    assert done.stderr == "worker 1 was killed by signal 9 (Killed)\n"
    assert done.returncode == 128 + signal.SIGKILL


def command(*arguments, cwd=None, **environment):
    """Runs `python -m ...` to its end."""
    path = os.pathsep.join([str(Path(wallaroo.__file__).parents[1]), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["run", "testing", "recovery"])
def test_every_command_has_a_help(name):
    done = command(f"bytewax.{name}", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: python -m bytewax.{name}" in done.stdout


@pytest.mark.parametrize("name", ["run", "testing"])
def test_a_failure_ends_with_status_1_and_the_reason(tmp_path, name):
    done = command(f"bytewax.{name}", "no_such_module_x", cwd=tmp_path)
    assert done.returncode == 1
    assert "ImportError: no module 'no_such_module_x'" in done.stderr


def test_recovery_partitions_in_a_missing_directory_are_an_error(tmp_path):
    done = command("bytewax.recovery", "none", "2", cwd=tmp_path)
    assert done.returncode == 1
    assert 'error: recovery directory "none" does not exist' in done.stderr
