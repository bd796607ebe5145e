"""What robots said in events, put together: one write a robot and code, however often it was said. Knows alarms, reads no table.

A robot that says one thing a thousand times costs one write, and one that says a thousand things costs as many as it may open.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import DataError, IntegrityError

from croody.alarms import kinds
from croody.alarms.kinds import Kind
from croody.alarms.models import Alarm
from croody.alarms.quota import QUOTA
from croody.alarms.services import raise_alarm, resolve_alarm
from croody.telemetry.jobs.aside import set_aside
from croody.telemetry.kinds import EVENTS, of_event, raises_alarm
from croody.telemetry.models import Record
from croody.web.turns import give_way

#: Event codes that end an alarm: code -> kind.
_ENDS: Final = {"screening_started": "screening_stopped"}
_WORTH: Final = ("medium", "high", "critical")
_JOB: Final = "raise_alarms"
#: Entries of an event's detail that its alarm keeps, and characters of a text; the event itself is kept whole.
_ENTRIES: Final = 16
_CHARS: Final = 200
#: Alarms of one robot that come and go in one page are each told so often; then only how it ends.
_TOLD: Final = 20


@dataclass(slots=True)
class _Open:
    """What was said since the last write: `event` was the last one."""

    kind: Kind
    event: Record
    severities: list[str] = field(default_factory=list)
    times: int = 0
    over: bool = False


class Said:
    """The events of one page, in their order. `close` writes what is left."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._open: dict[tuple[str, str], _Open] = {}
        self._writes: Counter[str] = Counter()
        #: Robots that have opened as many alarms as they may -> the codes of those that are open.
        self._full: dict[str, set[str]] = {}

    def take(self, event: Record) -> None:
        """One more. An event of our own agent is worth what its kind says, even when the robot calls it `low`."""
        try:
            code, said = str(event.data.get("code", "")), str(event.data.get("severity", "low"))
            if not raises_alarm(code):
                return
            if code in _ENDS:
                self._end(event, of_event(_ENDS[code]))
            kind = of_event(code)
            if event.data.get("over"):
                self._end(event, kind)
                return
            severity = kinds.worst(said, kind.severity) if kind in EVENTS else said
            if severity not in _WORTH:
                return
        except (ValueError, TypeError, AttributeError) as error:
            set_aside(_JOB, event.robot_id, f"event {event.pk}", error, self._now)
            return
        told = self._open.setdefault((event.robot_id, kind.code), _Open(kind, event))
        told.event, told.over, told.times = event, False, told.times + 1
        told.severities.append(severity)

    def close(self) -> None:
        """Write what is left."""
        for told in self._open.values():
            self._write(told)
        self._open.clear()

    def _end(self, event: Record, kind: Kind) -> None:
        key = (event.robot_id, kind.code)
        told = self._open.get(key)
        if told is None:
            told = self._open[key] = _Open(kind, event)
        told.event, told.over = event, True
        if self._writes[event.robot_id] < _TOLD:
            self._write(self._open.pop(key))

    def _write(self, told: _Open) -> None:
        """Raise, end, or both. Whatever a robot put into an event: it costs this alarm, and no other."""
        begun_s = time.monotonic()
        robot_id = told.event.robot_id
        open_ = self._full.get(robot_id)
        if open_ is not None and told.kind.code not in open_:
            return
        self._writes[robot_id] += 1
        try:
            if told.times and (not told.over or self._writes[robot_id] <= _TOLD):
                self._raise(told)
            if told.over:
                resolve_alarm(robot_id, told.kind.code, "", self._now)
        except (ValueError, TypeError, AttributeError, DataError, IntegrityError) as error:
            set_aside(_JOB, robot_id, f"event {told.event.pk}", error, self._now)
        give_way("default", time.monotonic() - begun_s)

    def _raise(self, told: _Open) -> None:
        event = told.event
        detail = {**_brief(event.data.get("detail", {})), "stream": event.stream, "seq": event.seq}
        row = raise_alarm(event.robot_id, told.kind, "", kinds.worst(*told.severities), detail, self._now, told.times)
        if row.kind == QUOTA.code:
            mine = Alarm.objects.filter(robot_id=event.robot_id, resolved_at=None)
            self._full[event.robot_id] = set(mine.values_list("kind", flat=True))


def _brief(given: dict[str, Any]) -> dict[str, Any]:
    """As much of a detail as an alarm tells: five hundred alarms a day and robot are listed whole."""
    found = dict(list(given.items())[:_ENTRIES])
    return {name: value[:_CHARS] if isinstance(value, str) else value for name, value in found.items()}
