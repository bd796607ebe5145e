"""What is ordinary at a site, as `croody ids calibrate` measured it: kept with its date and hash, confirmed by people, never relearned.

The newest of a place is in force. A place is a site, or the network of one of its robots.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from croody.accounts.caller import Caller
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.detection.incidents import exceptions
from croody.detection.incidents.exceptions import MOST_ID
from croody.detection.models import SiteCalibration
from croody.fleet import access
from croody.fleet.access import Action
from croody.fleet.models import Robot, Site
from croody.web.refusals import Denied
from croody_contract.flows import calibration
from croody_contract.flows.calibration import Refused

#: Older than this, and not confirmed since, a calibration is to be looked at.
OLD: Final = timedelta(days=90)
#: Of one place: the oldest goes.
MOST: Final = 20
#: A clock of the machine that measured may be so much ahead.
_AHEAD: Final = timedelta(days=1)
#: Robots that are named as newer than a calibration.
MOST_NEW: Final = 20


@dataclass(frozen=True, slots=True)
class InForce:
    """The calibration of a place, and what speaks against it: it is `old`, or `newer` robots came since a person looked at it."""

    row: SiteCalibration
    old: bool
    newer: tuple[str, ...]

    @property
    def doubtful(self) -> bool:
        """A person is to confirm it, or to measure again."""
        return self.old or bool(self.newer)


def keep(site: Site, robot_id: str, text: bytes, *, actor: Actor, now: datetime) -> SiteCalibration:
    """Keep what was measured. Who may is the caller's to ask.

    Raises:
        Refused: it is none, it is damaged, or its date lies ahead; or the robot is not of that site.
    """
    if len(text) > calibration.MAX_BYTES:
        raise Refused(f"{len(text)} bytes, at most {calibration.MAX_BYTES}: send what croody ids calibrate wrote")
    found = calibration.read(text, "calibration")
    if found.made_at > now + _AHEAD:
        raise Refused(f"made_at {found.made_at.isoformat()} lies ahead: set the clock of the machine that measured, and measure again")
    if robot_id and not Robot.objects.filter(pk=robot_id, site=site, deleted_at=None).exists():
        raise Refused(f"robot {robot_id[:64]!r} is not at the site {site.slug}: name one that is, or none")
    with transaction.atomic():
        row = SiteCalibration.objects.create(
            site=site,
            robot_id=robot_id,
            made_at=found.made_at,
            kept_at=now,
            sha256=hashlib.sha256(text).hexdigest(),
            made_of=found.made_of,
            maxima=found.maxima,
            by_name=actor.name[:150],
            confirmed_at=now,
        )
        mine = SiteCalibration.objects.filter(site=site, robot_id=robot_id).order_by("-pk")
        SiteCalibration.objects.filter(pk__in=list(mine.values_list("pk", flat=True)[MOST : 2 * MOST])).delete()
        after = {"site": site.slug, "robot_id": robot_id, "sha256": row.sha256}
        record(actor, "keep", "calibration", str(row.pk), organisation_id=site.organisation_id, after=after, now=now)
    return row


def newest(site: Site, robot_id: str) -> calibration.Calibration | None:
    """What is in force at a place."""
    row = SiteCalibration.objects.filter(site=site, robot_id=robot_id).order_by("-pk").first()
    return None if row is None else calibration.Calibration(row.maxima, row.made_of, row.made_at)


def visible_to(caller: Caller) -> QuerySet[SiteCalibration]:
    """Those of the caller's teams."""
    teams = access.organisations(caller, Action.ASSESS).values("pk")
    return SiteCalibration.objects.filter(site__organisation__in=teams).select_related("site")


def in_force(caller: Caller, now: datetime, most: int, site: str | None = None) -> list[InForce]:
    """The newest of each place, by site and robot."""
    found = visible_to(caller)
    if site is not None:
        found = found.filter(site__slug=site)
    newest = SiteCalibration.objects.order_by().values("site_id", "robot_id").annotate(newest=Max("pk")).values("newest")
    rows = found.filter(pk__in=newest).order_by("site__slug", "robot_id", "pk")[:most]
    return [_judged(row, now) for row in rows]


def _judged(row: SiteCalibration, now: datetime) -> InForce:
    came = Q(created_at__gt=row.confirmed_at) | Q(returned_at__gt=row.confirmed_at)
    newer = Robot.objects.filter(came, site=row.site_id, deleted_at=None).exclude(borrowed=True)
    if row.robot_id:
        newer = newer.filter(pk=row.robot_id)
    return InForce(row, now - row.confirmed_at > OLD, tuple(newer.order_by("pk").values_list("pk", flat=True)[:MOST_NEW]))


def confirm(caller: Caller, number: int, *, actor: Actor, now: datetime) -> SiteCalibration:
    """Say that it still holds, with the robots and servers that are there now.

    Raises:
        Denied: 404, they may not know of it, or there is none; 403, they may only look at it.
    """
    with transaction.atomic():
        row = visible_to(caller).filter(pk=number).first() if 0 < number <= MOST_ID else None
        if row is None:
            raise Denied(404, f"there is no calibration {number} that you may see")
        if not exceptions.may_act_for(caller, row.site.organisation_id):
            raise Denied(403, f"calibration {number}: only {access.names_of(Action.ACT)} of its organisation may confirm it")
        return _confirmed(row, actor, now).row


def confirm_place(site: Site, robot_id: str, *, actor: Actor, now: datetime) -> InForce:
    """The same of what is in force at a place, with what spoke against it. Who may is the caller's to ask.

    Raises:
        Refused: nothing was measured there.
    """
    with transaction.atomic():
        row = SiteCalibration.objects.filter(site=site, robot_id=robot_id).order_by("-pk").first()
        if row is None:
            place = f"{site.slug}, robot {robot_id[:64]}" if robot_id else site.slug
            raise Refused(f"{place}: nothing was measured there: do it with croody ids calibrate --site {site.slug}")
        return _confirmed(row, actor, now)


def _confirmed(row: SiteCalibration, actor: Actor, now: datetime) -> InForce:
    found = _judged(row, now)
    before = {"confirmed_at": row.confirmed_at.isoformat(), "newer": list(found.newer)}
    row.confirmed_at, row.confirmed_by = now, actor.name[:150]
    row.save(update_fields=["confirmed_at", "confirmed_by"])
    record(actor, "confirm", "calibration", str(row.pk), organisation_id=row.site.organisation_id, before=before, now=now)
    return found


def site_of(caller: Caller, slug: str) -> Site:
    """A site of this caller's teams by its slug, where they may configure.

    Raises:
        Denied: 404, there is none; 403, they may only look at it.
    """
    if "\x00" in slug:
        raise Denied(404, "site: there is none of this name that you may see")
    teams = access.organisations(caller, Action.ASSESS).values("pk")
    found = list(Site.objects.filter(organisation__in=teams, slug=slug).order_by("pk")[:2])
    if not found:
        raise Denied(404, f"site: there is no site {slug[:50]!r} that you may see")
    if len(found) > 1:
        raise Denied(409, f"site: there are several sites {slug!r}: use a token of the organisation that it belongs to")
    if not access.organisations(caller, Action.CONFIGURE).filter(pk=found[0].organisation_id).exists():
        raise Denied(403, f"site {slug}: only {access.names_of(Action.CONFIGURE)} of its organisation may keep a calibration")
    return found[0]
