"""Asks robots again for what is missing, and raises an alarm for what does not come."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Max

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.commands.models import Outgoing
from croody.commands.services import send
from croody.fleet.models import Robot
from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.kinds import GAP
from croody.telemetry.models import Presence, Stream
from croody.telemetry.store.presence import OFF
from croody_contract import ranges
from croody_contract.limits import GAP_ALARM_AFTER_S
from croody_contract.ranges import Ranges
from croody_contract.topics import PLAIN_STREAMS

#: A gap without progress is asked for after this, and again after `_AGAIN`, while the robot is there to answer.
_ASK_AFTER: Final = timedelta(seconds=5)
_AGAIN: Final = timedelta(seconds=60)
_EXPIRES: Final = timedelta(minutes=10)
_THERE: Final = timedelta(minutes=2)
_ALARM_AFTER: Final = timedelta(seconds=GAP_ALARM_AFTER_S)
_MOST_RANGES: Final = 1000
_SHOWN_RANGES: Final = 20


def request_gaps(now: datetime) -> None:
    """Look at every stream of which nothing missing has come for a while."""
    gaps = list(Stream.objects.filter(missing_since__lte=now - _ASK_AFTER).exclude(stream__in=PLAIN_STREAMS).order_by("robot_id", "place"))
    asked = _asked(gaps, now)
    there = _there({row.robot_id for row in gaps}, now)
    # What a robot that was revoked took with it is asked of nobody and is nobody's alarm.
    gone = set(Robot.objects.filter(pk__in={row.robot_id for row in gaps}, deleted_at__isnull=False).values_list("pk", flat=True))
    opened = {(alarm.robot_id, alarm.key): alarm for alarm in Alarm.objects.filter(kind=GAP.code, resolved_at=None)}
    for row in gaps:
        lacks = missing(Entry(row.have, row.dead, row.dropped, row.known_last))
        if not lacks or row.robot_id in gone:
            continue
        if row.robot_id in there and (row.robot_id, row.stream) not in asked:
            payload = {"stream": row.stream, "ranges": [list(pair) for pair in lacks[:_MOST_RANGES]]}
            send(row.robot_id, "resend", payload, now + _EXPIRES, now=now)
        if row.missing_since is not None and row.missing_since <= now - _ALARM_AFTER:
            detail = _detail(row.stream, lacks)
            held = opened.get((row.robot_id, row.stream))
            if held is None or held.detail != detail:
                raise_alarm(row.robot_id, GAP, row.stream, GAP.severity, detail, now)
    _resolve(opened, now)


def _asked(gaps: list[Stream], now: datetime) -> set[tuple[str, str]]:
    """Streams for which a request is open or was made a moment ago."""
    robots = {row.robot_id for row in gaps}
    recent = list(Outgoing.objects.filter(robot_id__in=robots, kind="resend", expires_at__gt=now))
    received = {row.robot_id for row in recent if row.answered_at is None and row.answer_state == "received"}
    started = dict(Stream.objects.filter(robot_id__in=received).values_list("robot_id").annotate(Max("first_received_at")))
    still = {(row.robot_id, row.stream): row.missing_since for row in gaps}
    found = set()
    for row in recent:
        key = (row.robot_id, str(row.payload.get("stream", "")))
        if row.answered_at is not None:
            is_open = row.expires_at > now + _EXPIRES - _AGAIN
        else:
            is_open = not _forgotten(row, started.get(row.robot_id), still.get(key), now)
        if is_open:
            found.add(key)
    return found


def _forgotten(row: Outgoing, started: datetime | None, still: datetime | None, now: datetime) -> bool:
    """Say whether the robot took this request and will not carry it out: it is sent no more, and would be open for minutes.

    Either the robot started again since (a stream was born), or nothing of the gap has come for long.
    """
    if row.answer_state != "received" or row.sent_at is None:
        return False
    stalled = still is not None and max(still, row.sent_at) <= now - _AGAIN
    return stalled or (started is not None and started > row.sent_at)


def _there(robots: set[str], now: datetime) -> set[str]:
    """Robots that exist and were heard a moment ago: nobody else can answer."""
    heard = set(
        Stream.objects.filter(robot_id__in=robots)
        .values_list("robot_id")
        .annotate(heard=Max("last_received_at"))
        .filter(heard__gt=now - _THERE)
        .values_list("robot_id", flat=True)
    )
    heard |= set(
        Presence.objects.filter(robot_id__in=robots, received_at__gt=now - _THERE)
        .exclude(state__in=["offline", OFF])
        .values_list("robot_id", flat=True)
    )
    return set(Robot.objects.filter(pk__in=heard, deleted_at=None).values_list("pk", flat=True))


def _detail(stream: str, lacks: Ranges) -> dict[str, Any]:
    return {"stream": stream, "missing": ranges.count(lacks), "ranges": [list(pair) for pair in lacks[:_SHOWN_RANGES]]}


def _resolve(opened: dict[tuple[str, str], Alarm], now: datetime) -> None:
    robots = {robot_id for robot_id, _ in opened}
    still = set(Stream.objects.filter(robot_id__in=robots, missing_since__isnull=False).values_list("robot_id", "stream"))
    for robot_id, stream in set(opened) - still:
        resolve_alarm(robot_id, GAP.code, stream, now)
