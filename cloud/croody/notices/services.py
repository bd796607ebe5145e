"""Every write to rules and channels that a person causes: held to their rules, and written down."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation, Preferences
from croody.alarms.kinds import SEVERITIES
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.fleet import access
from croody.fleet.models import Robot, Site
from croody.notices import jobs, messenger, spec, webhook
from croody.notices.models import Browser, Channel, Notice, Rule
from croody.notices.spec import BadRule
from croody.web import zones
from croody.web.address import whole
from croody.web.refusals import Denied

#: A deleted rule can be brought back for so long; of each organisation so many are kept.
KEPT: Final = timedelta(days=30)
MOST_DELETED: Final = 50
#: Rules and channels of one organisation, and addresses of one channel.
MOST_RULES: Final = 50
MOST_CHANNELS: Final = 20
MOST_ADDRESSES: Final = 10
_MOST_ID: Final = 2**63 - 1
_NAME: Final = 80
_MOST_AFTER: Final = 24 * 60
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_TARGET: Final = 1000


def rules_of(caller: Caller) -> list[Rule]:
    """Rules of the caller's organisations, by name."""
    teams = access.organisations(caller, access.Action.INSPECT)
    return list(
        Rule.objects.filter(organisation__in=teams.values("pk")).select_related("organisation", "site").order_by("name", "pk")[:500]
    )


def deleted_rules_of(caller: Caller, now: datetime) -> list[Rule]:
    """Deleted rules that the caller may bring back, the newest first."""
    teams = access.organisations(caller, access.Action.CONFIGURE)
    found = Rule.every.filter(organisation__in=teams.values("pk"), deleted_at__gt=now - KEPT)
    return list(found.select_related("organisation", "site").order_by("-deleted_at", "-pk")[:MOST_DELETED])


def channels_of(caller: Caller) -> list[Channel]:
    """Channels of the caller's organisations and their own, by name; those of other people are nobody else's business."""
    teams = access.organisations(caller, access.Action.INSPECT)
    whose = Q(person=None) | Q(person_id=caller.user_id or 0)
    return list(
        Channel.objects.filter(whose, organisation__in=teams.values("pk")).select_related("organisation").order_by("name", "pk")[:500]
    )


def may_configure(caller: Caller) -> list[Organisation]:
    """Organisations whose rules and channels the caller may change, by name."""
    return list(access.organisations(caller, access.Action.CONFIGURE).order_by("name", "pk")[:200])


def check_may_configure(caller: Caller) -> None:
    """Stop who may change the rules of no organisation.

    Raises:
        Denied: 403.
    """
    if not may_configure(caller):
        raise Denied(403, f"only {access.names_of(access.Action.CONFIGURE)} may change rules and channels")


def rule_of(caller: Caller, number: int) -> Rule:
    """The rule of this number, which the caller may change.

    Raises:
        Denied: 404 or 403.
    """
    found: Rule = _one(Rule, caller, number)
    return found


def channel_of(caller: Caller, number: int) -> Channel:
    """The channel of this number, which the caller may change.

    Raises:
        Denied: 404 or 403.
    """
    found: Channel = _one(Channel, caller, number, Channel.objects.filter(Q(person=None) | Q(person_id=caller.user_id or 0)))
    return found


def draft(caller: Caller, given: Mapping[str, Any], rule: Rule | None = None, *, by: Actor, now: datetime) -> Rule:
    """A rule as it would be saved: what a preview looks at.

    Raises:
        BadRule: something is missing or breaks its rule. Denied: 404 or 403.
    """
    team = rule.organisation if rule is not None else _team(caller, given)
    kind = str(given.get("kind") or "") if rule is None else rule.kind
    params = {name: given[name] for name in _PARAMS.get(kind, ()) if given.get(name) not in (None, "")}
    faults = spec.Faults()
    name = faults.read(lambda: _name(given), "")
    faults.read(lambda: spec.read(kind, params, typed=True), None)
    for_s, severity = faults.read(lambda: spec.seconds(given, "for_s"), 0), faults.read(lambda: _severity(given), "")
    nowhere: tuple[Site | None, str] = (None, "")
    place = faults.read(lambda: _place(team, given), nowhere)
    faults.check()
    params = spec.kept(params)
    if "points" in params:
        params["points"] = spec.points_of(params["points"])
    made = rule or Rule(organisation=team, created_at=now, by_name=by.name[:150])
    made.kind, made.params, made.name, made.severity, made.for_s = kind, params, name, severity, for_s
    made.enabled = str(given.get("enabled", "on")) not in {"", "off", "False", "0"}
    made.site, made.robot_id = place
    return made


