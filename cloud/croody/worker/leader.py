"""One leader among any number of workers, by a lock that dies with its holder. Knows databases, never jobs."""

import fcntl
import os
from pathlib import Path
from typing import IO, Protocol

from django.db import InterfaceError, OperationalError, connections

#: Any number that nothing else of ours locks: "croody" in ASCII.
ADVISORY_LOCK = 0x63726F6F6479


class Leadership(Protocol):
    """A lock that only one process holds."""

    def hold(self) -> bool:
        """Take the lock, or make sure that it is still ours. Called every second. Never blocks for long."""

    def release(self) -> None:
        """Let the next one lead."""


class FileLeadership:
    """For SQLite: an flock'ed file beside the database. The kernel drops it with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def hold(self) -> bool:
        """See `Leadership`.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._file is not None and self._same_file():
            return True
        self.release()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return self._same_file()

    def _same_file(self) -> bool:
        # Somebody may have removed the file: a lock on a file without a name locks nobody out.
        if self._file is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """See `Leadership`."""
        if self._file is not None:
            self._file.close()
            self._file = None


class AdvisoryLeadership:
    """For PostgreSQL: a session lock on a connection of its own, asked every second whether it still lives."""

    def __init__(self, alias: str = "default") -> None:
        self._alias = alias
        self._connection = connections[alias].copy()
        self._held = False

    def hold(self) -> bool:
        """See `Leadership`. False while the database cannot be reached."""
        try:
            with self._connection.cursor() as cursor:
                if self._held:
                    cursor.execute("SELECT 1")
                else:
                    cursor.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_LOCK])
                    self._held = bool(cursor.fetchone()[0])
        except (OperationalError, InterfaceError):
            self.release()
        return self._held

    def release(self) -> None:
        """See `Leadership`."""
        self._held = False
        self._connection.close()


def leadership(lock_file: Path) -> Leadership:
    """The lock that fits the default database."""
    if connections["default"].vendor == "postgresql":
        return AdvisoryLeadership()
    return FileLeadership(lock_file)
