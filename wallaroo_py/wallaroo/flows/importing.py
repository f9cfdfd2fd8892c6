"""Find a dataflow by its import string: `package.module:flow`, `path/to/file.py:make_flow('x')`."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any

from ..hints import did_you_mean, missing_flow
from ..places import shorten
from .dataflow import Dataflow


def load_flow(import_str: str) -> Dataflow:
    """Import a module and return its dataflow.

    import_str: a module `package.module`, or a path, with or without `.py`; then, behind a colon, a
    variable, or a function that makes the dataflow, maybe with literals as arguments:
    `make_flow('a', n=1)`. Without one it is the variable `flow`.
    Searched first is the current directory, or that of the path; the one above the topmost package
    if it is part of one.

    Raises ImportError when there is no such module, AttributeError when that has no such name,
    ValueError for an import string that makes no sense, TypeError when what it names is no
    dataflow; and what the module and the function raise.
    """
    module_part, expression = _split(import_str)
    module_name = _module_name(module_part)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # an import inside the module
        there = [found.name for found in pkgutil.iter_modules([os.getcwd()])]
        raise ImportError(
            f"no module {error.name!r}, for the dataflow {import_str!r}; searched: "
            f"{', '.join(list(dict.fromkeys(path or os.getcwd() for path in sys.path))[:3])}, ..."
            f"{did_you_mean(error.name, there)}",
            name=error.name,
        ) from None
    return _evaluate(module, expression, import_str)


def _split(import_str: str) -> tuple[str, str]:
    """Return the module part and what is behind its colon, `flow` if there is nothing."""
    module_part, _, expression = import_str.partition(":")
    if os.name == "nt" and len(module_part) == 1 and expression[:1] in ("\\", "/"):
        drive = module_part  # a colon that belongs to a path
        module_part, _, expression = expression.partition(":")
        module_part = f"{drive}:{module_part}"
    if not module_part:
        raise ValueError(f"{import_str!r} is no import string: it is MODULE or MODULE:NAME")
    return module_part, expression or "flow"


def _module_name(module_part: str) -> str:
    """Return the module's dotted name, and put the directory to find it in first on sys.path.

    What is in a package is imported as a module of it, wherever the package is.
    """
    path = Path(module_part).resolve()
    if module_part.endswith(".py"):
        there = path.is_file()
        path = path.parent if path.stem == "__init__" else path.with_suffix("")
    else:
        first = path.parent / path.name.partition(".")[0]
        there = first.is_dir() or Path(f"{first}.py").is_file()
    directory, parts = path.parent, [path.name]
    if there:
        while (directory / "__init__.py").is_file():
            parts.insert(0, directory.name)
            directory = directory.parent
    elif module_part.endswith(".py") or os.sep in module_part:
        file = f"{module_part.removesuffix('.py')}.py"
        raise ImportError(f"no file {file!r}", path=str(path))
    root = str(directory)
    if sys.path[:1] != [root]:
        sys.path.insert(0, root)
    return ".".join(parts)


def _evaluate(module: Any, expression: str, import_str: str) -> Dataflow:
    name, args, kwargs = _parse(expression, import_str)
    try:
        found = getattr(module, name)
    except AttributeError:
        raise AttributeError(
            f"module {module.__name__!r} has no {name!r}, for the dataflow {import_str!r}; "
            f"it is in {getattr(module, '__file__', None)}{missing_flow(module, name)}",
            name=name,
            obj=module,
        ) from None
    if args is None:
        made = found() if callable(found) and not isinstance(found, Dataflow) else found
    else:
        made = found(*args, **kwargs)
    if not isinstance(made, Dataflow):
        raise TypeError(f"{import_str!r} is no `bytewax.dataflow.Dataflow`; got {shorten(made)}")
    return made


def _parse(expression: str, import_str: str) -> tuple[str, list[Any] | None, dict[str, Any]]:
    """Return name, positional and keyword arguments; None for the former if it is only a name."""
    mistake = ValueError(
        f"{import_str!r}: {expression!r} is neither a name nor a call with literals as arguments"
    )
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError:
        raise mistake from None
    if isinstance(tree, ast.Name):
        return tree.id, None, {}
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise mistake
    kwargs: dict[str, Any] = {}
    try:
        args = [ast.literal_eval(argument) for argument in tree.args]
        for keyword in tree.keywords:
            if keyword.arg is None:
                raise mistake
            kwargs[keyword.arg] = ast.literal_eval(keyword.value)
    except ValueError:
        raise mistake from None
    return tree.func.id, args, kwargs
