"""What a person says that an incident was: the one write to it. False, and benign here, keep its like out of the inbox for a time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.alarms.models import Alarm
from croody.alarms.services import resolve_by_person
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.detection.incidents import exceptions, queries
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.models import Concern, Incident, IncidentException
from croody.fleet.access import Action, names_of
from croody.fleet.models import Robot
from croody.web.refusals import Denied

Scope = Literal["team", "site", "robot"]
SCOPES: Final = ("team", "site", "robot")
_SAID: Final = Incident.Said
#: Alarms of one incident: one a team.
_MOST_ALARMS: Final = 100


class BadVerdict(ValueError):
    """No such verdict can be said; says the value, the rule and the remedy."""


def say(
    caller: Caller, number: int, said: str, *, scope: str | None = None, days: int | None = None, actor: Actor, now: datetime
) -> Incident:
    """Say what an incident was, or with an empty text take that back. The last word counts.

    `false` and `benign_here` make an exception for each kind of its evidence and each team that the caller acts for, in place of those
    that an earlier word made, and close the alarm.

    Args:
        said: one of `Incident.Said`, or empty.
        scope: of the exceptions: `team`, `site` (its robots are at one), `robot` (it is about one); None for the site, if they are at one.
        days: how long they hold; None for 7 of what was false, 90 of what is benign here.

    Raises:
        BadVerdict: a word, a scope or a time that is none.
        Denied: 404, they may not know of it, or there is none; 403, they may only look at it.
    """
    if said and said not in _SAID.values:
        raise BadVerdict(f"verdict {said[:20]!r}: use one of {', '.join(_SAID.values)}, or nothing to take it back")
    with transaction.atomic():
        incident = Incident.objects.select_for_update().filter(pk=number).first() if 0 < number <= exceptions.MOST_ID else None
        if incident is None or not queries.visible_to(caller).filter(pk=number).exists():
            raise Denied(404, f"there is no incident {number} that you may see")
        concerned = list(Concern.objects.filter(incident=incident).values_list("organisation_id", flat=True))
        teams = [team for team in concerned if exceptions.may_act_for(caller, team)]
        if not teams and not queries.sees_all(caller):
            raise Denied(403, f"incident {number}: only {names_of(Action.ACT)} of the organisation of its robots may say what it was")
        before = incident.verdict
        incident.verdict, incident.verdict_by, incident.verdict_at = said, actor.name[:150] if said else "", now if said else None
        incident.save(update_fields=["verdict", "verdict_by", "verdict_at"])
        IncidentException.objects.filter(incident=incident, organisation__in=[team for team in teams if team], expires_at__gt=now).update(
            expires_at=now
        )
        if None in teams:
            IncidentException.objects.filter(incident=incident, organisation=None, expires_at__gt=now).update(expires_at=now)
        for team in teams:
            if said in exceptions.LASTS:
                _except(incident, team, _SAID(said), scope, days, actor, now)
            after = {"verdict": said, "scope": scope, "days": days}
            record(actor, "verdict", "incident", str(number), organisation_id=team, before={"verdict": before}, after=after, now=now)
        if said in exceptions.LASTS:
            _close(incident, teams, now)
    return incident


def _except(
    incident: Incident, team: int | None, said: Incident.Said, scope: str | None, days: int | None, actor: Actor, now: datetime
) -> None:
    lasts = exceptions.LASTS[said] if days is None else timedelta(days=days)
    if not timedelta(days=1) <= lasts <= max(exceptions.LASTS.values()):
        raise BadVerdict(f"days: {days}, must be 1 to {max(exceptions.LASTS.values()).days}")
    holds = IncidentException.objects.filter(organisation=team, expires_at__gt=now).count()
    if holds + len(incident.evidence) > exceptions.MOST:
        told = {"count": holds, "most": exceptions.MOST}
        raise BadVerdict(_("hay %(count)s excepciones, y caben %(most)s: termina las que ya no hagan falta") % told)
    site, robot_id = _place(incident, team, scope)
    IncidentException.objects.bulk_create(
        IncidentException(
            organisation_id=team,
            incident=incident,
            offender_kind=incident.offender_kind,
            offender=incident.offender,
            code=code,
            most=exceptions.ABOVE * evidence["value"],
            site_id=site,
            robot_id=robot_id,
            reason=said,
            created_at=now,
            expires_at=now + lasts,
            by_name=actor.name[:150],
        )
        for code, evidence in incident.evidence.items()
    )


def _place(incident: Incident, team: int | None, scope: str | None) -> tuple[int | None, str]:
    """The site and the robot that an exception is narrowed to; None and empty for the whole team."""
    robots = queries.robots_of_team(incident, team)
    sites = set(Robot.objects.filter(pk__in=robots).values_list("site_id", flat=True))
    one_site = next(iter(sites)) if len(sites) == 1 else None
    match scope:
        case None:
            return one_site, ""
        case "team":
            return None, ""
        case "site" if one_site is not None:
            return one_site, ""
        case "robot" if len(robots) == 1:
            return None, robots[0]
        case "site" | "robot":
            raise BadVerdict(_("alcance: los robots de este incidente no están en un solo sitio, o son varios: elige la organización"))
    raise BadVerdict(f"scope {scope[:20]!r}: use one of {', '.join(SCOPES)}")


def _close(incident: Incident, teams: Iterable[int | None], now: datetime) -> None:
    """Its alarms, of these teams."""
    found = Alarm.objects.filter(kind=INTRUSION.code, resolved_at=None, detail__incident=incident.pk)
    whose = dict(Robot.objects.filter(pk__in=incident.robots).values_list("pk", "organisation_id"))
    for alarm in found[:_MOST_ALARMS]:
        team = whose.get(alarm.robot_id) if alarm.robot_id else alarm.organisation_id
        if team in set(teams):
            resolve_by_person(alarm, now)
