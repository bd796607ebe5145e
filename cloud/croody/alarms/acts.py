"""What persons do to an alarm: each act is one function, which pages and API call. Undoing is in `undo`.

All of them take `seen`, the revision that the person looked at (None: whatever it is), and raise `Denied`, `Late` and `BadAct`.
"""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.accounts.models import Membership
from croody.alarms import queries, services, storms, suppressions
from croody.alarms.act_transaction import MOST, MOST_ID, BadAct, Doing, Done, Verb, begin, organisation_of
from croody.alarms.kinds import End
from croody.alarms.models import Alarm, Suppression
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.fleet import access
from croody.web.refusals import Denied

Scope = Suppression.Scope
#: Longest comment, in characters.
COMMENT: Final = 2000
#: Longest snooze.
SNOOZE: Final = timedelta(days=7)
#: People that one alarm may be given to.
_MOST_PEOPLE: Final = 200


def acknowledge(caller: Caller, number: int, *, by: Actor, now: datetime, seen: int | None = None) -> Done:
    """Say that one has seen it; who does so takes it, when nobody had."""
    with transaction.atomic():
        doing = begin(caller, number, by, now, seen)
        if doing.alarm.acknowledged_at is not None:
            raise BadAct(_("alerta %(number)s: ya está reconocida") % {"number": number})
        takes = {"assignee_id": by.user_id} if doing.alarm.assignee_id is None and by.user_id is not None else {}
        return doing.book(Verb.ACKNOWLEDGE, {}, acknowledged_at=now, **takes)


def assign(caller: Caller, number: int, user_id: int | None, *, by: Actor, now: datetime, seen: int | None = None) -> Done:
    """Give it to somebody who may act on it, or, with None, to nobody."""
    with transaction.atomic():
        doing = begin(caller, number, by, now, seen)
        if doing.alarm.assignee_id == user_id:
            raise BadAct(_("alerta %(number)s: ya está asignada así") % {"number": number})
        name = ""
        if user_id is not None:
            who = next((user for user in assignable(doing.alarm, caller) if user.pk == user_id), None)
            if who is None:
                text = _(
                    "persona %(person)s: no puede atender la alerta %(number)s: elige a alguien que opere los robots de su organización"
                )
                raise BadAct(text % {"person": user_id, "number": number})
            name = who.get_full_name() or who.get_username()
        return doing.book(Verb.ASSIGN, {"to": name}, assignee_id=user_id)


def snooze(caller: Caller, number: int, until: datetime, *, by: Actor, now: datetime, seen: int | None = None) -> Done:
    """Put it out of sight until then; one that gets worse comes back at once."""
    if not now < until <= now + SNOOZE:
        raise BadAct(_("hasta %(until)s: elige un momento de los próximos %(days)s días") % {"until": until, "days": SNOOZE.days})
    with transaction.atomic():
        return begin(caller, number, by, now, seen).book(Verb.SNOOZE, {"until": until.isoformat()}, snoozed_until=until)


def resolve(caller: Caller, number: int, *, by: Actor, now: datetime, seen: int | None = None) -> Done:
    """Close it because somebody has dealt with it; it opens anew when its cause comes again.

    Raises:
        EndsByItself: what it tells still holds.
    """
    with transaction.atomic():
        doing = begin(caller, number, by, now, seen)
        services.resolve_by_person(doing.alarm, now)
        return doing.book(Verb.CLOSE, {})


def close_as(caller: Caller, number: int, now: datetime, *, actor: Actor) -> Alarm:
    """`resolve` of whatever revision; one that is over already stays as it is."""
    alarm = queries.visible_to(caller).filter(pk=number).first() if 0 < number <= MOST_ID else None
    if alarm is None:
        raise Denied(404, f"there is no alarm {number} that you may see")
    services.check_may_act(caller, alarm)
    return alarm if alarm.resolved_at is not None else resolve(caller, number, by=actor, now=now).alarm


