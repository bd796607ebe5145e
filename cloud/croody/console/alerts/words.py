"""The inbox and an alarm in the words of one language, for templates. Asks no database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from croody.alarms import kinds
from croody.alarms.inbox import Asked, Counts, Tab
from croody.alarms.models import Act, Alarm, Suppression
from croody.alarms.storms import STORM
from croody.console.alerts.facts import AROUND, SUCH_FOR, USUAL, Evidence, Inbox
from croody.monitor import alarm_words
from croody.monitor.alarm_words import AlarmRow
from croody.telemetry.read import metrics
from croody.web import formats
from croody.web.moments import filled, moment

TABS: Final = {
    Tab.OPEN: gettext_lazy("Abiertas"),
    Tab.MINE: gettext_lazy("Mías"),
    Tab.SNOOZED: gettext_lazy("Pospuestas"),
    Tab.RESOLVED: gettext_lazy("Resueltas"),
}
HEADS: Final = {
    Tab.OPEN: gettext_lazy("Abiertas, por gravedad"),
    Tab.MINE: gettext_lazy("Mías, por gravedad"),
    Tab.SNOOZED: gettext_lazy("Pospuestas, por gravedad"),
    Tab.RESOLVED: gettext_lazy("Resueltas, la última primero"),
}
SCOPES: Final = {
    "cause": gettext_lazy("Esta causa en este robot"),
    "robot": gettext_lazy("Este tipo en este robot"),
    "team": gettext_lazy("Este tipo en toda la organización"),
}
#: A false alarm's days, and a snooze's minutes (0: a week, or until it gets worse), that a form offers.
DAYS: Final = (1, 7, 30, 90)
MINUTES: Final = (60, 480, 1440, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """An alarm in the list. `who`: to whom it is assigned; `waits`: why it is out of sight; `count`: how many it folds, when several."""

    base: AlarmRow
    revision: int
    place: str
    who: str
    waits: str
    count: str
    acknowledged: bool
    false: bool

    @property
    def token(self) -> str:
        """The alarm and what of it was seen, as a form sends it."""
        return f"{self.base.number}.{self.revision}"


@dataclass(frozen=True, slots=True)
class Bar:
    """A metric now above its usual. `width` and `usual_width` are of 100."""

    label: str
    value: str
    usual: str
    width: float
    usual_width: float


@dataclass(frozen=True, slots=True)
class Line:
    """What was done: `at` is when, `undone` when it was taken back."""

    at: datetime
    who: str
    text: str
    quote: str
    undone: bool


def scopes(alarm: Alarm) -> list[tuple[str, str]]:
    """How far it may be called false: one of many robots for the whole organisation alone, one of no robot for its cause, too."""
    if alarm.robot_id:
        return [(code, str(said)) for code, said in SCOPES.items()]
    cause = [] if alarm.kind == STORM.code else [("cause", _("Solo esta causa"))]
    return [*cause, ("team", str(SCOPES["team"]))]


def sentence(counts: Counts, language: str) -> str:
    """`Una crítica, tres altas`: the two worst severities there are."""
    if not counts.total:
        return _("Nada abierto")
    parts = [of_severity(severity, count, language) for severity, count in counts.severities.items()][:2]
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def aside(counts: Counts, now: datetime, language: str) -> tuple[str, ...]:
    """What stands below it."""
    if not counts.total:
        return ()
    total = ngettext("%(count)s abierta", "%(count)s abiertas", counts.total) % {"count": formats.number(counts.total, 0, language)}
    free = _("todas asignadas")
    if counts.unassigned:
        free = _("%(count)s sin asignar") % {"count": formats.number(counts.unassigned, 0, language)}
    found = [f"{total}, {free}"]
    if counts.signals > counts.total and counts.since is not None:
        numbers = {"signals": formats.number(counts.signals, 0, language), "alarms": formats.number(counts.total, 0, language)}
        numbers["age"] = formats.age_of(counts.since, now)
        found.append(_("%(signals)s señales agrupadas en %(alarms)s en %(age)s") % numbers)
    return tuple(found)


def empty(found: Inbox, now: datetime) -> str:
    """What an empty list says."""
    if found.asked.filtered:
        return _("Ninguna con estos filtros.")
    if found.asked.tab is Tab.MINE:
        return _("Nada asignado a ti.")
    if found.asked.tab is Tab.SNOOZED:
        return _("Nada pospuesto.")
    if found.last is None or found.last.resolved_at is None:
        return _("Nada abierto, y nada resuelto todavía.")
    return _("Nada abierto. La última se resolvió hace %(age)s.") % {"age": formats.age_of(found.last.resolved_at, now)}


def rows(found: Inbox, now: datetime, language: str) -> tuple[Row, ...]:
    """Each alarm of the page."""
    return tuple(_row(alarm, found, now, language) for alarm in found.listed.alarms)


def bars(found: Evidence, language: str) -> tuple[Bar, ...]:
    """What its robot measured in the minute around it, above what is usual for it."""
    if found.around is None:
        return ()
    made = []
    for line in found.around.lines:
        near = [value for at, value in zip(found.around.at, line.mean, strict=True) if value is not None and _is_near(at, found.alarm)]
        usual = found.usual.get(line.metric)
        if not near or usual is None:
            continue
        value = sum(near) / len(near)
        most = max(abs(value), abs(usual)) or 1.0
        metric = metrics.describe(line.metric)
        made.append(
            Bar(
                metric.label(language),
                quantity(metric, value, language),
                quantity(metric, usual, language),
                round(100 * abs(value) / most, 1),
                round(100 * abs(usual) / most, 1),
            )
        )
    return tuple(made)


def usual_of(found: Evidence) -> str:
    """Whose usual, over how long."""
    return _("frente a lo habitual de %(robot)s, %(days)s días") % {"robot": found.alarm.robot_id, "days": USUAL.days}


def around() -> str:
    """How much time the chart shows."""
    return _("%(minutes)s min a cada lado") % {"minutes": AROUND // timedelta(minutes=1)}


def falses(found: Evidence, language: str) -> str:
    """How often alarms like it were false here."""
    numbers = {"false": formats.number(found.false, 0, language), "such": formats.number(found.such, 0, language), "days": SUCH_FOR.days}
    if found.such <= 1:
        return _("Es la primera de su tipo aquí en %(days)s días.") % numbers
    if not found.false:
        return _("Ninguna de las %(such)s alertas así de los últimos %(days)s días fue falsa.") % numbers
    return _("%(false)s de las %(such)s alertas así de los últimos %(days)s días fueron falsas.") % numbers


def history(found: Evidence, language: str) -> tuple[Line, ...]:
    """What persons did, newest first."""
    return tuple(
        Line(
            act.at,
            act.by_name or _("alguien"),
            did(act, language, moments=moment),
            str(act.said.get("text", "")),
            act.undone_at is not None,
        )
        for act in found.history
    )


def done(verb: str, count: int, language: str) -> str:
    """What is said to who did it, to one alarm or to several."""
    number = {"count": formats.number(count, 0, language)}
    said = {
        Act.Verb.ACKNOWLEDGE: ngettext("%(count)s alerta reconocida.", "%(count)s alertas reconocidas.", count),
        Act.Verb.ASSIGN: ngettext("%(count)s alerta asignada.", "%(count)s alertas asignadas.", count),
        Act.Verb.SNOOZE: ngettext("%(count)s alerta pospuesta.", "%(count)s alertas pospuestas.", count),
        Act.Verb.CLOSE: ngettext("%(count)s alerta resuelta.", "%(count)s alertas resueltas.", count),
        Act.Verb.FALSE: ngettext("%(count)s marcada como falsa alarma.", "%(count)s marcadas como falsas alarmas.", count),
        Act.Verb.COMMENT: _("Comentario guardado."),
        Act.Verb.REOPEN: ngettext("%(count)s alerta abierta de nuevo.", "%(count)s alertas abiertas de nuevo.", count),
    }
    return str(said[Act.Verb(verb)]) % number


def match(total: int, language: str) -> str:
    """The head of the page that asks before something is done to many."""
    if not total:
        return _("Ninguna alerta coincide")
    text = ngettext("%(count)s alerta coincide", "%(count)s alertas coinciden", total)
    return text % {"count": formats.number(total, 0, language)}


def grave(severities: Mapping[str, int], language: str) -> str:
    """`3 críticas, 12 altas`."""
    return ", ".join(of_severity(severity, count, language) for severity, count in severities.items())


def filters(asked: Asked) -> str:
    """What the list was asked for, in a line: `Abiertas · alta · rover`."""
    parts = [str(TABS[asked.tab]), str(kinds.SEVERITIES[asked.severity]) if asked.severity else ""]
    parts += [str(kinds.find(asked.kind).title) if asked.kind else "", asked.robot]
    parts += [{"me": _("asignadas a ti"), "nobody": _("sin asignar")}.get(asked.who, "")]
    return " · ".join(part for part in parts if part)


def act_on_many(verb: str, count: int, language: str) -> dict[str, Any]:
    """A button: what it does, to how many of those that match."""
    number = {"count": formats.number(count, 0, language)}
    said = {
        Act.Verb.ACKNOWLEDGE: ngettext("Reconocer %(count)s", "Reconocer %(count)s", count),
        Act.Verb.CLOSE: ngettext("Resolver %(count)s", "Resolver %(count)s", count),
        Act.Verb.SNOOZE: ngettext("Posponer %(count)s, 1 h", "Posponer %(count)s, 1 h", count),
        Act.Verb.ASSIGN: ngettext("Asignarme %(count)s", "Asignarme %(count)s", count),
    }
    fields = {Act.Verb.SNOOZE: ("minutes", "60"), Act.Verb.ASSIGN: ("person", "me")}
    name, value = fields.get(Act.Verb(verb), ("", ""))
    return {"verb": str(verb), "words": said[Act.Verb(verb)] % number, "count": count, "name": name, "value": value}


def left(count: int, language: str) -> str:
    """After a go that did not reach all of them."""
    text = ngettext("Queda %(count)s: hazlo otra vez para seguir.", "Quedan %(count)s: hazlo otra vez para seguir.", count)
    return text % {"count": formats.number(count, 0, language)}


def late(first: Act | None, now: datetime, language: str) -> str:
    """To the second of two people."""
    if first is None:
        return _("Esa alerta ya había terminado sola: no hizo falta nada.")
    numbers = {"name": first.by_name or _("alguien"), "age": formats.age_of(first.at, now), "what": did(first, language)}
    return _("%(name)s fue antes, hace %(age)s: %(what)s. Míralo y decide de nuevo.") % numbers


def end_of(until: datetime, now: datetime) -> str:
    """`dentro de 6 d`."""
    return _("dentro de %(age)s") % {"age": formats.age((until - now).total_seconds())}


def suppression(held: Suppression, now: datetime, language: str) -> dict[str, Any]:
    """One exception in the list of those that hold."""
    hits = ngettext("%(count)s alerta contada", "%(count)s alertas contadas", held.hits) % {"count": formats.number(held.hits, 0, language)}
    return {
        "number": held.pk,
        "organisation_id": held.organisation_id,
        "title": str(kinds.find(held.kind).title),
        "scope": str(SCOPES[held.scope]),
        "robot_id": held.robot_id,
        "key": held.key,
        "who": held.by_name,
        "hits": hits,
        "last": _("la última hace %(age)s") % {"age": formats.age_of(held.last_hit_at, now)} if held.last_hit_at else "",
        "ends": _("termina %(when)s") % {"when": end_of(held.expires_at, now)},
        "expires_at": held.expires_at,
    }


def quantity(metric: metrics.Metric, value: float, language: str) -> str:
    """A value with its unit."""
    return metric.quantity(value, language)


def _row(alarm: Alarm, found: Inbox, now: datetime, language: str) -> Row:
    robots = found.robots[alarm.pk]
    many = alarm.organisation_id is not None
    count = robots.how_many if many else alarm.count
    return Row(
        base=alarm_words.row(alarm, robots, False, now, language),
        revision=alarm.revision,
        place=robots.site if many else found.sites.get(alarm.robot_id, ""),
        who=found.names.get(alarm.assignee_id or 0, ""),
        waits=waits(alarm, found.maintained.get(alarm.robot_id), now),
        count=f"\N{MULTIPLICATION SIGN}{formats.number(count, 0, language)}" if count > 1 else "",
        acknowledged=alarm.acknowledged_at is not None,
        false=alarm.false,
    )


def waits(alarm: Alarm, maintained: datetime | None, now: datetime) -> str:
    """Why it is out of sight, and until when."""
    if alarm.resolved_at is not None:
        return ""
    if maintained is not None:
        return _("robot en mantenimiento, termina %(when)s") % {"when": end_of(maintained, now)}
    if alarm.snoozed_until is not None and alarm.snoozed_until > now:
        return _("vuelve %(when)s, o si empeora") % {"when": end_of(alarm.snoozed_until, now)}
    return ""


_COUNTED: Final[Mapping[str, tuple[str, ...]]] = {
    "es": ("", "una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "en": ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
}


def of_severity(severity: str, count: int, language: str) -> str:
    """`tres altas`."""
    words = _COUNTED[language]
    number = words[count] if count < len(words) else formats.number(count, 0, language)
    texts = {
        "critical": ngettext("%(count)s crítica", "%(count)s críticas", count),
        "high": ngettext("%(count)s alta", "%(count)s altas", count),
        "medium": ngettext("%(count)s media", "%(count)s medias", count),
        "low": ngettext("%(count)s baja", "%(count)s bajas", count),
    }
    return texts[severity] % {"count": number}


def did(act: Act, language: str, *, moments: Callable[[datetime, str], str] = formats.moment) -> str:
    """`la reconoció`: what somebody did to an alarm. `moments`: how it names them; on a page, in the reader's own zone."""
    said = act.said
    until = moments(datetime.fromisoformat(str(said["until"])), language) if said.get("until") else ""
    match act.verb:
        case Act.Verb.ACKNOWLEDGE:
            return pgettext("act", "la reconoció")
        case Act.Verb.ASSIGN:
            return (
                pgettext("act", "la asignó a %(name)s") % {"name": said.get("to")}
                if said.get("to")
                else pgettext("act", "la dejó sin asignar")
            )
        case Act.Verb.SNOOZE:
            return filled(pgettext("act", "la pospuso hasta el %(until)s"), {"until": until})
        case Act.Verb.CLOSE:
            return pgettext("act", "la resolvió")
        case Act.Verb.FALSE:
            return filled(pgettext("act", "la llamó falsa alarma hasta el %(until)s"), {"until": until})
        case Act.Verb.COMMENT:
            return pgettext("act", "comentó")
    return pgettext("act", "la abrió de nuevo")


def _is_near(at: int, alarm: Alarm) -> bool:
    return abs(at - alarm.opened_at.timestamp()) <= 60
