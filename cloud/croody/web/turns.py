"""Writes in short transactions with room between them: no job keeps the others from writing. Knows no job."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import islice
from types import TracebackType
from typing import Any, Final, TypeVar

from django.db import connections, transaction
from django.db.models import QuerySet

T = TypeVar("T")
#: SQLite has one writer, and who waits for its turn sleeps a little longer each time: the least pause, in seconds.
_LEAST_PAUSE_S: Final = 0.005
#: A transaction of a job is to take about so long at most, in seconds.
_HELD_S: Final = 0.05
#: Rows that one transaction deletes, and transactions a table and run.
DELETED: Final = 400
MOST_SLICES: Final = 1000


class Turn(AbstractContextManager[None]):
    """A queue before SQLite, of all that write much: who finds it locked sleeps, each time longer; here one is woken."""

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


def turn(alias: str) -> AbstractContextManager[object]:
    """Wait for one's turn to write, where a database has one writer."""
    if connections[alias].vendor == "postgresql":
        return nullcontext()
    return _turn_of(str(connections[alias].settings_dict["NAME"]))


def in_turns(parts: Iterable[T], size: int, write: Callable[[Sequence[T]], object], alias: str) -> None:
    """Write `parts` in transactions of at most `size`, and give way after each. What was written before an error stays.

    Where `size` takes long (a slow disk, a busy machine) the next ones are smaller.
    """
    rest, fits = iter(parts), size
    while some := list(islice(rest, fits)):
        with turn(alias):
            begun_s = time.monotonic()
            with transaction.atomic(using=alias):
                write(some)
            held_s = time.monotonic() - begun_s
        fits = max(1, min(size, int(len(some) * _HELD_S / max(held_s, 1e-6))))
        give_way(alias, held_s)


def delete_in_turns(rows: QuerySet[Any], size: int = DELETED, most: int = MOST_SLICES) -> int:
    """Delete `rows`, `size` a transaction; what is left after `most` of those is left to the next run. Returns how many were not used."""
    # Not the model's own manager: that of the audit log refuses, and this is the one place where it may be let go of.
    every: QuerySet[Any] = QuerySet(rows.model, using=rows.db)
    for left in range(most, 0, -1):
        some = list(rows.values_list("pk", flat=True)[:size])
        in_turns(some, size, lambda keys: every.filter(pk__in=keys).delete(), rows.db)
        if len(some) < size:
            return left - bool(some)
    return 0


def give_way(alias: str, held_s: float) -> None:
    """Let others write for as long as they were kept from it. PostgreSQL locks rows and not the database: there nobody waits."""
    if connections[alias].vendor != "postgresql":
        time.sleep(max(_LEAST_PAUSE_S, held_s))
