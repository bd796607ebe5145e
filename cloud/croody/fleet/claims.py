"""Every write about claims: making one, ending one, and the exchange in which a board comes by a secret of its own. Knows no HTTP."""

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.dispatch import Signal
from django.utils.translation import gettext as _

from croody.accounts.models import Organisation
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.fleet.models import Claim, Credential, Enrolment, Robot, Site
from croody.fleet.services import BadRobot, keep_hashes, register_robot
from croody.fleet.trust_anchor import der_of
from croody_contract import claims
from croody_contract.claims import Exchange, Why

#: How long a claim is good for; nobody gets a longer one.
MOST_LIFE: Final = timedelta(hours=1)
LIFE: Final = timedelta(minutes=15)
#: Robots that one claim of a group can make, and claims of groups that an organisation has open at a time.
MOST_OF_GROUP: Final = 500
MOST_GROUPS: Final = 20
#: Claims that nobody used, of one robot or of one organisation's groups, that are remembered at a time.
_MOST_UNUSED: Final = 50
_SERIALS: Final = re.compile(r"[A-Za-z0-9_#@-]{0,39}[A-Za-z0-9_#@*-]")
_SIGNS: Final = {"#": "[0-9]", "@": "[A-Za-z]", "*": "[A-Za-z0-9_-]*"}
#: Sent when somebody comes with a claim by which another board has come in; with `robot`, `address` and `now`.
claim_used_again: Final = Signal()

#: Why -> what is wrong and what to do, for whoever reads the board's log.
REFUSALS: Final[Mapping[Why, str]] = {
    "claim_unknown": "claim: nobody made it here, or it is long over: make a new one on this server and copy the whole line",
    "claim_expired": "claim: its time is over: make a new one and use it within the hour",
    "claim_revoked": "claim: it was revoked, or a newer one of the same robot took its place: use the newest one",
    "claim_used": "claim: another board has come in by it: make a new one, and look for who has the first",
    "claim_replayed": "claim: this board came in by it before, and its secret was changed since: make a new one",
    "claim_foreign": "claim: it is another robot's, or of a robot that was there before: make one for the robot that this board is",
    "claim_full": "claim: as many boards as it was made for have come in by it: make a new one for the rest",
    "claim_serial": "serial: the claim takes only serials of its own form: give this board's with --serial or CROODY_SERIAL",
}


class ClaimRefused(ValueError):
    """An exchange that is not made; `why` is for programs."""

    def __init__(self, why: Why) -> None:
        super().__init__(REFUSALS[why])
        self.why = why


@dataclass(frozen=True, slots=True)
class Made:
    """A claim that was just made, and the word that is told this once."""

    claim: Claim
    token: str


def claim_robot(robot: Robot, *, authority: str = "", life: timedelta = LIFE, actor: Actor, now: datetime) -> Made:
    """A claim with which one board takes this robot's place; the secret it has now is good until then. Earlier claims of it end.

    Args:
        robot: whose.
        authority: certificate (PEM) that the board has to trust; empty where every machine does.
        life: from now on, an hour at most.
        actor: who makes it.
        now: when.

    Raises:
        BadRobot: too long a life, or a robot that was revoked.
    """
    with transaction.atomic():
        if not Robot.objects.select_for_update().filter(pk=robot.pk, deleted_at=None).exists():
            raise BadRobot(_("robot_id %(id)s: fue revocado: tráelo de vuelta primero") % {"id": robot.pk})
        Claim.objects.filter(robot=robot, revoked_at=None, expires_at__gt=now).update(revoked_at=now)
        made = _make(robot.organisation, authority, life, actor, now, robot=robot)
        _note("claim", made.claim, actor, now, {"expires_at": made.claim.expires_at.isoformat(timespec="seconds")})
    return made


