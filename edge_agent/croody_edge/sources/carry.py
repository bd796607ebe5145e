"""A reading of one source, with what the other sources said a moment ago: a robot's newest reading says all that is known of it. Pure."""

from typing import NamedTuple

import msgspec

from croody_contract.limits import MAX_METRICS
from croody_contract.messages import Position, Reading, Value


class _Kept(NamedTuple):
    value: Value
    source: str
    until_s: float


class _Place(NamedTuple):
    position: Position | None
    environment: str | None
    status: str | None
    until_s: float


class Carry:
    """Of one robot. What a source said is carried until it is stale, it fails, or it says something else."""

    def __init__(self) -> None:
        self._values: dict[str, _Kept] = {}
        self._places: dict[str, _Place] = {}

    def whole(self, reading: Reading, source: str, mono_s: float, stale_after_s: float, *, partial: bool) -> Reading:
        """The reading, with what is still true of the others and, where it is partial, of itself.

        Args:
            reading: of `source`.
            source: its name.
            mono_s: seconds of a clock that never jumps.
            stale_after_s: how long this one is carried.
            partial: it says only what is new.
        """
        until_s = mono_s + stale_after_s
        self._values = {name: kept for name, kept in self._values.items() if kept.until_s > mono_s and (partial or kept.source != source)}
        others = {name: kept.value for name, kept in self._values.items() if name not in reading.data}
        room = MAX_METRICS - len(reading.data)
        whole = reading.data | dict(list(others.items())[-room:] if room > 0 else ())
        self._values |= {name: _Kept(value, source, until_s) for name, value in reading.data.items()}
        if len(self._values) > MAX_METRICS:
            self._values = dict(list(self._values.items())[-MAX_METRICS:])
        own = self._places.get(source) if partial else None
        self._places = {name: place for name, place in self._places.items() if place.until_s > mono_s and name != source}
        place = _over(_Place(reading.position, reading.environment, reading.status, until_s), own)
        for other in self._places.values():
            place = _over(place, other)
        if reading.position or reading.environment or reading.status:
            self._places[source] = _over(_Place(reading.position, reading.environment, reading.status, until_s), own)
        elif own is not None:
            self._places[source] = own
        return msgspec.structs.replace(reading, data=whole, position=place.position, environment=place.environment, status=place.status)

    def forget(self, source: str) -> None:
        """It is away: nothing of it is true any more."""
        self._values = {name: kept for name, kept in self._values.items() if kept.source != source}
        self._places.pop(source, None)


def _over(first: _Place, second: _Place | None) -> _Place:
    if second is None:
        return first
    return _Place(
        first.position or second.position,
        first.environment or second.environment,
        first.status or second.status,
        first.until_s,
    )
