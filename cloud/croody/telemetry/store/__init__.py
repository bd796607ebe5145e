"""The few statements that differ between PostgreSQL and SQLite. Knows SQL, judges nothing.

`of(alias)` gives the store of a database; every method but `hashes` belongs inside its transaction.
"""

import threading
from contextlib import AbstractContextManager, nullcontext

from django.db import connections

from croody.telemetry.store.base import Held, Store
from croody.telemetry.store.postgres import PostgresStore
from croody.telemetry.store.sqlite import SqliteStore

__all__ = ["Held", "Store", "of", "turn"]
# Threads that find SQLite locked sleep and try again, each longer than the one before; in a queue each has its turn at once.
_sqlite_turn = threading.RLock()


def of(alias: str) -> Store:
    """The store of a database."""
    connection = connections[alias]
    return PostgresStore(connection) if connection.vendor == "postgresql" else SqliteStore(connection)


def turn(alias: str) -> AbstractContextManager[object]:
    """Wait for this process's turn to write, where a database has one writer."""
    return nullcontext() if connections[alias].vendor == "postgresql" else _sqlite_turn