def claim_group(
    organisation: Organisation,
    group: str,
    *,
    serials: str,
    most: int,
    kind: str = "robot",
    site: Site | None = None,
    authority: str = "",
    life: timedelta = MOST_LIFE,
    actor: Actor,
    now: datetime,
) -> Made:
    """A claim with which boards of a production line make robots of themselves, `GROUP-SERIAL` each.

    Args:
        organisation: whose robots they become.
        group: the beginning of their ids.
        serials: which come in: `#` a digit, `@` a letter, `*` at the end whatever follows, anything else itself.
        most: so many robots, 500 at most.
        kind: what they are.
        site: where they work.
        authority: as for `claim_robot`.
        life: from now on, an hour at most.
        actor: who makes it.
        now: when.

    Raises:
        BadRobot: a value that breaks its rule.
    """
    if not claims.GROUP.fullmatch(group):
        raise BadRobot(_("grupo %(group)r: usa de 1 a 32 letras, dígitos, «_» o «-»") % {"group": group[:80]})
    if not _SERIALS.fullmatch(serials):
        raise BadRobot(
            _("series %(serials)r: escribe su forma, con # por dígito, @ por letra y * solo al final: RV-####") % {"serials": serials[:80]}
        )
    if not 1 <= most <= MOST_OF_GROUP:
        raise BadRobot(_("límite %(most)s: de 1 a %(top)s robots por pase") % {"most": most, "top": MOST_OF_GROUP})
    if site is not None and site.organisation_id != organisation.pk:
        raise BadRobot(_("sitio %(site)s: es de otra organización: elige uno de los suyos") % {"site": site.slug})
    with transaction.atomic():
        mine = open_claims(organisation, now=now).filter(robot=None)
        mine.filter(group=group).update(revoked_at=now)
        if mine.count() >= MOST_GROUPS:
            raise BadRobot(
                _("grupo %(group)s: ya hay %(top)s pases de grupo abiertos: revoca alguno") % {"group": group, "top": MOST_GROUPS}
            )
        said = {"group": group, "serials": serials, "most": most, "kind": kind, "site": site}
        made = _make(organisation, authority, life, actor, now, **said)
        told = {"serials": serials, "most": most, "expires_at": made.claim.expires_at.isoformat(timespec="seconds")}
        _note("claim", made.claim, actor, now, told)
    return made


def revoke_claim(claim: Claim, *, actor: Actor, now: datetime) -> bool:
    """End it. False when it was over already. Boards that have come in by it stay."""
    with transaction.atomic():
        ended = Claim.objects.filter(pk=claim.pk, revoked_at=None, expires_at__gt=now).update(revoked_at=now) > 0
        if ended:
            _note("revoke_claim", claim, actor, now)
    return ended


def open_claims(organisation: Organisation, *, now: datetime) -> QuerySet[Claim]:
    """Those that still let somebody in, as far as the clock says."""
    return Claim.objects.filter(organisation=organisation, revoked_at=None, expires_at__gt=now)


def exchange(asked: Exchange, *, address: str, now: datetime) -> Robot:
    """Let a board in by the secret that it made. The same once more gives the same answer: the first one may have been lost.

    Args:
        asked: what the board sent.
        address: where it is.
        now: when.

    Raises:
        ClaimRefused: with the reason.
    """
    claim = Claim.objects.filter(sha256=claims.token_sha256(asked.token)).first()
    if claim is None:
        raise ClaimRefused("claim_unknown")
    try:
        with transaction.atomic():
            # Two boards with one claim come in one after the other.
            locked = Claim.objects.select_for_update(of=("self",)).select_related("robot", "organisation", "site").get(pk=claim.pk)
            robot, why = _admit(locked, asked, address, now)
    except IntegrityError as error:
        # Another robot's secret, which this one cannot have made.
        raise ClaimRefused("claim_foreign") from error
    if why is not None:
        if why == "claim_used" and robot is not None:
            claim_used_again.send(Claim, robot=robot, address=address, now=now)
        raise ClaimRefused(why)
    assert robot is not None
    return robot


def _admit(claim: Claim, asked: Exchange, address: str, now: datetime) -> tuple[Robot | None, Why | None]:
    """Who comes in, or why not; of a second use, too, whose robot it is."""
    robot_id, wrong = _wanted(claim, asked)
    if wrong is not None:
        return None, wrong
    before = Enrolment.objects.filter(claim=claim, robot_id=robot_id).select_related("robot").first()
    if before is not None and before.sha256 != asked.hashes.sha256:
        return before.robot, "claim_used"
    if claim.revoked_at is not None:
        return None, "claim_revoked"
    if claim.expires_at <= now:
        return None, "claim_expired"
    if before is not None:
        still = Credential.objects.filter(robot_id=robot_id, sha256=before.sha256, robot__deleted_at=None).exists()
        return before.robot, None if still else "claim_replayed"
    return _let_in(claim, robot_id, asked, address, now)


