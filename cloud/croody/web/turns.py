"""Writes in short transactions with room between them: no job keeps the others from writing. Knows no job."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, TypeVar

from django.db import connections, transaction

T = TypeVar("T")
#: SQLite has one writer, and who waits for its turn sleeps a little longer each time: the least pause, in seconds.
_LEAST_PAUSE_S: Final = 0.005


def in_turns(parts: Iterable[T], size: int, write: Callable[[Sequence[T]], object], alias: str) -> None:
    """Write `parts` in transactions of at most `size`, and give way after each. What was written before an error stays."""
    rest = iter(parts)
    while some := list(islice(rest, size)):
        begun_s = time.monotonic()
        with transaction.atomic(using=alias):
            write(some)
        give_way(alias, time.monotonic() - begun_s)


def give_way(alias: str, held_s: float) -> None:
    """Let others write for as long as they were kept from it. PostgreSQL locks rows and not the database: there nobody waits."""
    if connections[alias].vendor != "postgresql":
        time.sleep(max(_LEAST_PAUSE_S, held_s))
