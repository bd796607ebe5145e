"""The few statements that differ between PostgreSQL and SQLite. Knows SQL, judges nothing.

`of(alias)` gives the store of a database; every method but `hashes` belongs inside its transaction.
"""

from django.db import connections

from croody.telemetry.store.base import Held, Store
from croody.telemetry.store.postgres import PostgresStore
from croody.telemetry.store.sqlite import SqliteStore
from croody.web.turns import turn

__all__ = ["Held", "Store", "of", "turn"]


def of(alias: str) -> Store:
    """The store of a database."""
    connection = connections[alias]
    return PostgresStore(connection) if connection.vendor == "postgresql" else SqliteStore(connection)
