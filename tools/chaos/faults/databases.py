"""The database is away: PostgreSQL stopped, or SQLite locked by somebody who does not let go."""

import sqlite3

from tools.chaos.arena import Arena
from tools.chaos.faults.base import Fault


def _down(arena: Arena) -> None:
    arena.sim(seconds=20)
    arena.flowing()
    if arena.database.is_sqlite:
        _locked(arena, 6.0, 9.0)
    else:
        arena.stack.kill("postgres") if arena.round.rng.random() < 0.5 else arena.stack.stop("postgres")
        arena.sleep(4.0, 8.0)
        arena.stack.start("postgres")
    arena.over()


def _locked(arena: Arena, least_s: float, most_s: float) -> None:
    paths = {url.removeprefix("sqlite:///") for url in arena.stack.database_urls}
    holders = [sqlite3.connect(path, timeout=30, isolation_level=None) for path in sorted(paths)]
    try:
        for holder in holders:
            holder.execute("BEGIN IMMEDIATE")
        arena.sleep(least_s, most_s)
    finally:
        for holder in holders:
            holder.rollback()
            holder.close()


def _locked_long(arena: Arena) -> None:
    arena.sim(seconds=34)
    arena.flowing()
    # Longer than any time-out of the cloud's: requests do fail.
    _locked(arena, 24.0, 26.0)
    arena.over()


def _not_sqlite(arena: Arena) -> str | None:
    return None if arena.database.is_sqlite else "only SQLite has a lock on the whole database"


FAULTS = (
    Fault("database-down", _down),
    Fault("database-locked-long", _locked_long, unfit=_not_sqlite),
)
