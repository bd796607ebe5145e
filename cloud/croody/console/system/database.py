"""What the database says of the system, for `./croody status` and the page about it. Knows the models; judges nothing."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.db.models import Count, Q, Sum, Value
from django.db.models.functions import Concat

from croody.alarms.models import Alarm
from croody.commands.models import Outgoing
from croody.console.system.facts import DatabaseFacts
from croody.fleet.models import Robot
from croody.liveness.judge import deaf
from croody.liveness.listening import listening
from croody.liveness.signs import counts_of
from croody.telemetry.models import DeadLetter, Presence, Record, Stream

#: More letters than these are not counted on a page.
MOST_LETTERS: Final = 10_000


def read(now: datetime) -> DatabaseFacts:
    """Everything at once, or why not."""
    try:
        return replace(_read(now), unwritable=_write())
    except DatabaseError as error:
        return DatabaseFacts(problem=" ".join(str(error).split()) or type(error).__name__)


def _write() -> str:
    """Why a write is not taken; empty where it is. A table of its own and a page that fills, for a full disk still takes small changes."""
    for connection in connections.all():
        try:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE IF EXISTS operations_trial")
                cursor.execute("CREATE TABLE operations_trial (text text)")
                cursor.execute("INSERT INTO operations_trial VALUES (%s)", [token_hex(8_192)])
                cursor.execute("DROP TABLE operations_trial")
        except DatabaseError as error:
            return " ".join(str(error).split()) or type(error).__name__
    return ""


def counted(now: datetime, names: Collection[str]) -> DatabaseFacts:
    """What waits at and for these robots. Asked by a page, so it writes nothing."""
    mine = Q(robot_id__in=list(names))
    return DatabaseFacts(
        gaps=Stream.objects.filter(mine, missing_since__isnull=False).count(),
        at_robots=Presence.objects.filter(mine).aggregate(sum=Sum("queued"))["sum"] or 0,
        # By what is no column: else SQLite goes through all that each robot was ever asked.
        to_robots=Outgoing.objects.alias(whose=Concat("robot_id", Value("")))
        .filter(whose__in=list(names), answered_at=None, expires_at__gt=now)
        .count(),
        dead_letters=len(DeadLetter.objects.filter(mine, replayed_at=None).order_by().values_list("pk")[:MOST_LETTERS]),
    )


def sizes() -> list[int]:
    """Bytes of each database, those of SQLite with what is still in their logs."""
    found = []
    for alias in sorted(set(settings.DATABASES)):
        connection = connections[alias]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_database_size(current_database())")
                found.append(int(cursor.fetchone()[0]))
        else:
            path = str(connection.settings_dict["NAME"])
            found.append(sum(_size(Path(path + suffix)) for suffix in ("", "-wal")))
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read(now: datetime) -> DatabaseFacts:
    names = list(Robot.objects.filter(deleted_at=None).values_list("robot_id", flat=True))
    newest: datetime | None = Record.objects.order_by("-id").values_list("received_at", flat=True).first()
    heard = listening()
    alarms = Alarm.objects.filter(resolved_at=None, part_of=None, suppressed_by=None).values_list("severity").annotate(Count("pk"))
    return DatabaseFacts(
        robots={str(state): count for state, count in counts_of(names, now=now).items()},
        newest_age_s=_age_s(now, newest) if newest else None,
        deaf_s=_age_s(now, heard.at) if heard and deaf(now, heard.at) else None,
        gaps=Stream.objects.filter(missing_since__isnull=False).count(),
        at_robots=Presence.objects.filter(robot_id__in=names).aggregate(sum=Sum("queued"))["sum"] or 0,
        to_robots=Outgoing.objects.filter(answered_at=None, expires_at__gt=now).count(),
        dead_letters=DeadLetter.objects.filter(replayed_at=None).count(),
        alarms=dict(alarms),
    )


def _age_s(now: datetime, then: datetime) -> float:
    return max(0.0, (now - then).total_seconds())
