"""Raises alarms from what robots said and from clones. Reads committed facts by a cursor: alarms may live in another database."""

import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import DataError, IntegrityError

from croody.alarms import kinds
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.telemetry.jobs.aside import set_aside
from croody.telemetry.kinds import CONFLICT, EVENTS, of_event
from croody.telemetry.models import Cursor, DeadLetter, Record
from croody.telemetry.read.follow import Follower, columns_since
from croody.telemetry.read.sql import sliced
from croody.web.turns import give_way

_NAME: Final = "raise_alarms"
_PAGE: Final = 5000
#: Events that are read together: each may have `MAX_RECORD_BYTES`.
_EVENTS: Final = 100
#: A run ends after so many pages; the next one goes on two seconds later, and the others of its thread had their turn.
_MOST_PAGES: Final = 10
#: Conflicts that one run looks at, the oldest first.
_LETTERS: Final = 2000
#: Event codes that end an alarm: code -> kind.
_ENDS: Final = {"screening_started": "screening_stopped"}
_WORTH: Final = ("medium", "high", "critical")
#: Letters that were written this long ago may still commit now.
_BACK: Final = timedelta(minutes=5)


def raise_alarms(now: datetime) -> None:
    """Turn new events and new conflicts into alarms. An alarm may be counted twice after a crash, never lost."""
    row = Cursor.objects.filter(pk=_NAME).first()
    value = row.value if row is not None else {}
    follower = Follower.from_json(value)
    for _ in range(_MOST_PAGES):
        found, after = columns_since(follower, ("kind",), now=now, limit=_PAGE)
        for some in sliced([record_id for record_id, kind in found if kind == "event"], _EVENTS):
            for event in Record.objects.filter(pk__in=some).order_by("pk"):
                _do(event, now)
        if after != follower:
            follower = after
            _save({**follower.to_json(), "letters": value.get("letters", {})})
        if len(found) < _PAGE:
            break
    letters = _conflicts({str(key): int(count) for key, count in value.get("letters", {}).items()}, now)
    if letters != value.get("letters", {}):
        _save({**follower.to_json(), "letters": letters})


def _do(event: Record, now: datetime) -> None:
    begun_s = time.monotonic()
    try:
        if not _event(event, now):
            return
    except (ValueError, TypeError, AttributeError, DataError, IntegrityError) as error:
        # Whatever a robot put into an event: it costs this alarm, and no other.
        set_aside(_NAME, event.robot_id, f"event {event.pk}", error, now)
    give_way("default", time.monotonic() - begun_s)


def _event(event: Record, now: datetime) -> bool:
    """Say whether it was worth a write. An event of our own agent is worth what its kind says, even when the robot calls it `low`."""
    code = str(event.data.get("code", ""))
    if code in _ENDS:
        resolve_alarm(event.robot_id, _ENDS[code], "", now)
    kind = of_event(code)
    if event.data.get("over"):
        resolve_alarm(event.robot_id, kind.code, "", now)
        return True
    said = str(event.data.get("severity", "low"))
    severity = kinds.worst(said, kind.severity) if kind in EVENTS else said
    if severity not in _WORTH:
        return code in _ENDS
    detail = {**event.data.get("detail", {}), "stream": event.stream, "seq": event.seq}
    raise_alarm(event.robot_id, kind, "", severity, detail, now)
    return True


def _conflicts(known: dict[str, int], now: datetime) -> dict[str, int]:
    """Alarms for conflicts that are new or came again. Returns how often each recent one has been seen."""
    seen = {}
    for letter in DeadLetter.objects.filter(reason="conflict", received_at__gt=now - _BACK).defer("body").order_by("pk")[:_LETTERS]:
        seen[str(letter.pk)] = letter.count
        if known.get(str(letter.pk), 0) < letter.count:
            detail = {"stream": letter.stream, "seq": letter.first, "letter": letter.pk}
            raise_alarm(letter.robot_id, CONFLICT, letter.stream, CONFLICT.severity, detail, now)
    return seen


def _save(value: dict[str, Any]) -> None:
    Cursor.objects.update_or_create(pk=_NAME, defaults={"value": value})
