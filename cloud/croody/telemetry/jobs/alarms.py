"""Raises alarms from what robots said and from clones. Reads committed facts by a cursor: alarms may live in another database."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Sum

from croody.alarms.quota import QUOTA
from croody.alarms.services import raise_alarm
from croody.telemetry.jobs.event_alarms import Said
from croody.telemetry.kinds import CONFLICT
from croody.telemetry.models import Cursor, DeadLetter, Record
from croody.telemetry.read.follow import Follower, of_kind_since
from croody.telemetry.read.sql import sliced

_NAME: Final = "raise_alarms"
_PAGE: Final = 5000
#: Events that are read together: each may have `MAX_RECORD_BYTES`.
_EVENTS: Final = 100
#: A run ends after so many pages; the next one goes on two seconds later, and the others of its thread had their turn.
_MOST_PAGES: Final = 10
#: Conflicts of one robot that one run looks at, the oldest first.
_LETTERS: Final = 200
#: Letters that were written so long before the last look may still have committed after it.
_BACK: Final = timedelta(minutes=5)
#: How often it is noted when they were looked at.
_NOTED: Final = timedelta(minutes=1)


def raise_alarms(now: datetime) -> None:
    """Turn new events and new conflicts into alarms. An alarm may be counted twice after a crash, never lost."""
    row = Cursor.objects.filter(pk=_NAME).first()
    value = row.value if row is not None else {}
    follower = Follower.from_json(value)
    for _ in range(_MOST_PAGES):
        events, after, more = of_kind_since(follower, "event", now=now, limit=_PAGE)
        said = Said(now)
        for some in sliced(events, _EVENTS):
            for event in Record.objects.filter(pk__in=some).order_by("pk"):
                said.take(event)
        said.close()
        if after != follower:
            follower = after
            _save({**value, **follower.to_json()})
        if not more:
            break
    # Since the last look, and not for some minutes: a robot is answered that a letter is dead, and never sends it again.
    looked_at = min(now, datetime.fromisoformat(value["looked_at"])) if "looked_at" in value else now
    since = looked_at - _BACK
    letters = _conflicts({str(key): int(count) for key, count in value.get("letters", {}).items()}, since, now)
    quotas = _quotas({str(key): int(count) for key, count in value.get("quotas", {}).items()}, since, now)
    is_old = "looked_at" not in value or looked_at + _NOTED <= now
    if is_old or letters != value.get("letters", {}) or quotas != value.get("quotas", {}):
        _save({**follower.to_json(), "letters": letters, "quotas": quotas, "looked_at": now.isoformat()})


def _conflicts(known: dict[str, int], since: datetime, now: datetime) -> dict[str, int]:
    """Alarms for conflicts that are new or came again. Returns how often each recent one has been seen."""
    recent = DeadLetter.objects.filter(reason="conflict", received_at__gt=since).defer("body").order_by("pk")
    seen = {}
    for robot_id in recent.order_by().values_list("robot_id", flat=True).distinct():
        # So many of each robot: none pushes another's aside.
        for letter in recent.filter(robot_id=robot_id)[:_LETTERS]:
            seen[str(letter.pk)] = letter.count
            if known.get(str(letter.pk), 0) < letter.count:
                detail = {"stream": letter.stream, "seq": letter.first, "letter": letter.pk}
                raise_alarm(letter.robot_id, CONFLICT, letter.stream, CONFLICT.severity, detail, now)
    return seen


def _quotas(known: dict[str, int], since: datetime, now: datetime) -> dict[str, int]:
    """One alarm for each robot of which more came than it may send. Returns how many such letters each has of late."""
    recent = DeadLetter.objects.filter(reason="quota", received_at__gt=since).order_by()
    seen = dict(recent.values_list("robot_id").annotate(Sum("count")))
    for robot_id, count in sorted(seen.items()):
        if known.get(robot_id) != count:
            raise_alarm(robot_id, QUOTA, "", QUOTA.severity, {}, now)
    return seen


def _save(value: dict[str, Any]) -> None:
    Cursor.objects.update_or_create(pk=_NAME, defaults={"value": value})
