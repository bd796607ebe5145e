"""Reads of verdicts, and what they say about what screening misses. Everything is seen through `fleet.access`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from croody.detection.models import Verdict
from croody.fleet.models import Robot

#: What people said of a window is the console's.
_FIELDS: Final = tuple(field.name for field in Verdict._meta.concrete_fields if field.name not in ("id", "label", "label_by", "label_at"))
#: The sample of cleared windows is looked at over this time.
MISSED_OVER: Final = timedelta(days=7)
#: Standard deviations of a 95 % interval.
_Z95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Tally:
    """Windows the cloud looked at, how many of them the edge had suspected, and how many of these suspicions it shares."""

    checked: int
    suspect: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Missed:
    """Of `sampled` windows that screening cleared and sent at random, the cloud found `missed` unusual.

    `share` is None without a sample; `low`..`high` is its 95 % interval (Wilson), 0..1 without a sample.
    """

    sampled: int
    missed: int
    share: float | None
    low: float
    high: float


def latest(robots: QuerySet[Robot], robot_id: str | None, limit: int) -> list[dict[str, Any]]:
    """Newest verdicts first, of these robots only."""
    return list(_of(robots, robot_id).order_by("-at", "-id").values(*_FIELDS)[:limit])


def tally(robots: QuerySet[Robot], since: datetime) -> Tally:
    """How many windows of these robots have a verdict since then. A window that screening missed is `missed`'s, not a suspicion."""
    suspect = Q(suspect=True)
    found = _of(robots, None).filter(at__gte=since)
    counts = found.aggregate(checked=Count("pk"), suspects=Count("pk", suspect), agreed=Count("pk", suspect & Q(confirmed=True)))
    return Tally(counts["checked"], counts["suspects"], counts["agreed"])


def missed(robots: QuerySet[Robot], robot_id: str | None, since: datetime) -> Missed:
    """What screening probably missed since then: only windows that could be compared with a usual count."""
    judged = _of(robots, robot_id).filter(at__gte=since, sampled=True, suspect=False).exclude(basis=Verdict.Basis.EDGE)
    return wilson(judged.filter(confirmed=True).count(), judged.count())


def judged_by_people(robots: QuerySet[Robot], since: datetime) -> Missed:
    """Of the windows since then that the cloud confirmed and somebody looked into, how many were nothing, with its interval."""
    looked = _of(robots, None).filter(at__gte=since, confirmed=True).exclude(label="")
    return wilson(looked.filter(label=Verdict.Label.NORMAL).count(), looked.count())


def wilson(hits: int, of: int) -> Missed:
    """Wilson's score interval: honest for small samples and for no hits at all."""
    if of == 0:
        return Missed(0, 0, None, 0.0, 1.0)
    share, z2 = hits / of, _Z95**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z95 * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    # At the ends the arithmetic is off by a last digit, and would shut out the truth.
    return Missed(of, hits, share, centre - half if hits else 0.0, centre + half if hits < of else 1.0)


def _of(robots: QuerySet[Robot], robot_id: str | None) -> QuerySet[Verdict]:
    if robot_id is not None:
        robots = robots.filter(pk=robot_id)
    return Verdict.objects.filter(robot_id__in=robots.values("pk"))
