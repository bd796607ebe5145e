"""For tests that go back to an earlier state of the database."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def forward_again() -> Iterator[None]:
    """All migrations are there afterwards: going back takes tables of other rooms along, and the tests that follow need them."""
    yield
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
