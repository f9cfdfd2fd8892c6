"""Fixtures of the tests in one process."""

import pytest
from bytewax.recovery import RecoveryConfig, init_db_dir


@pytest.fixture
def config(tmp_path):
    """Recovery partitions in the test's directory `recovery`."""
    directory = tmp_path / "recovery"
    directory.mkdir()
    init_db_dir(directory, 3)
    return RecoveryConfig(str(directory))
