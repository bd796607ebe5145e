"""Handing a shift over: what happened since, in an organisation, and the name of who takes it from here. Words nothing.

Looks back a week at most, and counts what it does not list, so that it costs the same after any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.alarms.act_transaction import BadAct
from croody.alarms.kinds import SEVERITIES
from croody.alarms.models import Act, Alarm, Handover
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.fleet import access
from croody.fleet.models import Robot
from croody.web.refusals import Denied

#: Longest note, in characters; furthest look back; rows that are listed of each thing.
NOTE: Final = 2000
FURTHEST: Final = timedelta(days=7)
LISTED: Final = 40
_WORST: Final = tuple(SEVERITIES)


@dataclass(frozen=True, slots=True)
class Shift:
    """What happened in an organisation from `since` to now.

    `opened`, `open`: severity -> how many. `waiting`: open alarms, the worst first; `acts`: what persons did, newest first.
    """

    since: datetime
    opened: Mapping[str, int]
    closed_by_people: int
    closed_by_themselves: int
    false: int
    open: Mapping[str, int]
    waiting: Sequence[Alarm]
    acts: Sequence[Act]
    act_count: int
    maintained: Sequence[Robot]
    last: Handover | None


def organisations(caller: Caller) -> list[Organisation]:
    """Those whose shifts the caller may look at, by name."""
    return list(access.organisations(caller, access.Action.INSPECT).order_by("name", "pk")[:200])


def may_sign(caller: Caller, organisation: Organisation) -> bool:
    """Say whether the caller may take its shift."""
    return access.organisations(caller, access.Action.ACT).filter(pk=organisation.pk).exists()


def last_of(organisation: Organisation, user_id: int | None = None) -> Handover | None:
    """The last one that was signed, by this person when one is given."""
    found = Handover.objects.filter(organisation=organisation).order_by("-pk")
    return found.filter(by_id=user_id).first() if user_id is not None else found.first()


def shift(organisation: Organisation, since: datetime, now: datetime) -> Shift:
    """What happened since, at most a week back."""
    since = max(since, now - FURTHEST)
    mine = _alarms(organisation)
    opened = mine.filter(opened_at__gt=since)
    closed = mine.filter(resolved_at__gt=since, resolved_at__isnull=False)
    still = mine.filter(resolved_at=None)
    acts = _acts(organisation).filter(at__gt=since, undone_at=None).order_by("-at", "-pk")
    by_people = closed.filter(acts__verb__in=(Act.Verb.CLOSE, Act.Verb.FALSE), acts__undone_at=None).distinct().count()
    waiting = sorted(still.order_by("opened_at")[:1000], key=lambda alarm: (_rank(alarm.severity), alarm.opened_at))
    return Shift(
        since=since,
        opened=_by_severity(opened),
        closed_by_people=by_people,
        closed_by_themselves=closed.count() - by_people,
        false=acts.filter(verb=Act.Verb.FALSE).count(),
        open=_by_severity(still),
        waiting=waiting[:LISTED],
        acts=list(acts.select_related("alarm")[:LISTED]),
        act_count=acts.count(),
        maintained=list(
            Robot.objects.filter(organisation=organisation, deleted_at=None, maintenance_until__gt=now).order_by("pk")[:LISTED]
        ),
        last=last_of(organisation),
    )


def sign(caller: Caller, organisation_id: int, note: str, since: datetime, *, by: Actor, now: datetime) -> Handover:
    """Take the shift: from here on it is the caller's.

    Raises:
        Denied: 404, they may not know of the organisation; 403, may only look. BadAct: the note is too long.
    """
    organisation = access.organisations(caller, access.Action.INSPECT).filter(pk=organisation_id).first()
    if organisation is None:
        raise Denied(404, f"there is no organisation {organisation_id} that you may see")
    if not may_sign(caller, organisation):
        raise Denied(403, f"organisation {organisation_id}: only {access.names_of(access.Action.ACT)} may take its shift")
    note = note.replace("\x00", "").strip()
    if len(note) > NOTE:
        raise BadAct(_("nota: escribe %(most)s caracteres como mucho; tiene %(count)s") % {"most": NOTE, "count": len(note)})
    still = _by_severity(_alarms(organisation).filter(resolved_at=None))
    with transaction.atomic():
        row = Handover.objects.create(
            organisation=organisation,
            at=now,
            since=min(since, now),
            by_id=by.user_id,
            by_name=by.name[:150],
            note=note,
            open=still,
        )
        told = {"since": row.since.isoformat(), "open": still, "note": note}
        record(by, "take", "shift", str(row.pk), organisation_id=organisation.pk, after=told, now=now)
    return row


def _alarms(organisation: Organisation) -> QuerySet[Alarm]:
    robots = Robot.objects.filter(organisation=organisation).values("pk")
    # By what is no column, as in `queries.known_to`.
    found = Alarm.objects.alias(whose=Concat("robot_id", Value("")))
    return (
        found.filter(Q(whose__in=robots) | Q(organisation=organisation)).exclude(part_of__isnull=False).exclude(suppressed_by__isnull=False)
    )


def _acts(organisation: Organisation) -> QuerySet[Act]:
    """On those alarms, found by when they were done: not by all alarms that there ever were."""
    robots = Robot.objects.filter(organisation=organisation).values("pk")
    found = Act.objects.alias(whose=Concat("alarm__robot_id", Value(""))).filter(Q(whose__in=robots) | Q(alarm__organisation=organisation))
    return found.exclude(alarm__part_of__isnull=False).exclude(alarm__suppressed_by__isnull=False)


def _by_severity(found: QuerySet[Alarm]) -> dict[str, int]:
    known = dict(found.order_by().values_list("severity").annotate(Count("pk")))
    return {severity: known[severity] for severity in _WORST if severity in known}


def _rank(severity: str) -> int:
    return _WORST.index(severity) if severity in _WORST else len(_WORST)
