"""The few statements that differ between PostgreSQL and SQLite. Knows SQL, judges nothing.

`of(alias)` gives the store of a database; every method but `hashes` belongs inside its transaction.
"""

import fcntl
import os
import threading
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from types import TracebackType

from django.db import connections

from croody.telemetry.store.base import Held, Store
from croody.telemetry.store.postgres import PostgresStore
from croody.telemetry.store.sqlite import SqliteStore

__all__ = ["Held", "Store", "of", "turn"]


class Turn(AbstractContextManager[None]):
    """A queue before SQLite, of the threads and processes that ingest: who finds it locked sleeps, each time longer; here one is woken."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = threading.RLock()
        self._depth = 0
        self._file = -1

    def __enter__(self) -> None:
        self._thread.acquire()
        self._depth += 1
        if self._depth == 1 and self._path:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._depth -= 1
        if not self._depth and self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._thread.release()


@cache
def _turn_of(name: str) -> Turn:
    # In memory it is one process's own.
    return Turn("" if name.startswith((":memory:", "file:")) else f"{name}.turn")


def of(alias: str) -> Store:
    """The store of a database."""
    connection = connections[alias]
    return PostgresStore(connection) if connection.vendor == "postgresql" else SqliteStore(connection)


def turn(alias: str) -> AbstractContextManager[object]:
    """Wait for one's turn to write, where a database has one writer."""
    if connections[alias].vendor == "postgresql":
        return nullcontext()
    return _turn_of(str(connections[alias].settings_dict["NAME"]))