def save_rule(caller: Caller, given: Mapping[str, Any], rule: Rule | None = None, *, by: Actor, now: datetime) -> Rule:
    """Make a rule, or change one; what was raised by it as it was ends.

    Raises:
        BadRule: as `draft`, or there are too many. Denied: 404 or 403.
    """
    before = _told(rule) if rule is not None else {}
    made = draft(caller, given, rule, by=by, now=now)
    with transaction.atomic():
        if rule is None:
            _has_room(made.organisation)
        if rule is not None:
            jobs.let_go(rule, now)
        made.judged_at = None
        made.save()
        verb = "add" if rule is None else "change"
        record(by, verb, "rule", str(made.pk), organisation_id=made.organisation_id, before=before, after=_told(made), now=now)
    return made


def delete_rule(caller: Caller, number: int, *, by: Actor, now: datetime) -> None:
    """Take a rule away, with what it raised. For `KEPT` it can be brought back.

    Raises:
        Denied: 404 or 403.
    """
    rule = rule_of(caller, number)
    with transaction.atomic():
        jobs.let_go(rule, now)
        record(by, "delete", "rule", str(rule.pk), organisation_id=rule.organisation_id, before=_told(rule), now=now)
        Rule.objects.filter(pk=rule.pk).update(deleted_at=now, deleted_by=by.name[:150])
        # Whoever makes and deletes rules all day keeps no more of them than the list shows.
        deleted = Rule.every.filter(organisation=rule.organisation_id, deleted_at__isnull=False).order_by("-deleted_at", "-pk")
        Rule.every.filter(pk__in=list(deleted.values_list("pk", flat=True)[MOST_DELETED : 2 * MOST_DELETED])).delete()


def bring_rule_back(caller: Caller, number: int, *, by: Actor, now: datetime) -> Rule:
    """Let a deleted rule judge again, as it was.

    Raises:
        Denied: 404 or 403. BadRule: there are too many.
    """
    rule: Rule = _one(Rule, caller, number, Rule.every.filter(deleted_at__gt=now - KEPT))
    with transaction.atomic():
        _has_room(rule.organisation)
        if Rule.every.filter(pk=rule.pk, deleted_at__isnull=False).update(deleted_at=None, deleted_by="", judged_at=None):
            record(by, "bring_back", "rule", str(rule.pk), organisation_id=rule.organisation_id, after=_told(rule), now=now)
    return rule


def save_channel(caller: Caller, given: Mapping[str, Any], channel: Channel | None = None, *, by: Actor, now: datetime) -> Channel:
    """Make a channel, or change one. A new webhook gets its secret, which is shown once.

    Raises:
        BadRule: something is missing or breaks its rule. Denied: 404 or 403.
    """
    before = _told_channel(channel) if channel is not None else {}
    team = channel.organisation if channel is not None else _team(caller, given)
    made = channel or Channel(organisation=team, created_at=now, by_name=by.name[:150], kind=str(given.get("kind") or ""))
    if made.kind not in set(Channel.Kind.values) - {Channel.Kind.PUSH}:
        raise BadRule("kind", _("tipo: elige uno de la lista"))
    target = str(given.get("target") or "").strip()
    faults = spec.Faults()
    made.name = faults.read(lambda: _name(given), "")
    if target or channel is None:
        made.target = faults.read(lambda: _target(made.kind, target), "")
    _when(caller, made, given, faults)
    faults.check()
    with transaction.atomic():
        if channel is None:
            if Channel.objects.filter(organisation=team, person=None).count() >= MOST_CHANNELS:
                raise BadRule("", _("ya hay %(most)s canales, que es lo máximo: borra los que no hagan falta") % {"most": MOST_CHANNELS})
            made.secret = secrets.token_urlsafe(32) if made.kind == Channel.Kind.WEBHOOK else ""
        _keep(made, channel is None, before, by, now)
    return made


def own_channel(caller: Caller, team: Organisation, kind: str = Channel.Kind.MAIL) -> Channel | None:
    """What tells this person by mail, or in their browsers, of an organisation's alarms."""
    return Channel.objects.select_related("organisation").filter(organisation=team, person_id=caller.user_id or 0, kind=kind).first()


