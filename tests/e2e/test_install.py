"""What `meson install`, and so pip, puts into an environment is complete.

`scripts/try_install` does the same with pip, which compiles everything again.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"

EMBEDDABLE = ROOT / "scripts/embeddable.py"

FLOW = """
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

flow = Dataflow()
flow.input("in", TestingSource(["installed"]))
flow.output("out", StdOutSink())
"""


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has what the build installs, and nothing else."""
    directory = tmp_path_factory.mktemp("install")
    made = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
    staged = directory / "staged"
    subprocess.run(
        ["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", staged],
        check=True,
        capture_output=True,
    )
    (packages,) = staged.rglob("wallaroo/__init__.py")
    (binary,) = staged.rglob("machida")
    (site,) = made.glob("lib/python*/site-packages")
    for package in packages.parents[1].iterdir():
        package.rename(site / package.name)
    binary.rename(made / "bin/machida")
    return made


def run(venv: Path, program: str, *arguments: str, cwd: Path, **environment: str) -> str:
    """Runs a program of the environment; returns its output."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [venv / "bin" / program, *arguments],
        env={**clean, **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def newer_pythons() -> list[str]:
    """The interpreters from 3.12 on, on PATH or of pyenv, that the server can embed."""
    names = [shutil.which(f"python3.{minor}") for minor in range(12, 20)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names += map(str, sorted(pyenv.glob("3.1[2-9].*/bin/python3")))
    checks = {name: [name, EMBEDDABLE] for name in names if name}
    return [
        name
        for name, check in checks.items()
        if subprocess.run(check, capture_output=True, check=False).returncode == 0
    ]


@pytest.mark.parametrize("python", newer_pythons())
def test_a_newer_python_than_the_build_tool_knows_is_configured(
    python: str, tmp_path: Path
) -> None:
    # Debian 12's meson said of each from 3.12 on that it was no valid one.
    done = subprocess.run(
        ["meson", "setup", tmp_path / "build", ROOT, f"-Dpython={python}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_module_is_installed(venv: Path, tmp_path: Path) -> None:
    (site,) = venv.glob("lib/python*/site-packages")
    source = ROOT / "wallaroo_py"
    wanted = {p.relative_to(source) for p in source.rglob("*") if p.suffix == ".py"}
    wanted |= {p.relative_to(source) for p in source.rglob("py.typed")}
    assert {path for path in wanted if not (site / path).is_file()} == set()
    code = "import wallaroo, _machida; print(wallaroo.__file__); print(_machida.__file__)"
    for line in run(venv, "python", "-c", code, cwd=tmp_path).splitlines():
        assert line.startswith(str(site))


def test_the_server_finds_the_packages_beside_it(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "where.py").write_text(
        "import sys, wallaroo\n"
        "def application_setup(args):\n"
        "    print(wallaroo.__file__, sys.prefix)\n"
        "    sys.exit(0)\n"
    )
    printed = run(venv, "machida", "--application-module", "where", cwd=tmp_path)
    package, prefix = printed.split()
    assert Path(package).is_relative_to(venv)
    assert Path(prefix) == venv


def test_a_wallaroo_application_is_tested_there(venv: Path, tmp_path: Path) -> None:
    code = (
        "import reverse; from wallaroo import testing\n"
        "print(testing.run(reverse, {'reverse': [b'hello']}).output())"
    )
    apps = str(ROOT / "apps/reverse")
    assert run(venv, "python", "-c", code, cwd=tmp_path, PYTHONPATH=apps) == "[b'olleh\\n']\n"


def test_a_dataflow_runs_from_there(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    assert run(venv, "python", "-m", "bytewax.run", "flow", cwd=tmp_path) == "installed\n"
