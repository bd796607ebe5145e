"""What runs by the clock for incidents: signs of the last minute become evidence, evidence an incident, that one alarm a team."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from croody.accounts.models import Organisation
from croody.alarms import kinds
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm
from croody.detection.incidents import exceptions, rules, signs
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.incidents.rules import GAP, MOST_NAMES, Suspect
from croody.detection.models import Concern, Incident
from croody.fleet.models import Robot

#: Offenders that are looked at in one run; the worst first.
MOST: Final = 200
#: Open alarms of addresses from which on further addresses are one alarm together.
MANY: Final = 20


def find_incidents(now: datetime) -> None:
    """Look at the last minute. May be stopped anywhere: what is found again changes nothing."""
    # First: what comes after a pause is another incident, also where the worker was away in between.
    for incident in Incident.objects.filter(ended_at=None, last_at__lt=now - GAP)[:MOST]:
        Incident.objects.filter(pk=incident.pk).update(ended_at=incident.last_at)
    found = rules.suspects(signs.read(now))
    found.sort(key=lambda suspect: list(kinds.SEVERITIES).index(suspect.evidence[0].rule.severity))
    for suspect in found[:MOST]:
        incident, news = _noted(suspect)
        if news:
            _tell(incident, now)


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
    """One alarm for each team whom it concerns, of what no exception of the team holds back."""
    for team, robots in _concerned(incident).items():
        held = exceptions.holding(incident, team, robots, now)
        _note_held(incident, team, {one.pk for one in held.values()}, now)
        evidence = exceptions.remaining(incident.evidence, held)
        if evidence:
            _raise(incident, team, robots, evidence, now)


def _concerned(incident: Incident) -> dict[int | None, list[str]]:
    """Each team whose robots it is about, with those robots; the only team of a server in any case; else who administers it."""
    robots = dict(Robot.objects.filter(pk__in=incident.robots).values_list("pk", "organisation_id"))
    teams: dict[int | None, list[str]] = {}
    for robot_id, team in sorted(robots.items()):
        teams.setdefault(team, []).append(robot_id)
    return teams or {_only_team(): []}


def _note_held(incident: Incident, team: int | None, held: set[int], now: datetime) -> None:
    """Write down whom it concerns, and count what each exception holds back: once an incident."""
    concern = Concern.objects.filter(incident=incident, organisation=team).first()
    if concern is None:
        concern = Concern.objects.create(incident=incident, organisation_id=team)
    new = held - set(concern.held_by)
    if new:
        exceptions.hit(new, now)
        Concern.objects.filter(pk=concern.pk).update(held_by=sorted({*concern.held_by, *new}))


def _raise(incident: Incident, team: int | None, robots: list[str], evidence: dict[str, Any], now: datetime) -> None:
    codes = [code for code in rules.BY_CODE if code in evidence]
    severity = kinds.worst(*(rules.BY_CODE[code].severity for code in codes))
    detail: dict[str, Any] = {
        "incident": incident.pk,
        "offender": incident.offender,
        "offender_kind": incident.offender_kind,
        "worst": codes[0],
        "evidence": evidence,
        "beside": incident.beside,
    }
    if incident.offender_kind == Incident.Offender.ACCOUNT:
        raise_alarm(incident.offender, INTRUSION, "", severity, detail, now)
        return
    key = f"{team or ''}:{incident.offender}"
    if _too_many(team, key):
        key, detail = f"{team or ''}:many", {**detail, "many": True}
    raise_alarm("", INTRUSION, key, severity, {**detail, "robots": robots}, now, organisation=team)


def _too_many(team: int | None, key: str) -> bool:
    mine = Alarm.objects.filter(kind=INTRUSION.code, robot_id="", key__startswith=f"{team or ''}:", resolved_at=None)
    return mine.count() >= MANY and not mine.filter(key=key).exists()


def _only_team() -> int | None:
    teams = list(Organisation.objects.order_by("pk").values_list("pk", flat=True)[:2])
    return teams[0] if len(teams) == 1 else None
