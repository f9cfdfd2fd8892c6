"""The lint finds what it promises to find, each planted alone in a small clean tree."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = "#pragma once\n// A thing.\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with the real table of layers and one clean file per kind."""
    write(tmp_path, "scripts/layers.toml", (ROOT / "scripts/layers.toml").read_text())
    write(tmp_path, "server/base/id.h", HEADER)
    write(tmp_path, "server/uv/loop.h", HEADER + '#include "server/base/id.h"\n#include <uv.h>\n')
    write(tmp_path, "server/flow/step.cc", "// Steps.\n#include <Python.h>\n#include <vector>\n")
    write(tmp_path, "apps/one/one.py", '"""An app."""\n')
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lint(root: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/lint", "--root", root],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_clean_tree_passes(tree: Path) -> None:
    assert lint(tree) == (0, "lint: clean\n")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "server/base/up.h",
            HEADER + '#include "server/uv/loop.h"\n',
            "server/base/up.h:3: server/base may not include server/uv",
        ),
        (
            "server/uv/py.cc",
            "// Uses Python.\n#include <Python.h>\n",
            "server/uv/py.cc:2: only embed/*, server/flow/*.cc",
        ),
        ("server/flow/step.h", HEADER + "#include <Python.h>\n", "server/flow/step.h:3: only"),
        ("server/flow/log.cc", "// L.\n#include <spdlog/spdlog.h>\n", "server/flow/log.cc:2: only"),
        ("server/main.cc", "// M.\n#include <CLI/CLI.hpp>\n", "server/main.cc:2: only"),
        ("server/main.cc", "// M.\n#include <uv.h>\n", "server/main.cc:2: only server/uv/*"),
        ("server/wire/j.cc", "// J.\n#include <nlohmann/json.hpp>\n", "server/wire/j.cc:2: only"),
        ("server/attic/a.cc", "// A.\n", "server/attic: has no row in scripts/layers.toml"),
        ("embed/a.h", "// A.\nint x;\n", "embed/a.h:1: no #pragma once"),
        ("embed/a.h", "#pragma once\nint x;\n", "embed/a.h:1: does not begin with a comment"),
        ("embed/a.cc", "//\n" * 401, "embed/a.cc: 401 lines, more than 400"),
        ("wallaroo_py/a.py", "x = 1\n" * 401, "wallaroo_py/a.py: 401 lines, more than 400"),
        ("embed/a.cc", "// " + "x" * 98 + "\n", "embed/a.cc:1: 101 columns, more than 100"),
        ("server/meson.build", "#" * 101, "server/meson.build:1: 101 columns, more than 100"),
        ("apps/a.py", "if x:\n\tpass\n", "apps/a.py:2: a tab"),
        ("scripts/a", "#!/usr/bin/env python3\n\tpass\n", "scripts/a:2: a tab"),
        ("README.md", "See /ho" + "me/someone/x.\n", "README.md:1: a path into a home directory"),
    ],
)
def test_planted_violation_is_found(tree: Path, name: str, text: str, message: str) -> None:
    write(tree, name, text)
    status, output = lint(tree)
    assert status == 1
    assert message in output
    assert len(output.splitlines()) == 1


def test_circle_of_layers_is_found(tree: Path) -> None:
    table = (tree / "scripts/layers.toml").read_text()
    circle = table.replace('"server/base" = []', '"server/base" = ["server/uv"]')
    write(tree, "scripts/layers.toml", circle)
    status, output = lint(tree)
    assert status == 1
    assert "the layers go in a circle" in output
