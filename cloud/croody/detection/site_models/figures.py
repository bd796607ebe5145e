"""A model beside the rules on live windows: who suspects what by day, how far scores have moved, what it says alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import log
from typing import Any, Final, NamedTuple

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from croody.detection.incidents.evidence import LOOKALIKE
from croody.detection.models import DeviceWindow, Incident, SiteModel
from croody.detection.site_models.fit import binned

#: Days that are set side by side.
DAYS: Final = 14
#: Windows that a person has to have been able to see, before a model is promoted; cleared ones, before drift is told.
LEAST: Final = 200
#: Population stability index of the scores of cleared windows, against the ordinary ones of training; above .25 is usually called a shift.
MOST_DRIFT: Final = 0.25
DRIFT_OVER: Final = timedelta(days=7)
#: Incidents of a promoted model alone, in `RATE_OVER`: half an hour's worth each, as of everything that disturbs a person here.
MOST_ALONE: Final = 12
RATE_OVER: Final = timedelta(hours=24)
_MOST_SCORES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Day:
    """Windows of a day (UTC) by who suspects them. The rules: an agent's, or the cloud's."""

    day: date
    both: int
    only_rules: int
    only_model: int
    neither: int

    @property
    def windows(self) -> int:
        """All that the model judged."""
        return self.both + self.only_rules + self.only_model + self.neither


def days(row: SiteModel, now: datetime) -> list[Day]:
    """The last `DAYS` of a model, the newest first. Empty for a card that says no threshold."""
    threshold = threshold_of(row)
    if threshold is None:
        return []
    found = DeviceWindow.objects.filter(model=row.pk, judged_at__gt=now - timedelta(days=DAYS))
    rules, model = Q(suspect=True) | ~Q(kinds=[]), Q(score__gt=threshold)
    by_day = found.order_by().annotate(day=TruncDate("judged_at", tzinfo=UTC)).values("day")
    counted = by_day.annotate(
        both=Count("pk", rules & model),
        only_rules=Count("pk", rules & ~model),
        only_model=Count("pk", ~rules & model),
        neither=Count("pk", ~rules & ~model),
    )
    return [
        Day(one["day"], one["both"], one["only_rules"], one["only_model"], one["neither"]) for one in counted.order_by("-day")[: DAYS + 1]
    ]


class Drift(NamedTuple):
    """`psi` of so many cleared windows; None below `LEAST`."""

    psi: float | None
    windows: int


def drift(row: SiteModel, card: Mapping[str, Any], now: datetime) -> Drift:
    """How far the scores of cleared windows lie from those of training."""
    found = DeviceWindow.objects.filter(model=row.pk, sampled=True, judged_at__gt=now - DRIFT_OVER).order_by("-judged_at")
    scores = list(found.values_list("score", flat=True)[:_MOST_SCORES])
    if len(scores) < LEAST:
        return Drift(None, len(scores))
    return Drift(psi(card["reference"], binned(scores, card["edges"])), len(scores))


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """Population stability index of two histograms with the same bins; half a count more in each, so that none is empty."""
    p, q = _shares(before), _shares(now)
    return sum((b - a) * log(b / a) for a, b in zip(p, q, strict=True))


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts) + len(counts) / 2
    return [(count + 0.5) / whole for count in counts]


def alone(row: SiteModel, now: datetime) -> int:
    """Incidents of the last `RATE_OVER` that rest on this team's promoted model and nothing else."""
    since = max(row.state_at, now - RATE_OVER)
    return Incident.objects.filter(
        concerns__organisation=row.organisation_id, worst=LOOKALIKE, last_at__gte=since, first_at__gte=since
    ).count()


def threshold_of(row: SiteModel) -> float | None:
    """Above which score it suspects; None of a card that cannot be read. Says nothing of whether it is this site's."""
    try:
        return float(json.loads(row.card)["threshold"])
    except (ValueError, KeyError, TypeError):
        return None
