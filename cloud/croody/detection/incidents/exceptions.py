"""Evidence that a person called false, or allowed: what of an incident it keeps from a team's inbox, how it counts, and when it ends.

One kind of evidence against one offender, never another one; and never a counter that stands much higher than what was looked at.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from croody.accounts.caller import Caller
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.detection.models import Incident, IncidentException
from croody.fleet import access
from croody.fleet.access import Action
from croody.fleet.models import Robot
from croody.web.refusals import Denied

#: How long one lasts: what is allowed at a place stays so for longer than what was a mistake once. Nobody can make it longer.
LASTS: Final = {Incident.Said.FALSE: timedelta(days=7), Incident.Said.BENIGN_HERE: timedelta(days=90)}
#: Of a team, at once.
MOST: Final = 200
#: So many times the counter that was looked at is held back; what is above is looked at anew.
ABOVE: Final = 2
MOST_ID: Final = 2**63 - 1


def holding(incident: Incident, team: int | None, robots: Collection[str], now: datetime) -> dict[str, IncidentException]:
    """Code of evidence -> the exception of this team that holds it back. `robots`: those of the team that it concerns."""
    its = IncidentException.objects.filter(
        organisation=team, offender_kind=incident.offender_kind, offender=incident.offender, expires_at__gt=now
    )
    found = list(its.order_by("pk")[:MOST])
    sites: set[int | None] = set()
    if any(one.site_id for one in found):
        sites.update(Robot.objects.filter(pk__in=robots).values_list("site_id", flat=True))
    held: dict[str, IncidentException] = {}
    for one in found:
        evidence = incident.evidence.get(one.code)
        if evidence is not None and evidence["value"] <= one.most and _is_there(one, set(robots), sites):
            held.setdefault(one.code, one)
    return held


def _is_there(one: IncidentException, robots: set[str], sites: set[int | None]) -> bool:
    if one.robot_id:
        return robots == {one.robot_id}
    return one.site_id is None or sites == {one.site_id}


def remaining(evidence: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence that is to be told."""
    return {code: value for code, value in evidence.items() if code not in held}


def hit(numbers: Collection[int], now: datetime) -> None:
    """Count an incident that these held back."""
    IncidentException.objects.filter(pk__in=numbers).update(hits=F("hits") + 1, last_hit_at=now)


def visible_to(caller: Caller, now: datetime) -> QuerySet[IncidentException]:
    """Those that hold now, of the caller's teams; the one that ends last first. A superuser also sees those of no team."""
    found = IncidentException.objects.filter(expires_at__gt=now).select_related("site").order_by("-expires_at", "-pk")
    if caller.superuser or caller.kind == "demo":
        return found
    return found.filter(organisation__in=access.organisations(caller, Action.ASSESS).values("pk"))


def end(caller: Caller, number: int, *, actor: Actor, now: datetime) -> IncidentException:
    """Let go of what it holds back, before its time.

    Raises:
        Denied: 404, there is none that they may know of; 403, they may only look at it.
    """
    with transaction.atomic():
        found = visible_to(caller, now).filter(pk=number).first() if 0 < number <= MOST_ID else None
        if found is None:
            raise Denied(404, f"there is no exception {number} that you may see")
        if not may_act_for(caller, found.organisation_id):
            raise Denied(403, f"exception {number}: only {access.names_of(Action.ACT)} of its organisation may end it")
        IncidentException.objects.filter(pk=number).update(expires_at=now)
        told = {"offender": found.offender, "code": found.code, "expires_at": found.expires_at.isoformat()}
        record(actor, "end", "incident_exception", str(number), organisation_id=found.organisation_id, before=told, now=now)
        return found


def may_act_for(caller: Caller, team: int | None) -> bool:
    """Whether the caller acts for this team; for no team, who administers the server does."""
    if caller.superuser or caller.kind == "demo":
        return True
    return team is not None and access.organisations(caller, Action.ACT).filter(pk=team).exists()