def _wanted(claim: Claim, asked: Exchange) -> tuple[str, Why | None]:
    """As which robot it would come in."""
    if claim.robot_id is not None:
        return claim.robot_id, None if asked.robot_id in ("", claim.robot_id) else "claim_foreign"
    if not claims.SERIAL.fullmatch(asked.serial) or not fits(asked.serial, claim.serials):
        return "", "claim_serial"
    robot_id = f"{claim.group}-{asked.serial}"
    return robot_id, None if len(robot_id) <= 64 and asked.robot_id in ("", robot_id) else "claim_foreign"


def _let_in(claim: Claim, robot_id: str, asked: Exchange, address: str, now: datetime) -> tuple[Robot | None, Why | None]:
    actor = Actor("robot", name=robot_id, address=address)
    robot = claim.robot
    if robot is None:
        if Enrolment.objects.filter(claim=claim).count() >= claim.most:
            return None, "claim_full"
        try:
            robot = register_robot(robot_id, organisation=claim.organisation, site=claim.site, kind=claim.kind, now=now, actor=actor)
        except BadRobot:
            return None, "claim_foreign"
    keep_hashes(robot, asked.hashes, now=now)
    Enrolment.objects.create(claim=claim, robot=robot, sha256=asked.hashes.sha256, at=now, address=address)
    record(actor, "enrol", "robot", robot.pk, organisation_id=claim.organisation_id, after={"claim": claim.pk}, now=now)
    return robot, None


def fits(serial: str, form: str) -> bool:
    """Say whether a serial has this form. The form is short and has one `*` at most, at its end: this takes no time."""
    return re.fullmatch("".join(_SIGNS.get(sign) or re.escape(sign) for sign in form), serial) is not None


def state_of(claim: Claim, used: int, now: datetime) -> str:
    """`open`, `used` (by as many boards as it was made for), `revoked` or `expired`."""
    if used >= claim.most:
        return "used"
    if claim.revoked_at is not None:
        return "revoked"
    return "open" if claim.expires_at > now else "expired"


def counted(found: Collection[Claim]) -> dict[int, int]:
    """How many boards came in by each of these."""
    rows = Enrolment.objects.filter(claim__in=[one.pk for one in found]).order_by().values_list("claim").annotate(Count("pk"))
    return dict(rows)


def authority_of(fingerprint: str, *, now: datetime) -> str:
    """The certificate (PEM) with this fingerprint, while some claim names it; empty otherwise."""
    found = Claim.objects.filter(fingerprint=fingerprint, expires_at__gt=now, revoked_at=None).exclude(authority="")
    return found.values_list("authority", flat=True).first() or ""


def _make(organisation: Organisation, authority: str, life: timedelta, actor: Actor, now: datetime, **more: Any) -> Made:
    if not timedelta(minutes=1) <= life <= MOST_LIFE:
        raise BadRobot(_("vida del pase: de 1 a 60 minutos; pediste %(minutes)s") % {"minutes": int(life.total_seconds() // 60)})
    _forget(organisation, more.get("robot"))
    token = secrets.token_urlsafe(claims.TOKEN_BYTES)
    fingerprint = claims.fingerprint_of(der_of(authority)) if authority else ""
    said = {"sha256": claims.token_sha256(token), "fingerprint": fingerprint, "authority": authority, "made_by": actor.name[:150]}
    claim = Claim.objects.create(organisation=organisation, created_at=now, expires_at=now + life, **said, **more)
    return Made(claim, token)


def _forget(organisation: Organisation, robot: Robot | None) -> None:
    """Whoever makes one claim after the other does not fill the table."""
    unused = Claim.objects.filter(organisation=organisation, robot=robot, enrolments=None).order_by("-pk")
    last = unused.values_list("pk", flat=True)[_MOST_UNUSED - 1 : _MOST_UNUSED].first()
    if last is not None:
        Claim.objects.filter(organisation=organisation, robot=robot, enrolments=None, pk__lte=last).delete()


def _note(verb: str, claim: Claim, actor: Actor, now: datetime, after: dict[str, Any] | None = None) -> None:
    thing = "robot" if claim.robot_id else "group"
    record(actor, verb, thing, claim.robot_id or claim.group, organisation_id=claim.organisation_id, after=after, now=now)
