"""Day partitions of `telemetry_record` on PostgreSQL; on SQLite there are none and everything here does nothing.

There is no DEFAULT partition: a stray row in one would block the day it belongs to.
"""

import re
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import OperationalError, connections, transaction

#: Days made ahead, today included, so that midnight finds its partition there.
AHEAD_DAYS = 3
_PREFIX = "telemetry_record_"
_NAME = re.compile(rf"{_PREFIX}(\d{{4}})(\d\d)(\d\d)")
_LOCK = 7_210_001
#: How long a day that is dropped waits for readers, how often it tries, and the pause between.
_WAIT_MS = 80
_ATTEMPTS = 20
_PAUSE_S = 0.2
#: Days known to be there, per alias: only saves a look, the database has the last word.
_known: dict[str, set[date]] = {}


def day_of(moment: datetime) -> date:
    """The UTC day that holds `moment`."""
    return moment.astimezone(UTC).date()


def name_of(day: date) -> str:
    """The table of a day."""
    return f"{_PREFIX}{day:%Y%m%d}"


def present(alias: str | None = None) -> list[date]:
    """Days that have a partition, oldest first; empty on SQLite."""
    connection = connections[alias or settings.TELEMETRY_DB]
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'telemetry_record'::regclass")
        found = [_NAME.fullmatch(row[0].rpartition(".")[2].strip('"')) for row in cursor.fetchall()]
    return sorted(date(int(m[1]), int(m[2]), int(m[3])) for m in found if m)


def ensure(days: Iterable[date], alias: str | None = None) -> list[date]:
    """Make the partitions of `days` that are not there. Returns those made. Must not be called inside a transaction."""
    alias = alias or settings.TELEMETRY_DB
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return []
    known = _known.setdefault(alias, set())
    wanted = set(days) - known
    if not wanted:
        return []
    made = []
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        there = set(present(alias))
        for day in sorted(wanted - there):
            # ATTACH lets inserts go on meanwhile; CREATE ... PARTITION OF would stop them.
            cursor.execute(f"CREATE TABLE {name_of(day)} (LIKE telemetry_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
            cursor.execute(
                f"ALTER TABLE telemetry_record ATTACH PARTITION {name_of(day)} FOR VALUES FROM (%s) TO (%s)",
                [_start(day), _start(day + timedelta(days=1))],
            )
            made.append(day)
    known |= wanted
    return made


def forget(alias: str | None = None) -> None:
    """Look again next time: a partition was dropped, perhaps by another process."""
    _known.pop(alias or settings.TELEMETRY_DB, None)


def ahead(now: datetime) -> list[date]:
    """Days that must be there at `now`: yesterday for what comes a little late, today, and the days ahead."""
    today = day_of(now)
    return [today + timedelta(days=offset) for offset in range(-1, AHEAD_DAYS)]


def drop_before(day: date, alias: str | None = None) -> list[date]:
    """Drop partitions of days before `day`. Returns those dropped.

    Raises:
        django.db.OperationalError: readers hold the table again and again; nothing of that day is dropped, the next run tries again.
    """
    alias = alias or settings.TELEMETRY_DB
    dropped = []
    for old in (found for found in present(alias) if found < day):
        _drop(old, alias)
        dropped.append(old)
    if dropped:
        forget(alias)
    return dropped


def _drop(day: date, alias: str) -> None:
    """Who waits for a lock on the whole table holds up all who come behind, so it waits a moment only, and tries again."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_WAIT_MS}ms'")
                cursor.execute(f"DROP TABLE {name_of(day)}")
            return
        except OperationalError:
            if attempt == _ATTEMPTS:
                raise
        time.sleep(_PAUSE_S)


def _start(day: date) -> str:
    return f"{day:%Y-%m-%d} 00:00:00+00"
