"""Writes in short transactions with room between them: no job keeps the others from writing. Knows no job."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from django.db import connections, transaction
from django.db.models import QuerySet

T = TypeVar("T")
#: SQLite has one writer, and who waits for its turn sleeps a little longer each time: the least pause, in seconds.
_LEAST_PAUSE_S: Final = 0.005
#: Rows that one transaction deletes, and transactions a table and run.
DELETED: Final = 400
_MOST_SLICES: Final = 1000


def in_turns(parts: Iterable[T], size: int, write: Callable[[Sequence[T]], object], alias: str) -> None:
    """Write `parts` in transactions of at most `size`, and give way after each. What was written before an error stays."""
    rest = iter(parts)
    while some := list(islice(rest, size)):
        begun_s = time.monotonic()
        with transaction.atomic(using=alias):
            write(some)
        give_way(alias, time.monotonic() - begun_s)


def delete_in_turns(rows: QuerySet[Any], size: int = DELETED) -> None:
    """Delete `rows`, so many a transaction; what is left after a great many of those is left to the next run."""
    # Not the model's own manager: that of the audit log refuses, and this is the one place where it may be let go of.
    every: QuerySet[Any] = QuerySet(rows.model, using=rows.db)
    for _ in range(_MOST_SLICES):
        some = list(rows.values_list("pk", flat=True)[:size])
        in_turns(some, size, lambda keys: every.filter(pk__in=keys).delete(), rows.db)
        if len(some) < size:
            return


def give_way(alias: str, held_s: float) -> None:
    """Let others write for as long as they were kept from it. PostgreSQL locks rows and not the database: there nobody waits."""
    if connections[alias].vendor != "postgresql":
        time.sleep(max(_LEAST_PAUSE_S, held_s))
