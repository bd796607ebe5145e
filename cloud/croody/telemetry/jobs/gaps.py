"""Asks robots again for what is missing, and raises an alarm for what does not come."""

import time
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connections
from django.db.models import Max

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.commands.models import Outgoing
from croody.commands.services import send
from croody.fleet.models import Robot
from croody.fleet.queries import returned
from croody.telemetry.ingest.ledger import Entry, missing
from croody.telemetry.kinds import GAP
from croody.telemetry.models import Cursor, Presence, Stream
from croody.telemetry.read.heard import heard_at_of
from croody.telemetry.read.sql import ask, columns, listed, on_postgres, sliced
from croody.telemetry.store.presence import OFF
from croody.web.turns import give_way
from croody_contract import ranges
from croody_contract.limits import GAP_ALARM_AFTER_S
from croody_contract.ranges import Ranges

#: A gap without progress is asked for after this, and again after `_AGAIN`, while the robot is there to answer.
_ASK_AFTER: Final = timedelta(seconds=5)
_AGAIN: Final = timedelta(seconds=60)
_EXPIRES: Final = timedelta(minutes=10)
_THERE: Final = timedelta(minutes=2)
_ALARM_AFTER: Final = timedelta(seconds=GAP_ALARM_AFTER_S)
_MOST_RANGES: Final = 1000
_SHOWN_RANGES: Final = 20
_NAME: Final = "request_gaps"
#: Robots and open alarms that are looked at in one run, the next one goes on behind them; so many in one statement.
_ROBOTS: Final = 500
_ALARMS: Final = 500
_TOGETHER: Final = 100
#: Streams of one robot that are looked at: those that changed last.
_OF_A_ROBOT: Final = 16

#: From robot to robot, however many streams of one lack something.
_ROBOTS_WITH_GAPS: Final = """
WITH RECURSIVE t (robot_id) AS (
    SELECT (SELECT min(robot_id) FROM telemetry_stream WHERE missing_since IS NOT NULL AND robot_id > %s)
    UNION ALL
    SELECT (SELECT min(s.robot_id) FROM telemetry_stream s WHERE s.missing_since IS NOT NULL AND s.robot_id > t.robot_id)
    FROM t WHERE t.robot_id IS NOT NULL
)
SELECT robot_id FROM t WHERE robot_id IS NOT NULL LIMIT %s
"""
_OF_ROBOT: Final = """
SELECT s.id FROM telemetry_stream s
WHERE s.robot_id = {key} AND s.missing_since IS NOT NULL AND s.missing_since <= %s AND s.stream NOT IN ('http', 'mqtt')
ORDER BY s.missing_since DESC LIMIT %s
"""
_GAPS_POSTGRES: Final = (
    f"SELECT g.id FROM unnest(%s::text[]) AS k (robot_id) CROSS JOIN LATERAL ({_OF_ROBOT.format(key='k.robot_id')}) AS g"
)
_GAPS_SQLITE: Final = f"""
SELECT t.id FROM json_each(%s) AS k CROSS JOIN telemetry_stream t ON t.id IN ({_OF_ROBOT.format(key="k.value")})
"""
#: One by one: an index of all that is missing would lead through all that these robots lack.
_STILL_POSTGRES: Final = """
SELECT k.robot_id, k.stream FROM unnest(%s::text[], %s::text[]) AS k (robot_id, stream) CROSS JOIN LATERAL (
    SELECT 1 FROM telemetry_stream s WHERE s.robot_id = k.robot_id AND s.stream = k.stream AND s.missing_since IS NOT NULL LIMIT 1
) AS found
"""
_STILL_SQLITE: Final = """
SELECT s.robot_id, s.stream FROM json_each(%s) AS k CROSS JOIN telemetry_stream s
ON s.robot_id = json_extract(k.value, '$[0]') AND s.stream = json_extract(k.value, '$[1]') AND s.missing_since IS NOT NULL
"""


def request_gaps(now: datetime) -> None:
    """Look at streams of which nothing missing has come for a while: of so many robots a run, and of each the last few that changed."""
    place = Cursor.objects.filter(pk=_NAME).values_list("value", flat=True).first() or {}
    robots = [row[0] for row in ask(_ROBOTS_WITH_GAPS, [place.get("after", ""), _ROBOTS])]
    for some in sliced(robots, _TOGETHER):
        _request(some, now)
    upto = _resolve(int(place.get("alarms", 0)), now)
    after = {"after": robots[-1] if len(robots) == _ROBOTS else "", "alarms": upto}
    if after != {"after": "", "alarms": 0, **place}:
        Cursor.objects.update_or_create(pk=_NAME, defaults={"value": after})


