"""The import names of existing applications, of both releases."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import bytewax
import pytest
from bytewax import dataflow, inputs, outputs, testing

NAMES = {
    "dataflow": "Dataflow",
    "window": "ClockConfig EventClockConfig SessionWindow SlidingWindow SystemClockConfig "
    "TumblingWindow WindowConfig WindowMetadata",
    "inputs": "AbortExecution DynamicSource FixedPartitionedSource SimplePollingSource Source "
    "StatefulSourcePartition StatelessSourcePartition batch batch_async batch_getter "
    "batch_getter_ex",
    "outputs": "DynamicSink FixedPartitionedSink Sink StatefulSinkPartition StatelessSinkPartition",
    "testing": "TestingSink TestingSource cluster_main ffwd_iter poll_next_batch run_main",
    "run": "cli_main",
    "recovery": "InconsistentPartitionsError MissingPartitionsError NoPartitionsError "
    "RecoveryConfig init_db_dir",
    "serde": "JsonPickleSerde Serde",
    "tracing": "JaegerConfig OtlpTracingConfig TracingConfig setup_tracing",
    "connectors.files": "CSVSource DirSink DirSource FileSink FileSource",
    "connectors.kafka": "KafkaSink KafkaSource",
    "connectors.stdio": "StdOutSink",
}
OLD_NAMES = {
    "inputs": "Input PartitionedInput DynamicInput StatefulSource StatelessSource",
    "outputs": "Output PartitionedOutput DynamicOutput StatefulSink StatelessSink",
    "testing": "TestingInput TestingOutput",
    "connectors.files": "CSVInput DirInput DirOutput FileInput FileOutput",
    "connectors.kafka": "KafkaInput KafkaOutput",
    "connectors.stdio": "StdOutput",
    "connectors.periodic": "SimplePollingInput",
    "_encoder": "DataflowEncoder encode_dataflow",
}
SIGNATURES = {
    "input": "step_id source",
    "output": "step_id sink",
    "map": "step_id mapper",
    "filter": "step_id predicate",
    "filter_map": "step_id mapper",
    "flat_map": "step_id mapper",
    "inspect": "inspector",
    "inspect_epoch": "inspector",
    "inspect_worker": "inspector",
    "redistribute": "",
    "batch": "step_id max_size timeout",
    "stateful_map": "step_id builder mapper",
    "reduce": "step_id reducer is_complete",
    "reduce_window": "step_id clock_config window_config reducer",
    "fold_window": "step_id clock_config window_config builder folder",
    "collect_window": "step_id clock_config window_config",
}


@pytest.mark.parametrize("module", sorted({*NAMES, *OLD_NAMES}))
def test_a_star_import_has_the_names_of_both_releases(module):
    loaded = importlib.import_module(f"bytewax.{module}")
    names = f"{NAMES.get(module, '')} {OLD_NAMES.get(module, '')}".split()
    assert sorted(loaded.__all__) == sorted(names)
    imported = {}
    exec(f"from bytewax.{module} import *", imported)
    for name in names:
        assert imported[name].__doc__, name


@pytest.mark.parametrize(
    ("module", "name", "base"),
    [
        ("connectors.files", "_FileSinkPartition", "StatefulSinkPartition"),
        ("connectors.kafka", "_KafkaSinkPartition", "StatelessSinkPartition"),
        ("connectors.stdio", "_PrintSinkPartition", "StatelessSinkPartition"),
        ("testing", "_ListSinkPartition", "StatelessSinkPartition"),
    ],
)
def test_descendants_that_the_specification_names_are_there(module, name, base):
    loaded = importlib.import_module(f"bytewax.{module}")
    assert issubclass(getattr(loaded, name), getattr(outputs, base))


def test_every_module_is_looked_at():
    found = {module.name for module in pkgutil.walk_packages(bytewax.__path__, "bytewax.")}
    assert found - {"bytewax.connectors"} == {f"bytewax.{name}" for name in {*NAMES, *OLD_NAMES}}


def test_a_star_import_of_testing_adds_no_test():
    assert testing.test_cluster.__test__ is False
    assert "test_cluster" not in testing.__all__


def test_old_names_are_the_same_types():
    assert inputs.PartitionedInput is inputs.FixedPartitionedSource
    assert outputs.DynamicOutput is outputs.DynamicSink


@pytest.mark.parametrize("operator", SIGNATURES)
def test_an_operator_has_the_parameters_of_the_specification(operator):
    parameters = inspect.signature(getattr(dataflow.Dataflow, operator)).parameters.values()
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == ["self", *SIGNATURES[operator].split()]


def test_bytewax_says_that_it_is_typed():
    assert (Path(bytewax.__file__).parent / "py.typed").exists()


def test_a_flow_is_defined_without_the_engine():
    root = str(Path(bytewax.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); sys.modules['_machida'] = None\n"
        "from bytewax.dataflow import Dataflow\n"
        "from bytewax.testing import TestingSource, TestingSink, run_main\n"
        "flow = Dataflow(); flow.input('i', TestingSource([1]))\n"
        "flow.output('o', TestingSink([]))\n"
        "try:\n    run_main(flow)\nexcept ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert "the extension module _machida, which can't be imported" in done.stdout
