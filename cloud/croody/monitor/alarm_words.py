"""Alarms in the words and numbers of one language, for templates. Asks no database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms import kinds
from croody.alarms.kinds import End
from croody.alarms.models import Alarm
from croody.alarms.queries import Robots
from croody.alarms.storms import kind_of
from croody.monitor.alarm_facts import Alarms
from croody.telemetry.models import SetAside
from croody.web import formats

#: Job that set something aside -> what it does.
JOBS: Final = {
    "raise_alarms": gettext_lazy("Alertas"),
    "roll_up": gettext_lazy("Resúmenes"),
    "score_windows": gettext_lazy("Detección"),
}


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """`at`: unix seconds since when it is open. `robots`: their ids; `more`: those that are not named; `site`: where all of many are.

    `ends`: what closes it, in words. `gone`: how long ago it ended; empty while it is open.
    """

    number: int
    robots: tuple[str, ...]
    more: str
    site: str
    severity: str
    word: str
    title: str
    sentence: str
    cause: str
    remedy: str
    at: float
    age: str
    times: str
    closable: bool
    ends: str
    gone: str


@dataclass(frozen=True, slots=True)
class AsideRow:
    """`at`: unix seconds. `what` and `reason` are a machine's words, whole."""

    job: str
    robot_id: str
    what: str
    reason: str
    at: float
    age: str


@dataclass(frozen=True, slots=True)
class Section:
    """Open alarms: how many, those that are shown, and what is not."""

    sentence: str
    rows: tuple[AlarmRow, ...]
    more: str


def section(found: Alarms, now: datetime, language: str) -> Section:
    """The section on the monitor."""
    hidden = found.count - len(found.alarms)
    more = ""
    if hidden > 0:
        more = ngettext("y %(count)s alerta más", "y %(count)s alertas más", hidden) % {"count": formats.number(hidden, 0, language)}
    return Section(sentence(found.count, language), rows(found, now, language), more)


def rows(found: Alarms, now: datetime, language: str) -> tuple[AlarmRow, ...]:
    """Each alarm."""
    return tuple(row(alarm, found.robots[alarm.pk], alarm.pk in found.closable, now, language) for alarm in found.alarms)


def sentence(count: int, language: str) -> str:
    """How many alarms are open."""
    if not count:
        return _("Ninguna alerta abierta")
    return ngettext("%(count)s alerta abierta", "%(count)s alertas abiertas", count) % {"count": formats.number(count, 0, language)}


def aside(found: tuple[SetAside, ...], now: datetime) -> tuple[AsideRow, ...]:
    """What was set aside."""
    return tuple(
        AsideRow(str(JOBS.get(row.job, row.job)), row.robot_id, row.what, row.reason, row.at.timestamp(), formats.age_of(row.at, now))
        for row in found
    )


def closed(alarm: Alarm, language: str) -> str:
    """What is said to who closed it."""
    name = alarm.robot_id or str(kind_of(alarm).title)
    return _("Cerraste una alerta de %(name)s. Si su causa vuelve, se abre de nuevo.") % {"name": name}


def row(alarm: Alarm, robots: Robots, closable: bool, now: datetime, language: str) -> AlarmRow:
    """One alarm."""
    kind = kind_of(alarm)
    many = kind.together if alarm.organisation_id is not None else None
    hidden = robots.how_many - len(robots.names)
    more = ngettext("y %(count)s más", "y %(count)s más", hidden) % {"count": formats.number(hidden, 0, language)} if hidden > 0 else ""
    times = ""
    if alarm.count > 1 and alarm.organisation_id is None:
        times = ngettext("%(count)s vez", "%(count)s veces", alarm.count) % {"count": formats.number(alarm.count, 0, language)}
    return AlarmRow(
        number=alarm.pk,
        robots=robots.names,
        more=more,
        site=robots.site,
        severity=alarm.severity,
        word=str(kinds.SEVERITIES[alarm.severity]),
        title=str(kind.title),
        sentence=kinds.find(alarm.kind).sentence({**alarm.detail, "robots": robots.how_many}, language),
        cause=str(many.cause if many else kind.cause),
        remedy=str(many.remedy if many else kind.remedy),
        at=alarm.opened_at.timestamp(),
        age=formats.age_of(alarm.opened_at, now),
        times=times,
        closable=closable,
        ends=ends(kind, language),
        gone=formats.age_of(alarm.resolved_at, now) if alarm.resolved_at is not None else "",
    )


def ends(kind: kinds.Kind, language: str) -> str:
    """What closes it, beside a person."""
    if kind.after is None:
        return _("Termina sola cuando pase la causa.") if End.CAUSE in kind.ends else ""
    hours = kind.after / timedelta(hours=1)
    days = hours / 24
    if days >= 2:
        text = ngettext("Termina sola tras %(count)s día sin novedades.", "Termina sola tras %(count)s días sin novedades.", round(days))
        return text % {"count": formats.number(days, 0, language)}
    text = ngettext("Termina sola tras %(count)s hora sin novedades.", "Termina sola tras %(count)s horas sin novedades.", round(hours))
    return text % {"count": formats.number(hours, 0, language)}
