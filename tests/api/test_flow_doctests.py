"""Every example in the docstrings of the dataflow modules does what it says."""

import doctest
import importlib
import pkgutil

import pytest
import wallaroo.flows

FLAGS = doctest.NORMALIZE_WHITESPACE  # as the examples of the specification need it


def examples():
    """Finds every docstring with an example."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for found in pkgutil.iter_modules(wallaroo.flows.__path__, "wallaroo.flows."):
        module = importlib.import_module(found.name)
        for test in finder.find(module, globs={}):
            if test.examples:
                yield pytest.param(test, id=test.name.removeprefix("wallaroo.flows."))


@pytest.mark.parametrize("test", list(examples()))
def test_example_does_what_it_says(test):
    report = []
    outcome = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert outcome.failed == 0, "".join(report)


def test_the_operators_of_the_specification_have_their_examples():
    names = {test.id for test in examples()}
    for operator in ("map", "filter", "filter_map", "flat_map", "inspect", "inspect_epoch"):
        assert f"stateless.StatelessOperators.{operator}" in names
    for operator in ("stateful_map", "reduce"):
        assert f"keyed.KeyedOperators.{operator}" in names
    for operator in ("reduce_window", "fold_window"):
        assert f"windowed.WindowOperators.{operator}" in names
