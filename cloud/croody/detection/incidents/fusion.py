"""Evidence of packets, the broker and the APIs -> incidents, by offender; each has one alarm a team, of what no exception holds back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from croody.accounts.models import Organisation
from croody.alarms.models import Alarm
from croody.alarms.services import raise_alarm
from croody.detection.incidents import exceptions
from croody.detection.incidents.evidence import Finding, known, severity_of
from croody.detection.incidents.kinds import INTRUSION
from croody.detection.incidents.rules import GAP, MOST_NAMES
from croody.detection.models import Concern, Incident
from croody.fleet.models import Robot

#: Open alarms of addresses from which on further addresses are one alarm together.
MANY: Final = 20


def take(found: Finding, now: datetime) -> bool:
    """Put it into the incident of its offender and tell whom it concerns. What was taken before changes nothing. Says whether it is new."""
    incident, news, new = _noted(found)
    if news:
        _tell(incident, now)
    return new


def only_team() -> int | None:
    """The organisation of a server that has one."""
    teams = list(Organisation.objects.order_by("pk").values_list("pk", flat=True)[:2])
    return teams[0] if len(teams) == 1 else None


def _noted(found: Finding) -> tuple[Incident, bool, bool]:
    """The incident of this offender at that time, with this evidence in it; whether it says anything new; and whether it was made now."""
    key = {"offender_kind": found.who.kind, "offender": found.who.name, "place": found.place}
    # What comes late, from a robot that was away, belongs to what is over by now.
    its = Incident.objects.filter(**key, last_at__gte=found.first_at - GAP, first_at__lte=found.last_at + GAP)
    incident = its.order_by("-last_at").first()
    if incident is None:
        fresh = Incident(**key, first_at=found.first_at, last_at=found.last_at)
        _add(fresh, found)
        try:
            with transaction.atomic():
                fresh.save()
            return fresh, True, True
        except IntegrityError:
            incident = Incident.objects.get(**key, ended_at=None)
    news = _add(incident, found)
    if news:
        incident.save()
    return incident, news, False


def _add(incident: Incident, found: Finding) -> bool:
    """Says whether anything is new."""
    news = incident.pk is None or found.last_at > incident.last_at
    for piece in found.pieces:
        before = incident.evidence.get(piece.code)
        if before is None or piece.value > before["value"]:
            incident.evidence[piece.code] = piece.as_json()
            news = True
    incident.worst, incident.severity = known(incident.evidence)[0], severity_of(incident.evidence)
    incident.robots = _joined(incident.robots, Robot.objects.filter(pk__in=found.robots).values_list("pk", flat=True))
    incident.beside = _joined(incident.beside, found.beside)
    incident.first_at, incident.last_at = min(incident.first_at, found.first_at), max(incident.last_at, found.last_at)
    incident.capture = incident.capture or found.capture
    if incident.ended_at is not None:
        incident.ended_at = incident.last_at
    return news


def _joined(names: list[str], more: Iterable[str]) -> list[str]:
    return sorted({*names, *more})[:MOST_NAMES]


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
    return teams or {only_team(): []}


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
    severity = severity_of(evidence)
    detail: dict[str, Any] = {
        "incident": incident.pk,
        "offender": incident.offender,
        "offender_kind": incident.offender_kind,
        "worst": known(evidence)[0],
        "evidence": evidence,
        "beside": incident.beside,
    }
    if incident.offender_kind == Incident.Offender.ACCOUNT:
        raise_alarm(incident.offender, INTRUSION, "", severity, detail, now)
        return
    if incident.capture and team == only_team():
        # Packets at the server are of everybody on it.
        detail["capture"] = incident.capture
    key = f"{team or ''}:{incident.offender}"
    if _too_many(team, key):
        key, detail = f"{team or ''}:many", {**detail, "many": True}
    raise_alarm("", INTRUSION, key, severity, {**detail, "robots": robots}, now, organisation=team)


def _too_many(team: int | None, key: str) -> bool:
    mine = Alarm.objects.filter(kind=INTRUSION.code, robot_id="", key__startswith=f"{team or ''}:", resolved_at=None)
    return mine.count() >= MANY and not mine.filter(key=key).exists()