def _request(robots: list[str], now: datetime) -> None:
    gaps = _gaps(robots, now)
    asked = _asked(gaps, now)
    there = _there({row.robot_id for row in gaps}, now)
    # What a robot that was revoked took with it is asked of nobody and is nobody's alarm, also when another one has its name now.
    back = returned({row.robot_id for row in gaps})
    gone = set(Robot.objects.filter(pk__in={row.robot_id for row in gaps}, deleted_at__isnull=False).values_list("pk", flat=True))
    alarms = Alarm.objects.filter(robot_id__in=robots, kind=GAP.code, key__in={row.stream for row in gaps}, resolved_at=None)
    opened = {(alarm.robot_id, alarm.key): alarm for alarm in alarms}
    for row in gaps:
        lacks = missing(Entry(row.have, row.dead, row.dropped, row.known_last))
        if not lacks or row.robot_id in gone or (row.robot_id in back and row.last_received_at < back[row.robot_id]):
            continue
        begun_s = time.monotonic()
        if row.robot_id in there and (row.robot_id, row.stream) not in asked:
            payload = {"stream": row.stream, "ranges": [list(pair) for pair in lacks[:_MOST_RANGES]]}
            send(row.robot_id, "resend", payload, now + _EXPIRES, now=now)
            give_way("default", time.monotonic() - begun_s)
        if row.missing_since is not None and row.missing_since <= now - _ALARM_AFTER:
            detail = _detail(row.stream, lacks)
            held = opened.get((row.robot_id, row.stream))
            if held is None or held.detail != detail:
                raise_alarm(row.robot_id, GAP, row.stream, GAP.severity, detail, now)
                give_way("default", time.monotonic() - begun_s)


def _gaps(robots: list[str], now: datetime) -> list[Stream]:
    before = connections[settings.TELEMETRY_DB].ops.adapt_datetimefield_value(now - _ASK_AFTER)
    found = ask(_GAPS_POSTGRES if on_postgres() else _GAPS_SQLITE, [listed(robots), before, _OF_A_ROBOT])
    return list(Stream.objects.filter(pk__in=[row[0] for row in found]).defer("latest").order_by("robot_id", "place"))


def _asked(gaps: list[Stream], now: datetime) -> set[tuple[str, str]]:
    """Streams for which a request is open or was made a moment ago."""
    robots = {row.robot_id for row in gaps}
    recent = list(Outgoing.objects.filter(robot_id__in=robots, kind="resend", expires_at__gt=now))
    received = {row.robot_id for row in recent if row.answered_at is None and row.answer_state == "received"}
    # The last start is among them: a robot's newest stream is never folded.
    open_ = Stream.objects.filter(robot_id__in=received, folded_at=None)
    started = dict(open_.values_list("robot_id").annotate(Max("first_received_at")))
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
    heard = {robot_id for robot_id, at in heard_at_of(robots).items() if at > now - _THERE}
    heard |= set(
        Presence.objects.filter(robot_id__in=robots, received_at__gt=now - _THERE)
        .exclude(state__in=["offline", OFF])
        .values_list("robot_id", flat=True)
    )
    return set(Robot.objects.filter(pk__in=heard, deleted_at=None).values_list("pk", flat=True))


def _detail(stream: str, lacks: Ranges) -> dict[str, Any]:
    return {"stream": stream, "missing": ranges.count(lacks), "ranges": [list(pair) for pair in lacks[:_SHOWN_RANGES]]}


def _resolve(after: int, now: datetime) -> int:
    """Close alarms of what lacks nothing any more: so many a run, beginning behind alarm `after`. Says where the next run begins."""
    opened = list(
        Alarm.objects.filter(kind=GAP.code, resolved_at=None, pk__gt=after).order_by("pk").values_list("pk", "robot_id", "key")[:_ALARMS]
    )
    for some in sliced(opened, _TOGETHER):
        still = set(ask(_STILL_POSTGRES if on_postgres() else _STILL_SQLITE, columns([one[1:] for one in some], 2)))
        for _, robot_id, stream in some:
            if (robot_id, stream) not in still:
                resolve_alarm(robot_id, GAP.code, stream, now)
                give_way("default", 0.0)
    return opened[-1][0] if len(opened) == _ALARMS else 0
