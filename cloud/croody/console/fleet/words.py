"""What the fleet's page says, in one language. Asks no database; numbers and units come from `web.formats` and `monitor.words`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms import kinds
from croody.alarms.models import Alarm
from croody.alarms.storms import kind_of
from croody.console.fleet.roster import Listed, Roster
from croody.console.fleet.spark import Spark
from croody.live.picture import Text
from croody.live.pieces import digest
from croody.liveness.judge import State
from croody.monitor import words as monitor
from croody.monitor.entry import Delivery, Entry, as_number
from croody.monitor.gaps import Sign
from croody.telemetry.read import metrics
from croody.web import formats

#: Every state, as the team reads it; the public reads less (`monitor.words`).
STATES: Final[Mapping[State, str | Promise]] = {
    State.FAULTED: gettext_lazy("Con falla"),
    State.QUARANTINED: gettext_lazy("En cuarentena"),
    State.OFFLINE: gettext_lazy("Sin conexión"),
    State.STALE: gettext_lazy("Atrasado"),
    State.MAINTENANCE: gettext_lazy("Mantenimiento"),
    State.MOVING: gettext_lazy("En marcha"),
    State.ONLINE: gettext_lazy("En línea"),
    State.OFF: gettext_lazy("Apagado"),
    State.UNKNOWN: gettext_lazy("Sin estrenar"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A robot in the list: `texts` is what changes in its place, `shape` what it is made of.

    `since`: unix seconds since when its reason holds.
    """

    robot_id: str
    label: str
    tags: tuple[str, ...]
    state: str
    word: str
    troubled: bool
    reason: str
    since: float | None
    since_age: str
    at: float | None
    age: str
    battery: str
    charge: float
    delivery: str
    gaps: str
    gap_sign: str
    alerts: str
    worst: str
    worst_word: str
    metric_name: str
    metric: str
    spark: Spark
    texts: Mapping[str, Text]
    shape: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a row is made of. `alarm`: the one that says best what is wrong; `metric`: its name, `spark`: its last hour."""

    robot: Listed
    entry: Entry
    alarm: Alarm | None
    sign: Sign
    metric: str
    spark: Spark


def row(told: Told, now: datetime, language: str) -> Row:
    """One robot."""
    robot, entry, sign, spark = told.robot, told.entry, told.sign, told.spark
    percent = as_number(entry.values.get("battery_pct"))
    battery = formats.with_unit(formats.number(percent, 0, language), "%") if percent is not None else ""
    charge = round(max(0.0, min(100.0, percent or 0.0)) * 0.14, 1)
    delivery, gaps = monitor.share(entry.delivery, language, sign), monitor.gap_words(entry.delivery, sign)
    said, since = reason(robot, entry, told.alarm, now, language)
    count = formats.number(robot.alerts, 0, language) if robot.alerts else ""
    texts: dict[str, Text] = {"reason": said, "at": entry.at, "delivery": delivery, "gaps": gaps, "alerts": count}
    metric = _metric(told.metric, entry, language)
    texts |= monitor.state_texts(robot.state, str(STATES[robot.state]), " troubled" if robot.troubled else "")
    texts |= {"metric": metric, "line": spark.line, "holes": spark.holes, "dot": spark.dot}
    if battery:
        texts |= {"battery": battery, "charge": charge}
    made_of = (
        language,
        robot.label,
        robot.tags,
        robot.worst,
        robot.troubled,
        since,
        bool(battery),
        entry.at is None,
        sign,
    )
    return Row(
        robot_id=robot.robot_id,
        label=robot.label,
        tags=robot.tags,
        state=robot.state.value,
        word=str(STATES[robot.state]),
        troubled=robot.troubled,
        reason=said,
        since=since,
        since_age=formats.age(now.timestamp() - since) if since is not None else "",
        at=entry.at,
        age=formats.age(now.timestamp() - entry.at) if entry.at is not None else formats.NEVER,
        battery=battery,
        charge=charge,
        delivery=delivery,
        gaps=gaps,
        gap_sign="" if sign == "young" else sign,
        alerts=count,
        worst=robot.worst,
        worst_word=str(kinds.SEVERITIES.get(robot.worst, "")),
        metric_name=told.metric,
        metric=metric,
        spark=spark,
        texts=texts,
        shape=digest(made_of),
    )


def reason(robot: Listed, entry: Entry, alarm: Alarm | None, now: datetime, language: str) -> tuple[str, float | None]:
    """Why it is as it is, whole, and since when (unix seconds); what it does, when nothing is wrong."""
    if robot.state == State.UNKNOWN and alarm is None:
        return _("Espera su primera lectura"), None
    if robot.state == State.MAINTENANCE:
        return _maintenance(robot, now), None
    if alarm is not None and (robot.troubled or robot.state != State.MOVING):
        return kind_of(alarm).sentence(alarm.detail, language), alarm.opened_at.timestamp()
    if robot.state == State.OFFLINE:
        return _("No da señales"), entry.at
    if robot.state == State.STALE:
        return _("Sus lecturas llegan con atraso"), entry.at
    if robot.state == State.OFF:
        return _("Se despidió al apagarse"), entry.at
    return str(monitor.DOING.get(entry.doing or "", entry.doing or "")), None


def _maintenance(robot: Listed, now: datetime) -> str:
    """Why, who, and how long yet."""
    said = robot.why or (_("Lo atiende %(who)s") % {"who": robot.by} if robot.by else "")
    if robot.why and robot.by:
        said = _("%(reason)s (%(who)s)") % {"reason": robot.why, "who": robot.by}
    if robot.until is None or robot.until <= now:
        return said
    left = _("termina dentro de %(age)s") % {"age": formats.age((robot.until - now).total_seconds())}
    return f"{said} · {left}" if said else left[:1].upper() + left[1:]


def _metric(name: str, entry: Entry, language: str) -> str:
    if not name or name not in entry.values:
        return formats.NEVER
    return metrics.describe(name).text(entry.values[name], language)


def sentence(roster: Roster, language: str) -> str:
    """The answer, as the page's head."""
    total, troubled = len(roster.robots), roster.troubled
    if not total:
        return _("Aún no hay robots")
    if not troubled:
        return _("Ningún robot pide atención")
    text = ngettext("%(count)s robot pide atención", "%(count)s robots piden atención", troubled)
    return text % {"count": formats.counted(troubled, language)}


