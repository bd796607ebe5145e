"""When a window counts as evidence, and when evidence is worth a person's time. Pure: the rules of alert fatigue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

#: A deviation from the robot's usual above this is not usual.
UNUSUAL: Final = 1.5
#: Share of the simulator's ordinary windows that go so far by chance.
BY_CHANCE: Final = 0.02
#: An edge score from here on (one benign window in 60,000) is evidence whatever the cloud thinks of it.
EDGE_SURE: Final = 0.8
#: So many confirmed windows within `WITHIN` open an alarm; from `MANY` on it is a serious one.
ENOUGH: Final = 3
MANY: Final = 8
WITHIN: Final = timedelta(minutes=5)
#: An alarm without further evidence for so long is over.
QUIET: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One confirmed window."""

    at: datetime
    edge_score: float
    drivers: dict[str, float]


def confirmed(*, suspect: bool, edge_score: float, deviation: float | None) -> bool:
    """Say whether a window counts: the edge suspects it, and the robot's usual does not explain it.

    While there is no usual yet the edge is believed. Of a cleared window only the usual can say that it was missed.
    """
    unusual = deviation is not None and deviation > UNUSUAL
    if not suspect:
        return unusual
    return deviation is None or unusual or edge_score >= EDGE_SURE


def worth_an_alarm(evidence: Sequence[Evidence]) -> dict[str, Any] | None:
    """What an alarm would say, None while the newest evidence stands too much alone. `evidence`: of one robot, suspects only."""
    if not evidence:
        return None
    newest = max(item.at for item in evidence)
    recent = [item for item in evidence if newest - item.at <= WITHIN]
    if len(recent) < ENOUGH:
        return None
    return describe(recent)


def describe(recent: Sequence[Evidence]) -> dict[str, Any]:
    """The detail of an alarm: how many windows, over what time, how sure, which sensors (shares, largest first)."""
    totals: dict[str, float] = {}
    for item in recent:
        for name, share in item.drivers.items():
            totals[name] = totals.get(name, 0.0) + share
    whole = sum(totals.values()) or 1.0
    drivers = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return {
        "windows": len(recent),
        "since": min(item.at for item in recent).isoformat(),
        "until": max(item.at for item in recent).isoformat(),
        "edge_score": max(item.edge_score for item in recent),
        "drivers": {name: round(total / whole, 3) for name, total in drivers},
    }


def severity(detail: dict[str, Any]) -> str:
    """Of an alarm with this detail."""
    return "high" if detail["windows"] >= MANY else "medium"
