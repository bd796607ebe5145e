"""Clones of this checkout for the tests of its handles."""

from pathlib import Path

import pytest

from tests.stack_up.newcomer import clone_to


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clone for all the tests that leave it as it is."""
    return clone_to(tmp_path_factory.mktemp("clone") / "croody")