def mark_false(caller: Caller, number: int, scope: Scope, until: datetime, *, by: Actor, now: datetime, seen: int | None = None) -> Done:
    """Say that it was no alarm: until then, those of this scope are counted and not shown, this one first."""
    if not now < until <= now + suppressions.LONGEST:
        raise BadAct(
            _("hasta %(until)s: elige un momento de los próximos %(days)s días") % {"until": until, "days": suppressions.LONGEST.days}
        )
    with transaction.atomic():
        doing = begin(caller, number, by, now, seen)
        alarm = doing.alarm
        held = _suppress(doing, scope, until)
        count = suppressions.covered(held).update(suppressed_by=held, false=True)
        suppressions.hit(held, now, max(1, count))
        closes = End.PERSON in storms.kind_of(alarm).ends
        if closes:
            services.resolve_by_person(alarm, now)
        said = {"scope": scope.value, "until": until.isoformat(), "suppression": held.pk, "held": count}
        # What ends by itself goes on out of sight.
        return doing.book(Verb.FALSE, said, suppressed_by=None if closes else held, false=True)


def comment(caller: Caller, number: int, text: str, *, by: Actor, now: datetime) -> Done:
    """Write a line into its history, also when it is over."""
    text = text.replace("\x00", "").strip()
    if not 0 < len(text) <= COMMENT:
        raise BadAct(_("comentario: escribe de 1 a %(most)s caracteres; tiene %(count)s") % {"most": COMMENT, "count": len(text)})
    with transaction.atomic():
        doing = begin(caller, number, by, now, ended=True)
        if doing.alarm.acts.count() >= MOST:
            said = {"number": number, "most": MOST}
            raise BadAct(_("comentario: la alerta %(number)s ya guarda %(most)s líneas: escribe en las notas del robot") % said)
        return doing.book(Verb.COMMENT, {"text": text})


def end_suppression(caller: Caller, number: int, *, by: Actor, now: datetime) -> Suppression:
    """Let alarms like it be seen again, those that are open now, too."""
    with transaction.atomic():
        held = suppressions.visible_to(caller, now).filter(pk=number).first() if 0 < number <= MOST_ID else None
        if held is None:
            raise Denied(404, f"there is no exception {number} that you may see")
        if not access.organisations(caller, access.Action.ACT).filter(pk=held.organisation_id).exists():
            raise Denied(403, f"exception {number}: only {access.names_of(access.Action.ACT)} of its organisation may end it")
        suppressions.end(held.pk, now)
        known = {"kind": held.kind, "robot_id": held.robot_id, "expires_at": held.expires_at.isoformat()}
        record(by, "end", "exception", str(held.pk), organisation_id=held.organisation_id, before=known, now=now)
        return held


def assignable(alarm: Alarm, caller: Caller) -> list[User]:
    """Who may be given it: people of its organisation whose role may act, by name, and a superuser who asks."""
    team = organisation_of(alarm)
    roles = [role for role, actions in access.ROLES.items() if access.Action.ACT in actions]
    members = Membership.objects.filter(organisation_id=team or 0, role__in=roles, user__is_active=True)
    found = list(User.objects.filter(pk__in=members.values("user_id")).order_by("username")[:_MOST_PEOPLE])
    if caller.superuser and caller.user_id is not None and all(user.pk != caller.user_id for user in found):
        found += list(User.objects.filter(pk=caller.user_id))
    return found


def _suppress(doing: Doing, scope: Scope, until: datetime) -> Suppression:
    alarm, team = doing.alarm, organisation_of(doing.alarm)
    if team is None:
        raise BadAct(_("alerta %(number)s: no es de ningún robot: resuélvela") % {"number": alarm.pk})
    if alarm.kind == storms.STORM.code and scope is not Scope.TEAM:
        raise BadAct(_("alcance: la alerta %(number)s es de varios robots: elige toda la organización") % {"number": alarm.pk})
    if not alarm.robot_id and scope is Scope.ROBOT:
        raise BadAct(_("alcance: la alerta %(number)s no es de un robot: elige esta causa, o toda la organización") % {"number": alarm.pk})
    if Suppression.objects.filter(organisation_id=team, expires_at__gt=doing.now).count() >= suppressions.MOST:
        text = _("ya hay %(most)s excepciones, que es lo máximo: termina las que ya no hagan falta")
        raise BadAct(text % {"most": suppressions.MOST})
    return Suppression.objects.create(
        organisation_id=team,
        scope=scope,
        robot_id="" if scope is Scope.TEAM else alarm.robot_id,
        kind=storms.kind_of(alarm).code,
        key=alarm.key if scope is Scope.CAUSE else "",
        created_at=doing.now,
        expires_at=until,
        by_id=doing.by.user_id,
        by_name=doing.by.name[:150],
    )
