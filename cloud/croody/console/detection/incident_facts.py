"""Asks for what the page says of intruders: incidents, what keeps their like out of the inbox, what is ordinary, how well it works."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from croody.accounts.caller import Caller
from croody.console.detection.selection import Selection
from croody.detection import quality
from croody.detection.incidents import calibrations, exceptions, queries
from croody.detection.incidents.calibrations import InForce
from croody.detection.models import Concern, Incident, IncidentException
from croody.detection.quality import Quality
from croody.fleet import access
from croody.fleet.access import Action

PAGE: Final = 10
#: Exceptions and calibrations that the page has room for.
MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Intruders:
    """`acts`: organisations that this person acts for; `may_judge`: incidents that they may say something of. `next`: of the next page."""

    incidents: tuple[Incident, ...]
    next: int | None
    may_judge: frozenset[int]
    exceptions: tuple[IncidentException, ...]
    calibrations: tuple[InForce, ...]
    acts: frozenset[int]
    all_acts: bool
    quality: Quality


def read(caller: Caller, asked: Selection, now: datetime) -> Intruders:
    """What this person may see of it."""
    found = queries.listed(queries.visible_to(caller), before=asked.before, limit=PAGE)
    shown = found[:PAGE]
    acts = frozenset(access.organisations(caller, Action.ACT).values_list("pk", flat=True))
    mine = Concern.objects.filter(incident__in=[one.pk for one in shown], organisation__in=acts).values_list("incident", flat=True)
    return Intruders(
        incidents=tuple(shown),
        next=shown[-1].pk if len(found) > PAGE else None,
        may_judge=frozenset(one.pk for one in shown) if queries.sees_all(caller) else frozenset(mine),
        exceptions=tuple(exceptions.visible_to(caller, now)[:MOST]),
        calibrations=tuple(calibrations.in_force(caller, now, MOST)),
        acts=acts,
        all_acts=queries.sees_all(caller),
        quality=quality.read(caller, now),
    )
