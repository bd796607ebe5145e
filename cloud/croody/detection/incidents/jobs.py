"""What runs by the clock for incidents: signs of the last minute become evidence, evidence an incident, that one alarm a team."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from croody.accounts.models import Organisation
from croody.alarms import kinds
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm
from croody.detection.incidents import rules, signs
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.incidents.rules import GAP, MOST_NAMES, Suspect
from croody.detection.models import Incident
from croody.fleet.models import Robot

#: Offenders that are looked at in one run; the worst first.
MOST: Final = 200
#: Open alarms of addresses from which on further addresses are one alarm together.
MANY: Final = 20


def find_incidents(now: datetime) -> None:
    """Look at the last minute. May be stopped anywhere: what is found again changes nothing."""
    found = rules.suspects(signs.read(now))
    found.sort(key=lambda suspect: list(kinds.SEVERITIES).index(suspect.evidence[0].rule.severity))
    for suspect in found[:MOST]:
        incident, news = _noted(suspect)
        if news:
            _tell(incident, now)
    for incident in Incident.objects.filter(ended_at=None, last_at__lt=now - GAP)[:MOST]:
        Incident.objects.filter(pk=incident.pk).update(ended_at=incident.last_at)


def _noted(suspect: Suspect) -> tuple[Incident, bool]:
    """The open incident of this offender, with this evidence in it; whether it says anything new."""
    key = {"offender_kind": suspect.who.kind, "offender": suspect.who.name, "ended_at": None}
    incident = Incident.objects.filter(**key).first()
    if incident is None:
        fresh = Incident(**key, first_at=suspect.first_at, last_at=suspect.last_at)
        _add(fresh, suspect)
        try:
            with transaction.atomic():
                fresh.save()
            return fresh, True
        except IntegrityError:
            incident = Incident.objects.get(**key)
    if suspect.last_at <= incident.last_at:
        return incident, False
    _add(incident, suspect)
    incident.save()
    return incident, True


def _add(incident: Incident, suspect: Suspect) -> None:
    for rule, value in suspect.evidence:
        before = incident.evidence.get(rule.code, {}).get("value", 0)
        incident.evidence[rule.code] = {
            "value": max(before, value),
            "limit": rule.limit,
            "seconds": int(rules.WITHIN.total_seconds()),
        }
    codes = [rule.code for rule in rules.RULES if rule.code in incident.evidence]
    incident.worst, incident.severity = codes[0], kinds.worst(*(rules.BY_CODE[code].severity for code in codes))
    accounts = (suspect.who.name,) if suspect.who.kind == "account" else suspect.accounts
    beside = suspect.addresses if suspect.who.kind == "account" else suspect.accounts
    incident.robots = _joined(incident.robots, Robot.objects.filter(pk__in=accounts).values_list("pk", flat=True))
    incident.beside = _joined(incident.beside, beside)
    incident.last_at = max(incident.last_at, suspect.last_at)


def _joined(known: list[str], more: Iterable[str]) -> list[str]:
    return sorted({*known, *more})[:MOST_NAMES]


def _tell(incident: Incident, now: datetime) -> None:
    """One alarm for each team whose robots it concerns; for the only team of a server in any case; else for who administers it."""
    detail: dict[str, Any] = {
        "incident": incident.pk,
        "offender": incident.offender,
        "offender_kind": incident.offender_kind,
        "worst": incident.worst,
        "evidence": incident.evidence,
        "beside": incident.beside,
    }
    if incident.offender_kind == Incident.Offender.ACCOUNT:
        raise_alarm(incident.offender, INTRUSION, "", incident.severity, detail, now)
        return
    robots = dict(Robot.objects.filter(pk__in=incident.robots).values_list("pk", "organisation_id"))
    teams: set[int | None] = set(robots.values()) or {_only_team()}
    for team in teams:
        key = f"{team or ''}:{incident.offender}"
        if _too_many(team, key):
            key, detail = f"{team or ''}:many", {**detail, "many": True}
        named = sorted(robot for robot, whose in robots.items() if whose == team)
        raise_alarm("", INTRUSION, key, incident.severity, {**detail, "robots": named}, now, organisation=team)


def _too_many(team: int | None, key: str) -> bool:
    mine = Alarm.objects.filter(kind=INTRUSION.code, robot_id="", key__startswith=f"{team or ''}:", resolved_at=None)
    return mine.count() >= MANY and not mine.filter(key=key).exists()


def _only_team() -> int | None:
    teams = list(Organisation.objects.order_by("pk").values_list("pk", flat=True)[:2])
    return teams[0] if len(teams) == 1 else None
