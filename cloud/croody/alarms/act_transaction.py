"""What every act on an alarm has in common: it is locked, the rules are asked, and the act leaves its line in two logs.

Two people may look at one alarm: who says what revision they saw is told who was first instead of undoing their work.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from croody.accounts.caller import Caller
from croody.alarms import queries, services
from croody.alarms.models import Act, Alarm
from croody.audit.actor import Actor
from croody.audit.services import record
from croody.fleet.models import Robot
from croody.web.refusals import Denied

Verb = Act.Verb
#: Lines that the history of one alarm keeps; the audit log has all.
MOST: Final = 200
#: What acts change, and undoing puts back.
FIELDS: Final = ("acknowledged_at", "assignee_id", "snoozed_until", "false", "suppressed_by_id", "resolved_at")
MOST_ID: Final = 2**63 - 1


class BadAct(ValueError):
    """An act that cannot be done as it was asked; names the value, the rule and the remedy."""


class Late(ValueError):
    """Somebody or something was first. `first`: what they did; None when the alarm ended by itself."""

    def __init__(self, alarm: Alarm, first: Act | None) -> None:
        self.alarm = alarm
        self.first = first
        said = {"number": alarm.pk, "name": first.by_name if first else ""}
        text = _("alerta %(number)s: %(name)s fue antes: mírala de nuevo") if first else _("alerta %(number)s: ya terminó sola")
        super().__init__(text % said)


@dataclass(frozen=True, slots=True)
class Done:
    """The alarm as it is now, and the line in its history that can be undone."""

    alarm: Alarm
    act: Act


@dataclass(frozen=True, slots=True)
class Doing:
    """An act under way, in a transaction that holds the alarm. `before`: its fields as they were."""

    alarm: Alarm
    by: Actor
    now: datetime
    before: dict[str, Any]

    def book(self, verb: Verb, said: dict[str, Any], **changes: Any) -> Done:
        """Write the changes, the line of the history and the entry of the audit log."""
        revision = self.alarm.revision + (verb is not Verb.COMMENT)
        Alarm.objects.filter(pk=self.alarm.pk).update(**changes, revision=revision)
        self.alarm.refresh_from_db()
        act = Act.objects.create(
            alarm=self.alarm,
            verb=verb,
            at=self.now,
            by_id=self.by.user_id,
            by_name=self.by.name[:150],
            said=said,
            before=self.before,
            revision=revision,
        )
        _trim(self.alarm)
        self.audit(verb.value, fields(self.alarm) | said)
        return Done(self.alarm, act)

    def audit(self, verb: str, after: dict[str, Any]) -> None:
        """Write the entry of the audit log."""
        about = {"robot": self.alarm.robot_id, "kind": self.alarm.kind, "key": self.alarm.key}
        team = organisation_of(self.alarm)
        changed = {name: value for name, value in after.items() if name not in self.before or self.before[name] != value}
        before = {name: self.before[name] for name in changed if name in self.before}
        record(self.by, verb, "alarm", str(self.alarm.pk), organisation_id=team, before=before, after=about | changed, now=self.now)


def begin(caller: Caller, number: int, by: Actor, now: datetime, seen: int | None = None, *, ended: bool = False) -> Doing:
    """Lock the alarm and hold the act to the rules. `ended`: it may be over. To be called in a transaction.

    Raises:
        Denied: 404, the caller may not know of it; 403, may only look. Late: the alarm is not as they saw it, or over.
    """
    if not 0 < number <= MOST_ID or not queries.known_to(caller).filter(pk=number).exists():
        raise Denied(404, f"there is no alarm {number} that you may see")
    alarm = Alarm.objects.select_for_update().get(pk=number)
    services.check_may_act(caller, alarm)
    if seen is not None and seen != alarm.revision:
        raise Late(alarm, last_act(alarm))
    if alarm.resolved_at is not None and not ended:
        last = last_act(alarm)
        raise Late(alarm, last if last is not None and last.verb in {Verb.CLOSE, Verb.FALSE} else None)
    return Doing(alarm, by, now, fields(alarm))


def last_act(alarm: Alarm) -> Act | None:
    """What was done to it last, comments apart."""
    return alarm.acts.exclude(verb=Verb.COMMENT).order_by("-pk").first()


def organisation_of(alarm: Alarm) -> int | None:
    """Whose alarm it is; None for one of no robot that is there."""
    if alarm.organisation_id is not None:
        return alarm.organisation_id
    return Robot.objects.filter(pk=alarm.robot_id).values_list("organisation_id", flat=True).first()


def fields(alarm: Alarm) -> dict[str, Any]:
    """`FIELDS` of an alarm as JSON."""
    found = {name: getattr(alarm, name) for name in FIELDS}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}


def _trim(alarm: Alarm) -> None:
    extra = list(alarm.acts.order_by("-pk").values_list("pk", flat=True)[MOST : MOST + 20])
    if extra:
        Act.objects.filter(pk__in=extra).delete()
