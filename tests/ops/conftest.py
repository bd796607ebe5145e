"""A clone for each test."""

from pathlib import Path

import pytest

from tests.ops.clone import Clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Nothing runs, and every command of docker succeeds."""
    return Clone(tmp_path)
