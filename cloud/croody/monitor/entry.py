"""A robot as the monitor shows it, as plain values. Pure: facts in, one `Entry` out; no words, no numbers as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, Final

from croody.liveness.judge import State
from croody.telemetry.read.delivery import Delivered
from croody.telemetry.read.metrics import NOBODY_SAID, Said

#: How far back a trail goes, in seconds, and how far apart two of its points are at least, in metres.
TRAIL_S: Final = 120.0
TRAIL_STEP_M: Final = 0.25
#: Silence that is a hole at least, in seconds.
HOLE_S: Final = 5.0
#: Metrics that place a robot on its plan; they are drawn, not listed.
PLACE: Final = ("x_m", "y_m", "heading_deg")
#: Farther than this from a site's origin nothing stands on its plan, in metres.
FARTHEST_M: Final = 1e5


@dataclass(frozen=True, slots=True)
class Delivery:
    """`received` of `expected` numbered records are accounted for; `missing` may still come, in `gaps` holes.

    Robots that number nothing prove nothing: `expected` is 0.
    """

    received: int = 0
    expected: int = 0
    missing: int = 0
    gaps: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """A robot as the monitor shows it. `at`: unix seconds of its last reading, None before the first."""

    robot_id: str
    site: str
    kind: str
    state: State
    at: float | None
    doing: str | None
    values: Mapping[str, Any]
    x_m: float | None
    y_m: float | None
    heading_deg: float | None
    lat: float | None
    lng: float | None
    delivery: Delivery
    hole_s: float
    #: What it says of its own metrics.
    said: Said = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Latest:
    """The last reading of a robot as the API shows a row, and when it counts: never later than its receipt."""

    row: Mapping[str, Any]
    at: datetime
    said: Said = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A place of a trail: unix seconds, metres. `hole`: nothing is known of the way to it."""

    at: float
    x_m: float
    y_m: float
    hole: bool = False


@dataclass(slots=True)
class Trail:
    """Where a robot was during the last `TRAIL_S`, oldest first. A line is drawn only where readings followed each other."""

    steps: list[Step] = field(default_factory=list)
    _last: Step | None = None

    def add(self, at: float, x_m: float, y_m: float, hole_s: float = HOLE_S) -> None:
        """Note a place, unless the robot has hardly moved since the one before. More than `hole_s` of silence is a hole."""
        last = self._last
        if last is not None and at <= last.at:
            return
        silent = last is not None and at - last.at > hole_s and _apart(last, x_m, y_m) >= TRAIL_STEP_M
        if silent or not self.steps or _apart(self.steps[-1], x_m, y_m) >= TRAIL_STEP_M:
            self.steps.append(Step(at, x_m, y_m, silent))
        self._last = Step(at, x_m, y_m)

    def forget(self, now: float) -> None:
        """Drop what is older than `TRAIL_S`."""
        oldest = now - TRAIL_S
        while self.steps and self.steps[0].at < oldest:
            self.steps.pop(0)


def hole_s(interval_s: float | None) -> float:
    """Silence of more than two and a half intervals is a hole, in seconds."""
    return max(HOLE_S, 2.5 * (interval_s or 0.0))


def _apart(step: Step, x_m: float, y_m: float) -> float:
    return abs(x_m - step.x_m) + abs(y_m - step.y_m)


def delivery(found: Delivered | None) -> Delivery:
    """What the ledger proves of all that a robot numbered."""
    if found is None:
        return Delivery()
    received = found.stored + found.dead
    return Delivery(received, received + found.dropped + found.missing, found.missing, found.gaps, found.dropped)


def entry(
    robot_id: str, site: str, kind: str, state: State, latest: Latest | None, delivered: Delivery, interval_s: float | None = None
) -> Entry:
    """Put one robot together."""
    row: Mapping[str, Any] = latest.row if latest is not None else {}
    data: Mapping[str, Any] = row.get("data") or {}
    position: Mapping[str, Any] = row.get("position") or {}
    values = {name: value for name, value in data.items() if name not in PLACE}
    return Entry(
        robot_id=robot_id,
        site=site,
        kind=kind,
        state=state,
        at=latest.at.timestamp() if latest is not None else None,
        doing=row.get("status"),
        values=values,
        x_m=as_metres(data.get("x_m")),
        y_m=as_metres(data.get("y_m")),
        heading_deg=as_number(data.get("heading_deg")),
        lat=as_number(position.get("lat")),
        lng=as_number(position.get("lng")),
        delivery=delivered,
        hole_s=hole_s(interval_s),
        said=latest.said if latest is not None else NOBODY_SAID,
    )


def as_number(value: Any) -> float | None:
    """A finite number, None for anything else: a robot may put any value under any name."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def as_metres(value: Any) -> float | None:
    """A number of metres that a plan can show."""
    number = as_number(value)
    return number if number is not None and abs(number) <= FARTHEST_M else None
