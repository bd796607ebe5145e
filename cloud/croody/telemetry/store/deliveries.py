"""What bridges have brought lately, so that a reading that comes a second time is known. SQL only; the same on both databases.

Written in the transaction of the insert, and only for readings without a seq of their own: those of a stream the ledger knows.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connections

from croody_contract.relay import Sender

#: How long a broker may take to give to another bridge what one has stored and not acknowledged.
MARKS_KEPT: Final = timedelta(minutes=15)
#: A bridge that has been silent for so long sends no relay again.
RUNS_KEPT: Final = timedelta(days=7)
#: Marks that are compared, newest first: twice what a broker has on its way, for who is asked may have stored as many meanwhile. Packet ids
#: come again after more messages than these.
MOST_MARKS: Final = 16_384
MARK_BYTES: Final = 8


def lock(sender: Sender, now: datetime, alias: str) -> str | None:
    """Wait until no other transaction books for this bridge. Returns the ranges, as text, that its run has stored; None for none."""
    connection = connections[alias]
    select = "SELECT run, have FROM telemetry_bridgerun WHERE bridge = %s" + (" FOR UPDATE" if connection.vendor == "postgresql" else "")
    with connection.cursor() as cursor:
        cursor.execute(select, [sender.bridge])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO telemetry_bridgerun (bridge, run, have, at) VALUES (%s, %s, '[]', %s) ON CONFLICT (bridge) DO NOTHING",
                [sender.bridge, sender.run, connection.ops.adapt_datetimefield_value(now)],
            )
            cursor.execute(select, [sender.bridge])
            row = cursor.fetchone()
    return str(row[1]) if row[0] == sender.run else None


def marks(session: str, now: datetime, alias: str) -> set[bytes]:
    """Marks of what was stored lately from this session."""
    found: set[bytes] = set()
    since = connections[alias].ops.adapt_datetimefield_value(now - MARKS_KEPT)
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT marks FROM telemetry_delivered WHERE session = %s AND at >= %s ORDER BY at DESC, id DESC LIMIT %s",
            [session, since, MOST_MARKS],
        )
        for (joined,) in cursor:
            found.update(_parted(bytes(joined)))
            if len(found) >= MOST_MARKS:
                break
    return found


def write(sender: Sender, have: str, joined: bytes, now: datetime, alias: str) -> None:
    """Note what this transaction stores."""
    moment = connections[alias].ops.adapt_datetimefield_value(now)
    with connections[alias].cursor() as cursor:
        changed: list[Any] = [sender.run, have, moment, sender.bridge]
        cursor.execute("UPDATE telemetry_bridgerun SET run = %s, have = %s, at = %s WHERE bridge = %s", changed)
        if joined:
            cursor.execute("INSERT INTO telemetry_delivered (session, at, marks) VALUES (%s, %s, %s)", [sender.session, moment, joined])


def _parted(joined: bytes) -> list[bytes]:
    return [joined[start : start + MARK_BYTES] for start in range(0, len(joined), MARK_BYTES)]
