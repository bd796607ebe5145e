"""Is it well, and if not: since when, why, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms import kinds
from croody.alarms.kinds import End
from croody.alarms.models import Alarm
from croody.alarms.storms import kind_of
from croody.console.fleet.words import STATES
from croody.console.robot.facts import Now, Slow
from croody.console.robot.words.lines import Line, line
from croody.liveness.judge import THRESHOLDS, State
from croody.monitor import words as monitor
from croody.web import formats

#: The answer, by state.
SENTENCES: Final[Mapping[State, str | Promise]] = {
    State.FAULTED: gettext_lazy("%(robot)s tiene una falla"),
    State.QUARANTINED: gettext_lazy("%(robot)s está en cuarentena"),
    State.OFFLINE: gettext_lazy("%(robot)s está sin conexión"),
    State.STALE: gettext_lazy("%(robot)s va atrasado"),
    State.MAINTENANCE: gettext_lazy("%(robot)s está en mantenimiento"),
    State.MOVING: gettext_lazy("%(robot)s está en marcha"),
    State.ONLINE: gettext_lazy("%(robot)s está en línea"),
    State.OFF: gettext_lazy("%(robot)s está apagado"),
    State.UNKNOWN: gettext_lazy("%(robot)s espera su primera lectura"),
}


@dataclass(frozen=True, slots=True)
class Head:
    """`since`: unix seconds since when its state holds, None where nobody knows."""

    sentence: str
    state: str
    word: str
    since: float | None
    age: str
    label: str
    doing: str
    alarms: str


@dataclass(frozen=True, slots=True)
class Because:
    """What is wrong, since when, why, what changed before, and what to do. `act`: an address and its words."""

    number: int
    severity: str
    word: str
    sentence: str
    since: float
    age: str
    moment: datetime
    cause: str
    remedy: str
    before: tuple[Line, ...]
    act: tuple[str, str] | None
    closable: bool
    more: str


def head(now_: Now, now: datetime, language: str) -> Head:
    """The answer."""
    since = _since(now_)
    alarms = ""
    if now_.alarm_count:
        text = ngettext("%(count)s alerta abierta", "%(count)s alertas abiertas", now_.alarm_count)
        alarms = text % {"count": formats.number(now_.alarm_count, 0, language)}
    doing = now_.entry.doing or ""
    away = now_.state in (State.OFF, State.OFFLINE) or is_old(now_, now)
    return Head(
        sentence=str(SENTENCES[now_.state]) % {"robot": now_.robot.pk},
        state=now_.state.value,
        word=str(STATES[now_.state]),
        since=since.timestamp() if since else None,
        age=formats.age_of(since, now) if since else "",
        label=now_.robot.label,
        doing="" if away else str(monitor.DOING.get(doing, doing)),
        alarms=alarms,
    )


def _since(now_: Now) -> datetime | None:
    if now_.state == State.FAULTED and now_.worst is not None:
        return now_.worst.opened_at
    if now_.state == State.MAINTENANCE:
        return now_.robot.maintenance_since
    if now_.state in (State.OFFLINE, State.OFF):
        return now_.heard_at
    if now_.state == State.STALE and now_.entry.at is not None:
        return datetime.fromtimestamp(now_.entry.at, now_.heard_at.tzinfo if now_.heard_at else None)
    return None


def because(now_: Now, slow: Slow, now: datetime, language: str, *, acts: bool) -> Because | None:
    """The gravest alarm; None when nothing is wrong. `acts`: whoever looks may change something."""
    alarm = now_.worst
    if alarm is None:
        return None
    kind = kind_of(alarm)
    hidden = now_.alarm_count - 1
    more = ""
    if hidden > 0:
        text = ngettext("y %(count)s alerta más", "y %(count)s alertas más", hidden)
        more = text % {"count": formats.number(hidden, 0, language)}
    return Because(
        number=alarm.pk,
        severity=alarm.severity,
        word=str(kinds.SEVERITIES[alarm.severity]),
        sentence=kind.sentence(alarm.detail, language),
        since=alarm.opened_at.timestamp(),
        age=formats.age_of(alarm.opened_at, now),
        moment=alarm.opened_at,
        cause=str(kind.cause),
        remedy=str(kind.remedy),
        before=tuple(line(item, language) for item in slow.before),
        act=_act(alarm, now_) if acts else None,
        closable=acts and End.PERSON in kind.ends,
        more=more,
    )


def _act(alarm: Alarm, now_: Now) -> tuple[str, str] | None:
    """The one thing here that is most likely to help."""
    if alarm.kind == "conflict":
        return "#credenciales", _("Cambiar su secreto…")
    if alarm.kind == "gap" or alarm.kind.startswith("outbox_"):
        return "#entrega", _("Ver qué falta")
    if alarm.kind == "quota":
        return "#cartas", _("Ver sus cartas muertas")
    return None


def is_old(now_: Now, now: datetime) -> bool:
    """Whether what it said last is no word on now, whatever state is shown: one that has a fault may be silent, too."""
    if now_.state in (State.STALE, State.OFFLINE, State.OFF):
        return True
    limits = THRESHOLDS["plain"]
    allowed_s = max(limits.stale_s, limits.stale_intervals * (now_.queue_interval or 0.0))
    return now_.entry.at is not None and (now_.deaf_since or now).timestamp() - now_.entry.at > allowed_s
