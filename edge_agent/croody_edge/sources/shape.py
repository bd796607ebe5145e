"""What becomes of a source's readings: which cells go, under which name, scaled how, and how often. Pure: data in, data out, time a number.

A cell that no reading can carry is left out, and the others of its row go. `Shaper` is for one source and one thread at a time.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from math import cos, isfinite, radians
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from croody_contract.limits import MAX_METRICS, MAX_NAME_CHARS, MAX_TEXT_CHARS
from croody_contract.messages import Event, MetricInfo, Name, Position, Reading, Value
from croody_edge.sources import NoValue, Said

#: Metrics of which a left-out cell is said; beyond them nothing is, for a device may make up names for ever.
MOST_LEFT_OUT: Final = 50
#: Events are never thinned on their way: so many a minute of one source, and the rest is counted.
EVENTS_A_MINUTE: Final = 120
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_METRES_A_DEGREE: Final = 111_320.0


class Label(Struct, frozen=True, forbid_unknown_fields=True):
    """A metric's name for people."""

    es: Annotated[str, Meta(max_length=48)] = ""
    en: Annotated[str, Meta(max_length=48)] = ""


class MetricShape(Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """`[source.NAME.metrics.METRIC]`: what is sent is the device's value times `scale` plus `offset`, rounded to `decimals`.

    `deadband`: a smaller change is none. `unit`, `label` and `type` are what pages say of it; they change no value.
    """

    source: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    decimals: Annotated[int, Meta(ge=0, le=9)] | None = None
    deadband: Annotated[float, Meta(ge=0)] = 0.0
    unit: Annotated[str, Meta(max_length=16)] = ""
    label: Label | Annotated[str, Meta(max_length=48)] = ""
    type: Literal["number", "text", "switch"] | None = None
    drop: bool = False


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """`[source.NAME.report]`: when a reading goes up, and what of it.

    `on_change`: only when something changed by more than its deadband, or `at_least_every_s` passed. `at_most_per_s`: what comes faster is
    put together, the newest of every metric. `only`: patterns of the device's names. `stale_after_s`: so long the last value stays part of
    the robot's readings while other sources speak. `position_deadband_m`: a smaller move is none.
    """

    on_change: bool = False
    at_least_every_s: Annotated[float, Meta(gt=0, le=86400)] = 60.0
    at_most_per_s: Annotated[float, Meta(gt=0, le=1000)] | None = None
    prefix: Annotated[str, Meta(max_length=32)] = ""
    only: Annotated[list[str], Meta(max_length=MAX_METRICS)] = []
    stale_after_s: Annotated[float, Meta(gt=0, le=86400)] = 90.0
    position_deadband_m: Annotated[float, Meta(ge=0, le=10000)] = 0.5


class LeftOut(Struct, frozen=True):
    """One metric of which a cell was left out: the value as text, and the key of the text that says why."""

    metric: str
    shown: str
    why: str


class Shaper:
    """Of one source."""

    def __init__(self, report: Report, metrics: Mapping[str, MetricShape], *, partial: bool = False) -> None:
        """Args: `metrics` by the name under which they are sent; `partial` as `sources.Kind` has it."""
        self.report, self._partial = report, partial
        self._by_source = {shape.source or name: (name, shape) for name, shape in metrics.items()}
        self._deadbands = {name: shape.deadband for name, shape in metrics.items() if shape.deadband}
        self._plain = not metrics and not report.prefix and not report.only
        self._sent: Reading | None = None
        self._sent_s = -1e18
        self._pending: Reading | None = None
        self._said_of: set[str] = set()
        self._events: list[float] = []
        #: New since somebody looked and emptied it.
        self.left_out: list[LeftOut] = []
        self.events_lost = 0

    def offer(self, said: Said, mono_s: float) -> Said | None:
        """What goes up at once; None when nothing does, or not yet.

        Args:
            said: by the source, in whatever state.
            mono_s: seconds of a clock that never jumps.
        """
        if isinstance(said, Event):
            return self._event(said, mono_s)
        if not isinstance(said, Reading):
            return said
        self._pending = _merged(self._pending, self._tidy(said))
        return self.due(mono_s)

    def due(self, mono_s: float) -> Reading | None:
        """What was held back and may go by now."""
        pending = self._pending
        if pending is None:
            return None
        rate = self.report.at_most_per_s
        if rate is not None and mono_s - self._sent_s < 1.0 / rate:
            return None
        self._pending = None
        if _empty(pending):
            return None
        if self.report.on_change and mono_s - self._sent_s < self.report.at_least_every_s and not self._changed(pending):
            return None
        self._sent = _merged(self._sent, pending) if self._partial else pending
        self._sent_s = mono_s
        return pending

    def due_in_s(self, mono_s: float) -> float | None:
        """Seconds until `due` has something; None when it has not."""
        if self._pending is None or self.report.at_most_per_s is None:
            return None
        return max(0.0, self._sent_s + 1.0 / self.report.at_most_per_s - mono_s)

    def _event(self, event: Event, mono_s: float) -> Event | None:
        self._events = [at for at in self._events if mono_s - at < 60.0]
        if len(self._events) >= EVENTS_A_MINUTE:
            self.events_lost += 1
            return None
        self._events.append(mono_s)
        detail = {name: kept for name, value in event.detail.items() if (kept := self._cell(name, value, None)) is not None}
        return msgspec.structs.replace(event, detail=detail)

    def _tidy(self, reading: Reading) -> Reading:
        data: dict[str, Value] = {}
        for given, value in reading.data.items():
            name, shape = self._named(given)
            if name is None:
                continue
            if not 1 <= len(name) <= MAX_NAME_CHARS or not _storable(name):
                self._leave_out(name, value, "cell.bad_name")
            elif len(data) >= MAX_METRICS and name not in data:
                self._leave_out(name, value, "cell.too_many")
            elif (kept := self._cell(name, value, shape)) is not None:
                data[name] = kept
        return Reading(
            data=data,
            ts=reading.ts,
            position=self._position(reading.position),
            environment=self._word("environment", reading.environment),
            status=self._word("status", reading.status),
        )

    def _named(self, given: object) -> tuple[str | None, MetricShape | None]:
        """Under which name it is sent; None when it is not."""
        name = str(given)
        if self._plain:
            return name, None
        if name in self._by_source:
            known, shape = self._by_source[name]
            return (None if shape.drop else known), shape
        if self.report.only and not any(fnmatchcase(name, pattern) for pattern in self.report.only):
            return None, None
        return self.report.prefix + name, None

    def _cell(self, name: str, value: object, shape: MetricShape | None) -> Value | None:
        try:
            return _cell(value, shape)
        except _LeftOut as why:
            self._leave_out(name, value, str(why))
            return None

    def _leave_out(self, name: str, value: object, why: str) -> None:
        if name not in self._said_of and len(self._said_of) < MOST_LEFT_OUT:
            self._said_of.add(name)
            self.left_out.append(LeftOut(name[:MAX_NAME_CHARS], repr(value)[:MAX_NAME_CHARS], why))

    def _position(self, position: Position | None) -> Position | None:
        if position is None:
            return None
        try:
            fits = all(isfinite(number) for number in (position.lat, position.lng)) and abs(position.lat) <= 90 and abs(position.lng) <= 180
            high = position.alt is None or isfinite(position.alt)
        except TypeError:
            fits = high = False
        if not fits:
            self._leave_out("position", position, "cell.no_place")
            return None
        return position if high else msgspec.structs.replace(position, alt=None)

    def _word(self, name: str, word: str | None) -> str | None:
        if word is None or (isinstance(word, str) and len(word) <= MAX_NAME_CHARS and _storable(word)):
            return word
        self._leave_out(name, word, "cell.bad_text")
        return None

    def _changed(self, now: Reading) -> bool:
        before = self._sent
        if before is None:
            return True
        if not self._partial and before.data.keys() != now.data.keys():
            return True
        words = (now.status, before.status), (now.environment, before.environment)
        if any(new is not None and new != old for new, old in words) or self._moved(before.position, now.position):
            return True
        return any(_differs(before.data.get(name), value, self._deadbands.get(name, 0.0)) for name, value in now.data.items())

    def _moved(self, before: Position | None, now: Position | None) -> bool:
        if now is None or before is None:
            return now is not before and now is not None
        north_m = (now.lat - before.lat) * _METRES_A_DEGREE
        east_m = (now.lng - before.lng) * _METRES_A_DEGREE * cos(radians(now.lat))
        up_m = (now.alt or 0.0) - (before.alt or 0.0)
        return bool(north_m**2 + east_m**2 + up_m**2 > self.report.position_deadband_m**2)


class _LeftOut(ValueError):
    """A cell that no reading can carry; the key of the text that says why."""


def _cell(value: object, shape: MetricShape | None) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if len(value) > MAX_TEXT_CHARS or not _storable(value):
            raise _LeftOut("cell.bad_text")
        return str(value)
    if isinstance(value, NoValue):
        raise _LeftOut("cell.no_value")
    if not isinstance(value, int | float):
        raise _LeftOut("cell.bad_type")
    return _number(int(value) if isinstance(value, int) else float(value), shape)


def _number(number: int | float, shape: MetricShape | None) -> Value:
    if shape is not None and (shape.scale != 1.0 or shape.offset):
        try:
            number = number * shape.scale + shape.offset
        except OverflowError as error:
            raise _LeftOut("cell.too_large") from error
    if isinstance(number, float):
        if not isfinite(number):
            raise _LeftOut("cell.no_number")
        return round(number, shape.decimals) if shape is not None and shape.decimals is not None else number
    if not _LEAST <= number <= _MOST:
        raise _LeftOut("cell.too_large")
    return number


def _storable(word: str) -> bool:
    """No U+0000 and no lone surrogate: no database takes them."""
    return "\x00" not in word and (word.isascii() or not any("\ud800" <= char <= "\udfff" for char in word))


def _differs(before: Value | None, now: Value, deadband: float) -> bool:
    if deadband and not isinstance(before, bool | str | None) and not isinstance(now, bool | str):
        return abs(now - before) > deadband
    return before != now or type(before) is not type(now)


def _empty(reading: Reading) -> bool:
    return not reading.data and reading.position is None and reading.status is None and reading.environment is None


def _merged(before: Reading | None, now: Reading) -> Reading:
    """The newest of everything."""
    if before is None:
        return now
    data = before.data | now.data
    return Reading(
        data=dict(list(data.items())[-MAX_METRICS:]) if len(data) > MAX_METRICS else data,
        ts=now.ts or before.ts,
        position=now.position or before.position,
        environment=now.environment or before.environment,
        status=now.status or before.status,
    )


def described(known: tuple[MetricInfo, ...], report: Report, metrics: Mapping[str, MetricShape]) -> list[MetricInfo]:
    """What is to be said of a source's metrics: by its kind, under the names they are sent with, and by its table, which goes before."""
    by_source = {shape.source or name: name for name, shape in metrics.items()}
    found = {}
    for info in known:
        name = by_source.get(info.name, report.prefix + info.name)
        if len(name) <= MAX_NAME_CHARS:
            found[name] = msgspec.structs.replace(info, name=name)
    for name, shape in metrics.items():
        if not shape.drop and (shape.unit or shape.label or shape.type or shape.decimals is not None):
            found[name] = _info(name, shape, found.get(name))
    return list(found.values())


def _info(name: Name, shape: MetricShape, before: MetricInfo | None) -> MetricInfo:
    base = before or MetricInfo(name)
    label = shape.label if isinstance(shape.label, Label) else Label(shape.label, shape.label)
    changes: dict[str, Any] = {"unit": shape.unit, "es": label.es or label.en, "en": label.en or label.es, "type": shape.type}
    changes = {field: value for field, value in changes.items() if value}
    if shape.decimals is not None:
        changes["decimals"] = shape.decimals
    return msgspec.structs.replace(base, **changes)