def save_own_channel(
    caller: Caller, team: Organisation, given: Mapping[str, Any], kind: str = Channel.Kind.MAIL, *, by: Actor, now: datetime
) -> Channel:
    """Say which alarms of an organisation reach a person by mail, or in their browsers, and when; anybody who may see them may.

    Raises:
        BadRule: something breaks its rule, or they have no confirmed address, or no browser. Denied: 404, 403.
    """
    if caller.user_id is None:
        raise Denied(403, "person: only people have notices of their own")
    if not access.organisations(caller, access.Action.INSPECT).filter(pk=team.pk).exists():
        raise Denied(404, f"organisation: there is no {team.slug[:64]!r} that you may see")
    if kind == Channel.Kind.MAIL and not mail_of(caller.user_id):
        raise BadRule("", _("correo: confirma primero una dirección en tu perfil"))
    if kind == Channel.Kind.PUSH and not Browser.objects.filter(person_id=caller.user_id).exists():
        raise BadRule("", _("navegador: apunta primero este, o abre esta página en el que quieras"))
    with transaction.atomic():
        row = own_channel(caller, team, kind)
        before = _told_channel(row) if row is not None else {}
        made = row or Channel(organisation=team, person_id=caller.user_id, created_at=now, by_name=by.name[:150], kind=kind)
        made.name = by.name[:_NAME]
        faults = spec.Faults()
        _when(caller, made, given, faults)
        faults.check()
        _keep(made, row is None, before, by, now)
    return made


def mail_of(user_id: int) -> str:
    """A person's confirmed address; empty where there is none."""
    found = EmailAddress.objects.filter(user_id=user_id, verified=True).order_by("-primary", "pk").values_list("email", flat=True).first()
    return found or ""


def _when(caller: Caller, made: Channel, given: Mapping[str, Any], faults: spec.Faults) -> None:
    """Which alarms go through it, and when."""
    made.severity = faults.read(lambda: _severity(given), "")
    made.after_min = faults.read(lambda: _after(given), 0)
    made.quiet_from, made.quiet_to = faults.read(lambda: _quiet(given), ("", ""))
    made.time_zone = faults.read(lambda: _zone(caller, given), zones.UTC)
    made.language = "en" if given.get("language") == "en" else "es"
    made.tells_end = str(given.get("tells_end") or "") not in {"", "off", "False", "0"}
    made.enabled = str(given.get("enabled", "on")) not in {"", "off", "False", "0"}


def _keep(made: Channel, new: bool, before: dict[str, Any], by: Actor, now: datetime) -> None:
    made.save()
    verb = "add" if new else "change"
    record(by, verb, "channel", str(made.pk), organisation_id=made.organisation_id, before=before, after=_told_channel(made), now=now)


def delete_channel(caller: Caller, number: int, *, by: Actor, now: datetime) -> None:
    """Take a channel away, with its log.

    Raises:
        Denied: 404 or 403.
    """
    channel = channel_of(caller, number)
    with transaction.atomic():
        record(by, "delete", "channel", str(channel.pk), organisation_id=channel.organisation_id, before=_told_channel(channel), now=now)
        channel.delete()


def test_channel(caller: Caller, number: int, *, by: Actor, now: datetime) -> Notice:
    """Put a test into the channel's queue: the worker sends it within seconds, and the log says what became of it.

    Raises:
        Denied: 404 or 403. BadRule: one waits already.
    """
    channel = channel_of(caller, number)
    with transaction.atomic():
        if Notice.objects.filter(channel=channel, alarm=None, status=Notice.Status.PENDING).exists():
            raise BadRule("", _("una prueba de este canal espera todavía: mira su registro"))
        notice = Notice.objects.create(channel=channel, status=Notice.Status.PENDING, created_at=now, next_at=now)
        record(by, "test", "channel", str(channel.pk), organisation_id=channel.organisation_id, now=now)
    return notice


_PARAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "threshold": ("metric", "side", "limit", "hysteresis"),
    "absence": ("metric", "silence_s"),
    "rate": ("metric", "side", "limit", "window_s"),
    "expression": ("expression",),
    "fence": ("points", "side"),
}


def _has_room(team: Organisation) -> None:
    if Rule.objects.filter(organisation=team).count() >= MOST_RULES:
        raise BadRule("", _("ya hay %(most)s reglas, que es lo máximo: borra las que no hagan falta") % {"most": MOST_RULES})


def _one(model: Any, caller: Caller, number: int, rows: QuerySet[Any] | None = None) -> Any:
    teams = access.organisations(caller, access.Action.INSPECT)
    found = (
        (model.objects.all() if rows is None else rows)
        .select_related("organisation")
        .filter(pk=number, organisation__in=teams.values("pk"))
        .first()
        if 0 < number <= _MOST_ID
        else None
    )
    if found is None:
        raise Denied(404, f"there is no {model.__name__.lower()} {number} that you may see")
    if getattr(found, "person_id", None) is None:
        _check(caller, found.organisation_id)
    return found


