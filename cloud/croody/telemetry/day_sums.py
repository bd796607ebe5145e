"""What the minutes of a day come to: uptime, gaps, battery, distance. Pure; a minute is a bucket of a roll-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median_low
from typing import Final, NamedTuple

#: What the battery and the way are told from.
BATTERY: Final = "battery_pct"
SPEED: Final = "speed_mps"
#: A silence longer than so many of a robot's usual intervals, and than this many minutes, is a gap.
_INTERVALS: Final = 2.5
_LEAST_GAP_MIN: Final = 2


class Minute(NamedTuple):
    """One minute in which a metric was sent: how often, and its mean."""

    at: datetime
    sent: int
    mean: float


@dataclass(frozen=True, slots=True)
class Sums:
    """Of one robot and day. `cycles`, `distance_m`: None where the robot says nothing of it."""

    minutes: int = 0
    readings: int = 0
    gaps: int = 0
    gap_minutes: int = 0
    cycles: float | None = None
    distance_m: float | None = None


def sums(sent: Sequence[Minute], battery: Sequence[Minute] = (), speed: Sequence[Minute] = ()) -> Sums:
    """Add up a day.

    Args:
        sent: minutes of a metric that every reading has, oldest first.
        battery: minutes of `BATTERY`, %.
        speed: minutes of `SPEED`, m/s.
    """
    if not sent:
        return Sums()
    usual, longest = _usual(sent)
    # Who speaks every five minutes is there in between.
    covered = sum(min(step, usual) if step > longest else step for step in _steps(sent)) + min(usual, longest)
    silences = [step - usual for step in _steps(sent) if step > longest]
    return Sums(
        minutes=round(covered),
        readings=sum(minute.sent for minute in sent),
        gaps=len(silences),
        gap_minutes=round(sum(silences)),
        cycles=_given(battery) if battery else None,
        distance_m=_way(speed) if speed else None,
    )


def _steps(minutes: Sequence[Minute]) -> list[float]:
    return [(after.at - before.at).total_seconds() / 60 for before, after in pairwise(minutes)]


def _usual(minutes: Sequence[Minute]) -> tuple[float, float]:
    """The usual step between minutes with readings, and the longest that is no gap."""
    steps = _steps(minutes)
    usual = max(1.0, median_low(steps)) if steps else 1.0
    return usual, max(_LEAST_GAP_MIN, _INTERVALS * usual)


def _given(battery: Sequence[Minute]) -> float:
    """What it lost between minutes, of a whole charge each hundred percent; what it gained is the charger's."""
    return sum(max(0.0, before.mean - after.mean) for before, after in pairwise(battery)) / 100


def _way(speed: Sequence[Minute]) -> float:
    usual, longest = _usual(speed)
    held = [min(step, usual) if step > longest else step for step in _steps(speed)] + [usual]
    return sum(abs(minute.mean) * 60 * minutes for minute, minutes in zip(speed, held, strict=True))
