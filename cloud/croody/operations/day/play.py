"""Plays the day: what robots say goes through ingest, what follows from it through the jobs that see to it. Knows the database.

A day that was played is left as it is. Nothing here writes a row of telemetry or alarms itself.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.contrib.auth.models import User

from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.commands.services import open_outgoing
from croody.detection.windows.jobs import score_windows
from croody.liveness.judge import THRESHOLDS
from croody.liveness.kinds import OFFLINE
from croody.operations.day import cast, incidents, rules, shift
from croody.operations.day.voice import Out, Voice
from croody.telemetry.ingest.services import ingest_relay
from croody.telemetry.jobs import count_days, fold_finished, raise_alarms, request_gaps
from croody.telemetry.jobs.rollups import catch_up
from croody.telemetry.models import Stream
from croody_contract.messages import Answer
from croody_contract.relay import AnswerItem, PlainItem

#: How long a relay waits for more: two minutes, and at the end, where every second is seen, less.
_TICK: Final = timedelta(minutes=2)
_LAST_TICK: Final = timedelta(seconds=10)
_LAST: Final = timedelta(minutes=5)
#: Roll-ups in one transaction: fewer of these than the worker makes of a day, and still tens of milliseconds each.
_ROLLED: Final = 2000
_JOBS_EVERY: Final = 5
#: Of the last hours, in minutes: before them no robot breaks a rule.
_RULES_MIN: Final = 240.0
_SILENT_MIN: Final = THRESHOLDS["agent"].offline_s / 60


@dataclass(frozen=True, slots=True)
class Played:
    """What the day came to."""

    records: int
    alarms: int
    took_s: float


def was_played() -> bool:
    """Say whether a robot of the day has spoken already."""
    return Stream.objects.filter(robot_id__in=[member.robot_id for member in cast.members()]).exists()


class Day:
    """The robots of a day that ends at `end` and has so many hours. `users`: who works with them, by user name."""

    def __init__(self, end: datetime, users: Mapping[str, User], *, seed: int = 7, hours: float = 24.0) -> None:
        self._end = end
        self._begin = self._at = end - timedelta(hours=hours)
        self._people = users
        places = {place.slug: place for place in cast.SITES}
        speaking = [member for member in cast.members() if member.robot_id != cast.NEVER_SPOKE]
        everybody = [*speaking, *cast.FOREIGN]
        self._voices = [Voice(member, places.get(member.site), seed, self._at, end) for member in everybody]
        self._offline: set[str] = set()
        self._done: set[str] = set()
        self._ticks = 0
        self.records = 0

    @property
    def at(self) -> datetime:
        """Up to when it was played."""
        return self._at

    def play(self) -> Played:
        """From the morning to `end`."""
        begun_s = time.monotonic()
        rules.make(self._people, self._begin)
        while self._at < self._end:
            self.tick(min(self._at + (_LAST_TICK if self._end - self._at <= _LAST else _TICK), self._end))
        fold_finished(self._end)
        while not catch_up(self._end, written=_ROLLED):
            pass
        count_days(self._end)
        alarms = Alarm.objects.filter(opened_at__gt=self._begin).count()
        return Played(self.records, alarms, time.monotonic() - begun_s)

    def tick(self, now: datetime) -> None:
        """Everything between the last tick and `now`."""
        self._at = now
        out = Out()
        for voice in self._voices:
            voice.tick(now, out)
            if any(spell.what == "lost" and self._minute(now) <= spell.end - incidents.ASKED_AGAIN_MIN for spell in voice.spells):
                voice.refill(out)
        self._oddities(now, out)
        relay = msgspec.structs.replace(out.relay(), answers=self._answers(out.refilled, now))
        self.records += sum(len(item.records) for item in relay.batches) + len(relay.plain)
        ingest_relay(relay, now=now)
        self._judge_silence(now)
        # Each asks for the disk: they run when there is something for them, and now and then, for what ends by itself.
        self._ticks += 1
        rests = self._ticks % _JOBS_EVERY == 0
        if out.events or rests:
            raise_alarms(now)
        if out.windows or rests:
            score_windows(now)
        request_gaps(now)
        if rests and self._minute(now) < _RULES_MIN:
            rules.judge(now)
        self._shift(now)

    def _minute(self, at: datetime) -> float:
        return (self._end - at) / timedelta(minutes=1)

    def _first_time(self, name: str, minute: float, now: datetime) -> bool:
        """Say whether this moment has come, once. What was before the beginning never does."""
        if name in self._done or not self._minute(now) <= minute <= self._minute(self._begin):
            return False
        self._done.add(name)
        return True

    def _oddities(self, now: datetime, out: Out) -> None:
        """A robot that nobody made, and two robots of one name."""
        minute, stranger = incidents.STRANGER
        if self._first_time("stranger", minute, now):
            out.plain.append(PlainItem(stranger, msgspec.Raw(b'{"data":{"battery_pct":71}}')))
        minute, twin = incidents.CONFLICT
        if self._first_time("twin", minute, now):
            out.events = True
            out.batches += [voice.clone() for voice in self._voices if voice.member.robot_id == twin]

    def _judge_silence(self, now: datetime) -> None:
        """As `judge_liveness` would have done then. That job judges the robots of now, and now they are there again."""
        for voice in self._voices:
            robot_id = voice.member.robot_id
            since = next((spell.begin for spell in voice.spells if spell.what == "silent" and spell.holds(self._minute(now))), None)
            silent = since is not None and since - self._minute(now) > _SILENT_MIN
            if silent and robot_id not in self._offline:
                heard_at = self._end - timedelta(minutes=since or 0)
                raise_alarm(robot_id, OFFLINE, "", OFFLINE.severity, {"heard_at": heard_at.isoformat()}, now)
                self._offline.add(robot_id)
            elif not silent and robot_id in self._offline:
                resolve_alarm(robot_id, OFFLINE.code, "", now)
                self._offline.discard(robot_id)

    def _shift(self, now: datetime) -> None:
        """What the people do meanwhile."""
        for act in incidents.ACTS:
            if self._first_time(f"{act.verb} {act.robot_id} {act.minute}", act.minute, now):
                shift.do(act, self._people, now)

    def _answers(self, refilled: list[str], now: datetime) -> list[AnswerItem]:
        done = Answer("done", "sent again")
        return [AnswerItem(robot_id, row.pk, done) for robot_id in refilled for row in open_outgoing(robot_id, "resend", now=now)]
