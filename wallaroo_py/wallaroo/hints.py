"""What to do about a mistake: the ends of error messages. Loaded when there is one."""

from __future__ import annotations

import difflib
import os
import pkgutil
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SETUP = "application_setup"


def near(word: str, known: Iterable[str]) -> str:
    """Return the known word that is spelled most like `word`, whatever its case; "" if none is."""
    by_fold = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.75)
    return by_fold[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or "" when no known word is like `word`."""
    meant = near(word, known)
    return f"; did you mean {meant!r}?" if meant else ""


def missing_module(name: str) -> str:
    """Return what to do when --application-module names a module that is not there."""
    module, colon, _ = name.partition(":")
    if colon:
        return (
            f"--application-module takes a module's name alone, such as {module!r}; a dataflow is "
            f"started by `machida run {name}`"
        )
    path = Path(name)
    if name.endswith(".py") or os.sep in name:
        stem = path.stem if name.endswith(".py") else path.name
        here = path.parent == Path()
        place = "" if here else f", with PYTHONPATH={path.parent}"
        return f"--application-module takes a module's name, not its file: write {stem!r}{place}"
    folders = [os.getcwd(), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    there = (module.name for module in pkgutil.iter_modules(folders))
    return (
        f"it is looked for in the current directory, {folders[0]}, and in PYTHONPATH"
        f"{did_you_mean(name, there)}"
    )


def missing_setup(module: Any) -> str:
    """Return what to do when a module has no function application_setup."""
    names = vars(module)
    meant = near(SETUP, (name for name, value in names.items() if callable(value)))
    if meant:
        return f"did you mean {meant!r}? Its name must be {SETUP}"
    if flow := dataflow_in(module):
        return f"it has a dataflow: start it with `machida run {module.__name__}:{flow}`"
    return f"write one, `def {SETUP}(args):`, that ends with `return ab.build()`"


def dataflow_in(module: Any) -> str:
    """Return the name of a dataflow in a module, "" if there is none."""
    dataflows = sys.modules.get(f"{__package__}.flows.dataflow")
    if dataflows is None:  # nobody has made one
        return ""
    found = [n for n, value in vars(module).items() if isinstance(value, dataflows.Dataflow)]
    return found[0] if found else ""


def missing_flow(module: Any, name: str) -> str:
    """Return what to do when a module has no dataflow of a name."""
    if flow := dataflow_in(module):
        return f"; its dataflow is {flow!r}: write {module.__name__}:{flow}"
    if callable(getattr(module, SETUP, None)):
        return f"; it has {SETUP}: start it with `machida --application-module {module.__name__}`"
    return did_you_mean(name, vars(module))


def missing_engine() -> str:
    """Return how to get the extension module `_machida` for the Python that runs."""
    mine = f"{sys.version_info[0]}.{sys.version_info[1]}"
    built = sorted(file for path in sys.path for file in Path(path).glob("_machida.*.so"))
    others = [file for file in built if not file.name.endswith(EXTENSION_SUFFIXES[0])]
    build = f"MACHIDA_PYTHON={sys.executable} scripts/build --dir build-{mine}"
    if others:
        return (
            f"{others[0]} is for another Python than this one, {mine}: run that one, or make one "
            f"for this one with `{build}` and put build-{mine} on PYTHONPATH"
        )
    return "run scripts/build and put its directory build on PYTHONPATH, or install the package"