def aside(roster: Roster, entries: Sequence[Entry], language: str) -> str:
    """What stands below the head: how many are well, and what of this page's robots was delivered."""
    if not roster.robots:
        return ""
    well, alarms = len(roster.robots) - roster.troubled, sum(roster.alarms.values())
    parts = []
    if alarms:
        text = ngettext("%(count)s alerta abierta", "%(count)s alertas abiertas", alarms)
        parts.append(text % {"count": formats.number(alarms, 0, language)})
    parts += [ngettext("%(count)s al día", "%(count)s al día", well) % {"count": formats.number(well, 0, language)}]
    summed = Delivery(
        received=sum(entry.delivery.received for entry in entries),
        expected=sum(entry.delivery.expected for entry in entries),
        missing=sum(entry.delivery.missing for entry in entries),
        gaps=sum(entry.delivery.gaps for entry in entries),
        dropped=sum(entry.delivery.dropped for entry in entries),
    )
    if summed.expected:
        said = {"share": monitor.share(summed, language), "gaps": monitor.gap_words(summed)}
        parts.append(_("Entrega: %(share)s, %(gaps)s") % said)
    return " · ".join(parts)


def chips(counts: Counter[State], language: str) -> list[tuple[State, str, str]]:
    """States that some robot is in: the state, its word, how many."""
    return [(state, str(word), formats.number(counts[state], 0, language)) for state, word in STATES.items() if counts[state]]


def metric_label(name: str, language: str) -> str:
    """A metric with its unit, for the head of a column."""
    metric = metrics.describe(name)
    return f"{metric.label(language)}, {metric.unit}" if metric.unit else metric.label(language)
