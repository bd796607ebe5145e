"""One robot of the day as an agent: numbers what it says, keeps what does not come through, says it later. Pure: no clock, no database."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import sin
from random import Random
from typing import Any, Final

import msgspec

from croody.operations.day import incidents
from croody.operations.day.cast import Member, Place
from croody.operations.day.life import CLOSE_S, INTERVAL_S, Life
from croody_contract.messages import Born, Event, Position, Presence, Reading, Telemetry, Tombstone, Window, encode
from croody_contract.relay import BatchItem, PlainItem, PresenceItem, Relay

#: Before the last two hours a robot says every other reading: no page looks closer.
_CLOSE_MIN: Final = 120.0
#: In the last minutes, and when the day goes on, its way is seen turn by turn.
_TRAIL_MIN: Final = 8.0
#: Records of the backlog that go out in a minute, beside what is new.
_DRAINED: Final = 12
#: Of what waits for a network, so much is kept; the oldest goes.
_MOST_KEPT: Final = 5000
MODEL: Final = "sensors-11.tflite"
#: What a window holds, and how many rows.
_SENSORS: Final = ("motor_temp_c", "motor_current_a", "speed_mps")
_ROWS: Final = 16
#: JSON that no reading may hold.
_BAD: Final = (b'{"kind":"reading","data":{"battery_pct":NaN}}', b'{"kind":"reading","data":{"speed_mps":null}}')
_LONG_AGO: Final = datetime(1970, 1, 1, 0, 3, 20, tzinfo=UTC)


@dataclass(slots=True)
class Out:
    """What the robots say in one tick."""

    batches: list[BatchItem] = field(default_factory=list)
    plain: list[PlainItem] = field(default_factory=list)
    presence: list[PresenceItem] = field(default_factory=list)
    #: Robots that sent again what was missing.
    refilled: list[str] = field(default_factory=list)
    #: There is something for the jobs that read these.
    events: bool = False
    windows: bool = False

    def relay(self) -> Relay:
        """As a bridge brings it."""
        return Relay(batches=self.batches, plain=self.plain, presence=self.presence)


class Voice:
    """A robot. `tick` says what it sends in a stretch of time; `end` is the day's end, by which incidents are told."""

    def __init__(self, member: Member, place: Place | None, seed: int, begin: datetime, end: datetime) -> None:
        self.member = member
        self.spells = incidents.of(member)
        self._life = Life(member, place, seed)
        self._random = Random(f"voice:{seed}:{member.robot_id}")
        self._end = end
        self._next = begin + timedelta(seconds=self._random.uniform(1, INTERVAL_S))
        since = (end - begin) / timedelta(minutes=1)
        self._events = [event for event in incidents.EVENTS if event.robot_id == member.robot_id and event.minute <= since]
        self._passed_s = INTERVAL_S
        self._starts = 0
        self._stream, self._seq = "", 0
        self._is_off = True
        self._kept: list[tuple[int, bytes]] = []
        self._lost: list[tuple[int, bytes]] = []
        self._thinned: list[int] = []
        self._screened = 0

    def under(self, minute: float) -> set[str]:
        """What befalls it."""
        return {spell.what for spell in self.spells if spell.holds(minute)}

    def minute(self, at: datetime) -> float:
        """How long before the day's end."""
        return (self._end - at) / timedelta(minutes=1)

    def tick(self, until: datetime, out: Out) -> None:
        """Say what is to be said from the last tick until now."""
        new: list[tuple[int, bytes]] = []
        while self._next <= until:
            new += self._reading(self._next, out)
            minute = self.minute(self._next)
            self._passed_s = CLOSE_S if minute <= _TRAIL_MIN else INTERVAL_S
            self._next += timedelta(seconds=self._passed_s)
            if minute > _CLOSE_MIN:
                self._life.step(_hour(self._next), self.under(self.minute(self._next)))
                self._next += timedelta(seconds=self._passed_s)
        if self.member.plain:
            out.plain += [PlainItem(self.member.robot_id, msgspec.Raw(raw)) for _, raw in new]
            return
        self._send(new, self.under(self.minute(until)), out)

    def _reading(self, at: datetime, out: Out) -> list[tuple[int, bytes]]:
        under = self.under(self.minute(at))
        moment = self._life.step(_hour(at), under, passed_s=self._passed_s)
        if "off" in under:
            self._goodbye(out)
            return []
        position = Position(moment.lat, moment.lng) if moment.lat is not None and moment.lng is not None else None
        ts = _LONG_AGO if "clock" in under else at
        if self.member.plain:
            return [(0, encode(Telemetry(moment.data, None, ts, position, None, moment.status)))]
        new = self._born(at) if self._is_off else []
        if "mute" not in under:
            new.append((self._number(), encode(Reading(moment.data, ts, position, None, moment.status))))
        if "bad" in under:
            new += [(self._number(), raw) for raw in _BAD]
        events, windows = list(self._events_until(at)), list(self._windows(at, under))
        out.events, out.windows = out.events or bool(events), out.windows or bool(windows)
        new += [*events, *windows]
        return new

    def _number(self) -> int:
        self._seq += 1
        return self._seq

    def _born(self, at: datetime) -> list[tuple[int, bytes]]:
        before, last = self._stream or None, self._seq
        self._starts += 1
        name = hashlib.sha256(f"{self.member.robot_id}:{self._starts}:{self._end.isoformat()}".encode()).hexdigest()[:20]
        self._stream, self._seq, self._is_off = name, 0, False
        born = Born("croody-edge 1.0", at, before, last if before else None, ["resend"])
        return [(self._number(), encode(born))]

    def _goodbye(self, out: Out) -> None:
        if not self._is_off:
            self._is_off = True
            word = Presence("offline", self._stream, interval_s=INTERVAL_S, goodbye=True)
            out.presence.append(PresenceItem(self.member.robot_id, word))

    def _events_until(self, at: datetime) -> Iterator[tuple[int, bytes]]:
        while self._events and self._events[0].minute >= self.minute(at):
            said = self._events.pop(0)
            yield self._number(), encode(Event(said.code, at, said.severity, dict(said.detail), said.over))

    def _windows(self, at: datetime, under: Collection[str]) -> Iterator[tuple[int, bytes]]:
        if self.member.robot_id not in incidents.SCREENED:
            return
        self._screened += 1
        odd = "odd" in under
        if self._screened % (incidents.ODD_EVERY if odd else incidents.SCREENED_EVERY):
            return
        score = self._random.uniform(0.72, 0.93) if odd else self._random.uniform(0.02, 0.2)
        window = Window(MODEL, round(score, 3), odd, list(_SENSORS), self._features(odd), at, sampled=not odd)
        yield self._number(), encode(window)

    def _features(self, odd: bool) -> list[list[float]]:
        draw = self._random
        warm, current, hum = (61.0, 6.2, 0.9) if odd else (45.0, 2.8, 0.25)
        return [
            [round(warm + 0.4 * row * odd + draw.gauss(0, 0.6), 2), round(current + draw.gauss(0, 0.3), 2), round(0.7 + hum * sin(row), 2)]
            for row in range(_ROWS)
        ]

    def _send(self, new: list[tuple[int, bytes]], under: set[str], out: Out) -> None:
        robot_id = self.member.robot_id
        if self._is_off:
            self._batch(new, out, historical=False)
            return
        if "silent" in under:
            self._kept = [*self._kept, *new][-_MOST_KEPT:]
            return
        if under & {"lost", "missing"}:
            self._lost += new
            new = []
        if "thinned" in under:
            self._thinned += [seq for seq, _ in new]
            new = []
        elif self._thinned:
            stone = Tombstone(self._stream, [(self._thinned[0], self._thinned[-1])], "thinned")
            new.append((self._number(), encode(stone)))
            self._thinned = []
        out.presence.append(PresenceItem(robot_id, Presence("online", self._stream, queued=len(self._kept), interval_s=INTERVAL_S)))
        self._batch(new, out, historical=False)
        self._batch(self._kept[:_DRAINED], out, historical=True)
        self._kept = self._kept[_DRAINED:]

    def refill(self, out: Out) -> None:
        """Send again what was lost on the way."""
        if self._lost:
            out.refilled.append(self.member.robot_id)
            self._batch(self._lost, out, historical=True)
            self._lost = []

    def _batch(self, records: list[tuple[int, bytes]], out: Out, *, historical: bool) -> None:
        """One batch a run of numbers: what lies between two runs goes another way, or never."""
        start = 0
        for index in range(1, len(records) + 1):
            if index == len(records) or records[index][0] != records[index - 1][0] + 1:
                raws = [msgspec.Raw(raw) for _, raw in records[start:index]]
                out.batches.append(BatchItem(self.member.robot_id, self._stream, records[start][0], raws, historical=historical))
                start = index

    def clone(self) -> BatchItem:
        """Another robot of this name: its last number with other bytes."""
        other: dict[str, Any] = {"battery_pct": 50.0}
        raw = msgspec.Raw(encode(Reading(other)))
        return BatchItem(self.member.robot_id, self._stream, self._seq, [raw])


def _hour(at: datetime) -> float:
    return at.hour + at.minute / 60
