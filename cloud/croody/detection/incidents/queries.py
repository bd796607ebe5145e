"""Reads of incidents: which of them a caller may know of, and how they are told to programs."""

from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from croody.accounts.caller import Caller
from croody.detection.incidents.evidence import BY_CODE
from croody.detection.models import Concern, Incident
from croody.fleet import access
from croody.fleet.access import Action
from croody.fleet.models import Robot

_STATES: Final = {"open": Q(ended_at=None), "ended": Q(ended_at__isnull=False)}


def visible_to(caller: Caller) -> QuerySet[Incident]:
    """Incidents that concern a team whose robots the caller may assess; who administers the server sees all."""
    if sees_all(caller):
        return Incident.objects.all()
    teams = access.organisations(caller, Action.ASSESS).values("pk")
    return Incident.objects.filter(Exists(Concern.objects.filter(incident=OuterRef("pk"), organisation__in=teams)))


def sees_all(caller: Caller) -> bool:
    """Whether nothing is hidden from the caller."""
    return caller.superuser or caller.kind == "demo"


def listed(found: QuerySet[Incident], *, before: int | None, limit: int, **wanted: str | None) -> list[Incident]:
    """The newest `limit` + 1 of these, older than incident `before`.

    Args:
        wanted: `offender`, `severity`, `kind` (its worst evidence), `verdict` (`none` for those without) and `state`, each None for all.
    """
    if before is not None:
        found = found.filter(pk__lt=before)
    for name, field in (("offender", "offender"), ("severity", "severity"), ("kind", "worst"), ("verdict", "verdict")):
        value = wanted.get(name)
        if value is not None:
            found = found.filter(**{field: "" if value == "none" else value})
    state = wanted.get("state")
    if state is not None:
        found = found.filter(_STATES[state])
    return list(found.order_by("-pk")[: limit + 1])


def robots_of(incident: Incident, caller: Caller) -> list[str]:
    """Robots of the incident that the caller may assess: another team's are not named to them."""
    if sees_all(caller):
        return list(incident.robots)
    mine = access.robots(caller, Action.ASSESS).filter(pk__in=incident.robots)
    return sorted(mine.values_list("pk", flat=True))


def told(incident: Incident, caller: Caller) -> dict[str, Any]:
    """As the API answers it."""
    robots = robots_of(incident, caller)
    hidden = set(incident.robots) - set(robots) if not sees_all(caller) else set()
    return {
        "id": incident.pk,
        "offender_kind": incident.offender_kind,
        "offender": incident.offender,
        "kind": incident.worst,
        "severity": incident.severity,
        "first_at": incident.first_at,
        "last_at": incident.last_at,
        "ended_at": incident.ended_at,
        "robots": robots,
        "beside": [name for name in incident.beside if name not in hidden],
        "evidence": [
            {
                "kind": code,
                **{name: incident.evidence[code][name] for name in ("value", "limit", "seconds")},
                "ordinary_most": incident.evidence[code].get("most"),
                "technique": kind.technique,
            }
            for code, kind in BY_CODE.items()
            if code in incident.evidence
        ],
        "verdict": incident.verdict or None,
        "verdict_by": incident.verdict_by or None,
        "verdict_at": incident.verdict_at,
    }


def robots_of_team(incident: Incident, team: int | None) -> list[str]:
    """Robots of this team that the incident concerns."""
    if team is None:
        return []
    return sorted(Robot.objects.filter(pk__in=incident.robots, organisation=team).values_list("pk", flat=True))
