"""The package is typed, documented, and light enough to import before a server starts."""

import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
import wallaroo

PUBLIC = [getattr(wallaroo, name) for name in wallaroo.__all__]


def test_all_is_what_the_package_exports():
    assert sorted(wallaroo.__all__) == wallaroo.__all__
    assert wallaroo.__version__ == "0.1.0"


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_everything_public_has_a_docstring(thing):
    assert thing.__doc__
    if isinstance(thing, type):
        for name, member in vars(thing).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                assert member.__doc__, f"{thing.__name__}.{name}"


def test_package_says_that_it_is_typed():
    assert (Path(wallaroo.__file__).parent / "py.typed").exists()


def test_import_does_not_load_what_it_does_not_need():
    slow = ["argparse", "dataclasses", "inspect", "pickle", "re", "typing", "_machida"]
    code = (
        "import sys; before = set(sys.modules); import wallaroo; "
        f"print(sorted(set({slow}) & (set(sys.modules) - before)))"
    )
    package_root = str(Path(wallaroo.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {package_root!r}); {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "[]\n"


def test_engine_is_importable_beside_the_package():
    assert importlib.util.find_spec("_machida"), "run scripts/build"