def _check(caller: Caller, team: int) -> None:
    if not access.organisations(caller, access.Action.CONFIGURE).filter(pk=team).exists():
        raise Denied(403, f"organisation {team}: only {access.names_of(access.Action.CONFIGURE)} may change its rules and channels")


def _team(caller: Caller, given: Mapping[str, Any]) -> Organisation:
    mine = may_configure(caller)
    asked = str(given.get("team") or "")
    found = next((team for team in mine if str(team.pk) == asked), mine[0] if mine and not asked else None)
    if found is None:
        raise Denied(
            403 if not asked or not mine else 404, f"only {access.names_of(access.Action.CONFIGURE)} may change rules and channels"
        )
    return found


def _name(given: Mapping[str, Any]) -> str:
    name = " ".join(str(given.get("name") or "").replace("\x00", "").split())
    if not 0 < len(name) <= _NAME:
        raise BadRule("name", _("nombre: escribe de 1 a %(most)s caracteres") % {"most": _NAME})
    return name


def _severity(given: Mapping[str, Any]) -> str:
    severity = str(given.get("severity") or "medium")
    if severity not in SEVERITIES:
        raise BadRule("severity", _("gravedad: elige una de la lista"))
    return severity


def _place(team: Organisation, given: Mapping[str, Any]) -> tuple[Site | None, str]:
    robot_id, site = str(given.get("robot_id") or "").strip(), str(given.get("site") or "")
    if robot_id:
        if "\x00" in robot_id or not Robot.objects.filter(pk=robot_id, organisation=team, deleted_at=None).exists():
            raise BadRule("robot_id", _("robot: no hay ninguno que se llame %(name)r en tu organización") % {"name": robot_id[:64]})
        return None, robot_id
    if not site:
        return None, ""
    found = Site.objects.filter(organisation=team, pk=whole(site) or 0).first()
    if found is None:
        raise BadRule("site", _("sitio: elige uno de la lista"))
    return found, ""


def _target(kind: str, target: str) -> str:
    if len(target) > _TARGET or "\x00" in target:
        raise BadRule("target", _("destino: escribe %(most)s caracteres como mucho") % {"most": _TARGET})
    if kind == Channel.Kind.WEBHOOK:
        return webhook.check(target)
    if kind == Channel.Kind.APPRISE:
        return messenger.check(target)
    addresses = [part for part in re.split(r"[\s,;]+", target) if part]
    if not 0 < len(addresses) <= MOST_ADDRESSES:
        raise BadRule("target", _("correo: escribe de 1 a %(most)s direcciones") % {"most": MOST_ADDRESSES})
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError as error:
            raise BadRule("target", _("correo: %(value)r no es una dirección") % {"value": address[:80]}) from error
    return "\n".join(dict.fromkeys(addresses))


def _after(given: Mapping[str, Any]) -> int:
    after = spec.seconds(given, "after_min")
    if after > _MOST_AFTER:
        raise BadRule(
            "after_min", _("esperar: escribe de 0 a %(most)s minutos; escribiste %(value)s") % {"value": after, "most": _MOST_AFTER}
        )
    return after


def _quiet(given: Mapping[str, Any]) -> tuple[str, str]:
    begin, end = (str(given.get(name) or "").strip() for name in ("quiet_from", "quiet_to"))
    if bool(begin) != bool(end) or (begin and not (_CLOCK.fullmatch(begin) and _CLOCK.fullmatch(end) and begin != end)):
        raise BadRule("quiet_from", _("horas tranquilas: escribe las dos, distintas, como 22:00 y 06:00"))
    return begin, end


def _zone(caller: Caller, given: Mapping[str, Any]) -> str:
    """What was written; where nothing was, the person's own."""
    zone = str(given.get("time_zone") or "").strip()
    zone = zone or Preferences.objects.filter(user=caller.user_id or 0).values_list("zone", flat=True).first() or zones.UTC
    if zones.zone(zone) is None:
        raise BadRule("time_zone", _("zona horaria: %(value)r no se conoce: escribe una como America/Bogota") % {"value": zone[:40]})
    return zone


def _told(rule: Rule) -> dict[str, Any]:
    place = {"site": rule.site.slug if rule.site is not None else "", "robot": rule.robot_id}
    return {
        "name": rule.name,
        "kind": rule.kind,
        **rule.params,
        "severity": rule.severity,
        "for_s": rule.for_s,
        **place,
        "enabled": rule.enabled,
    }


def _told_channel(channel: Channel) -> dict[str, Any]:
    """Never its target: that may hold a token."""
    names = ("name", "kind", "severity", "after_min", "quiet_from", "quiet_to", "time_zone", "language", "tells_end", "enabled")
    return {name: getattr(channel, name) for name in names}
