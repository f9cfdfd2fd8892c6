"""How an application is found and loaded, and what its mistakes look like."""

import os
import venv
from pathlib import Path

import pytest
from harness import COUNT, COUNT_STEP, Client, Receiver, Serve, Start, one_pipeline

ONLY_THERE = 'WORD = "found"\n'
USES_IT = one_pipeline("import only_there\nprint('it is', only_there.WORD)")


def test_import_error_shows_the_traceback(serve: Serve) -> None:
    server = serve("import nothing_of_this_name\n", ready=False)
    assert server.wait() == 2
    assert "Traceback" in server.stderr
    assert "No module named 'nothing_of_this_name'" in server.stderr
    assert "app.py" in server.stderr


def test_syntax_error_shows_its_place(serve: Serve) -> None:
    server = serve("def application_setup(args:\n", ready=False)
    assert server.wait() == 2
    assert "SyntaxError" in server.stderr and "app.py" in server.stderr


def test_unknown_module_is_named(start: Start) -> None:
    server = start("--application-module", "no_such_app")
    assert server.wait() == 2
    assert "no_such_app" in server.stderr


def test_module_name_with_suffix_is_a_mistake_that_names_it(start: Start, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(one_pipeline())
    server = start("--application-module", "app.py")
    assert server.wait() == 2
    assert "app.py" in server.stderr


def test_module_without_application_setup(serve: Serve) -> None:
    server = serve("import wallaroo\n", ready=False)
    assert server.wait() == 2
    assert "application_setup" in server.stderr and "app" in server.stderr


def test_exception_in_application_setup_shows_the_traceback(serve: Serve) -> None:
    server = serve("def application_setup(args):\n    return 1 // 0\n", ready=False)
    assert server.wait() == 2
    assert "ZeroDivisionError" in server.stderr and "Traceback" in server.stderr


@pytest.mark.parametrize(
    ("call", "status"),
    [("sys.exit(7)", 7), ("sys.exit()", 0), ("exit(3)", 3), ("raise SystemExit(9)", 9)],
)
def test_sys_exit_in_application_setup_is_the_status(serve: Serve, call: str, status: int) -> None:
    text = f"import sys\ndef application_setup(args):\n    print('bye')\n    {call}\n"
    server = serve(text, ready=False)
    assert server.wait() == status
    assert server.stdout == "bye\n"
    assert "Traceback" not in server.stderr


def test_sys_exit_with_a_text_prints_it_and_ends_with_1(serve: Serve) -> None:
    text = "import sys\ndef application_setup(args):\n    sys.exit('usage: like this')\n"
    server = serve(text, ready=False)
    assert server.wait() == 1
    assert "usage: like this" in server.stderr


def test_argparse_help_of_the_application_works(serve: Serve) -> None:
    text = """\
import argparse
def application_setup(args):
    parser = argparse.ArgumentParser()
    parser.add_argument("--speed", type=int)
    parser.parse_known_args(args)
"""
    server = serve(text, "--speed", "fast", ready=False)
    assert server.wait() == 2
    assert "invalid int value: 'fast'" in server.stderr


def test_application_is_found_through_pythonpath(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "lib/my_app.py").write_text(one_pipeline())
    server = start(
        *("--application-module", "my_app", "--in", "127.0.0.1:0", "--out", receiver.address),
        env={"PYTHONPATH": str(tmp_path / "lib")},
        cwd=tmp_path / "elsewhere",
    ).ready()
    with Client(server.address()) as client:
        client.send_frames("a")
        assert receiver.wait_lines(1) == ["a"]


def test_application_in_a_package(start: Start, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/__init__.py").write_text("")
    (tmp_path / "pack/inner.py").write_text(one_pipeline())
    start(
        *("--application-module", "pack.inner", "--in", "127.0.0.1:0", "--out", receiver.address)
    ).ready()


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment with a module that is nowhere else."""
    folder = tmp_path / "my-venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "only_there.py").write_text(ONLY_THERE)
    return folder


def test_activated_virtual_environment_is_used(serve: Serve, environment: Path) -> None:
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    server = serve(USES_IT, env={"VIRTUAL_ENV": str(environment), "PATH": path})
    assert "it is found" in server.stdout


def test_virtual_env_variable_alone_is_enough(serve: Serve, environment: Path) -> None:
    server = serve(USES_IT, env={"VIRTUAL_ENV": str(environment)})
    assert "it is found" in server.stdout


def test_venv_option_names_the_virtual_environment(serve: Serve, environment: Path) -> None:
    server = serve(USES_IT, "--venv", str(environment))
    assert "it is found" in server.stdout


def test_virtual_environment_of_another_python_is_a_clear_mistake(
    serve: Serve, environment: Path
) -> None:
    config = environment / "pyvenv.cfg"
    lines = [x for x in config.read_text().splitlines() if not x.startswith("version")]
    config.write_text("\n".join([*lines, "version = 3.1.4"]) + "\n")
    server = serve(USES_IT, "--venv", str(environment), ready=False)
    assert server.wait() == 2
    assert "3.1" in server.stderr and "my-venv" in server.stderr


def test_sys_executable_can_run_python(serve: Serve, environment: Path) -> None:
    text = one_pipeline("""\
        import subprocess
        code = "import only_there; print(only_there.WORD)"
        print("child:", subprocess.check_output([sys.executable, "-c", code]).decode())
        """)
    server = serve(text, "--venv", str(environment))
    assert "child: found" in server.stdout


def test_current_directory_comes_before_installed_modules(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("WORD = 'local'\n")
    server = serve(one_pipeline("import helper\nprint(helper.WORD)"))
    assert "local\n" in server.stdout


@pytest.mark.parametrize("name", ["loom", "bytewax"])
def test_an_application_may_have_a_name_that_the_server_has_too(
    start: Start, receiver: Receiver, tmp_path: Path, name: str
) -> None:
    (tmp_path / f"{name}.py").write_text(one_pipeline())
    start(*("--application-module", name, "--in", "127.0.0.1:0", "--out", receiver.address)).ready()


@pytest.mark.parametrize("name", ["loom", "bytewax"])
def test_an_application_may_have_helpers_of_a_name_that_the_server_has_too(
    serve: Serve, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / name / "helpers.py").write_text("WORD = 'local'\n")
    server = serve(f"from {name}.helpers import WORD\nprint(WORD)\n" + one_pipeline())
    assert "local\n" in server.stdout


def test_a_wallaroo_beside_the_application_is_not_used(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for folder in (tmp_path, tmp_path / "old"):
        (folder / "wallaroo.py").write_text("print 'of Python 2'\n")
    serve(one_pipeline(), env={"PYTHONPATH": f"{tmp_path / 'old'}:{tmp_path}:."})


def test_folders_of_data_hide_no_package(serve: Serve, tmp_path: Path) -> None:
    for name in ("loom", "bytewax"):
        (tmp_path / name).mkdir()
    serve("import bytewax.dataflow\nimport loom.streaming\n" + one_pipeline())


def test_wallaroo_is_found_without_pythonpath(serve: Serve) -> None:
    server = serve(one_pipeline("print('package at', wallaroo.__file__)"))
    assert "package at" in server.stdout


def test_user_threads_run_while_the_server_is_idle(serve: Serve) -> None:
    text = one_pipeline("""\
        import threading, time
        def tick():
            for number in range(1000):
                print("tick", number)
                time.sleep(0.01)
        threading.Thread(target=tick, daemon=True).start()
        """)
    server = serve(text)
    server.wait_stdout("tick 20\n")


def test_atexit_functions_run_on_drain(serve: Serve) -> None:
    text = one_pipeline("import atexit\natexit.register(print, 'good bye')")
    server = serve(text)
    assert server.terminate() == 0
    assert "good bye" in server.stdout


def test_module_is_imported_once(serve: Serve, receiver: Receiver) -> None:
    server = serve("print('loaded')\n" + one_pipeline())
    with Client(server.address()) as client:
        client.send_frames("a")
        receiver.wait_lines(1)
    assert server.stdout.count("loaded") == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_application_that_changes_directory_leaves_the_options_paths_where_they_are(
    serve: Serve, receiver: Receiver, tmp_path: Path, workers: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    text = one_pipeline(
        COUNT_STEP, f"import os\nos.chdir({str(tmp_path / 'elsewhere')!r})\n{COUNT}"
    )
    options = ("--resilience-dir", "recovery", "--dead-letters", "letters", "--workers", workers)
    for run in range(2):
        server = serve(text, *options)
        with Client(server.address()) as client:
            client.send_frames("a")
            receiver.wait_lines(run + 1)
        assert server.terminate() == 0
    assert receiver.lines == ["a 1", "a 2"]
    assert (tmp_path / "recovery").is_dir() and (tmp_path / "letters").is_file()
    assert not list((tmp_path / "elsewhere").iterdir())
