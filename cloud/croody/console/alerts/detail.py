"""One alarm beside the list: what its template needs, in one language. Asks no database."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from croody.alarms.storms import STORM, kind_of
from croody.alarms.undo import UNDO_FOR
from croody.console.alerts import arrivals, chart, words
from croody.console.alerts.facts import Evidence
from croody.console.detection import incident_words
from croody.detection.incidents import kinds as incidents
from croody.detection.sensor.findings import capture_of
from croody.monitor import alarm_words
from croody.telemetry.read import metrics


def detail(found: Evidence, now: datetime, language: str, user_id: int | None) -> dict[str, Any]:
    """What the template needs."""
    alarm = found.alarm
    base = alarm_words.row(alarm, found.robots, False, now, language)
    last = next(iter(found.history), None)
    mine = last is not None and last.by_id == user_id and last.undone_at is None and now - last.at <= UNDO_FOR
    return {
        "base": base,
        "token": f"{alarm.pk}.{alarm.revision}",
        "number": alarm.pk,
        "robot_id": alarm.robot_id,
        "many": alarm.kind == STORM.code,
        "place": found.robots.site or found.site,
        "opened_at": alarm.opened_at,
        "last_at": alarm.last_at if alarm.count > 1 else None,
        "resolved_at": alarm.resolved_at,
        "open": alarm.resolved_at is None,
        "acknowledged_at": alarm.acknowledged_at,
        "acknowledged_by": next((act.by_name for act in found.history if act.verb == act.Verb.ACKNOWLEDGE and act.undone_at is None), ""),
        "who": found.names.get(alarm.assignee_id or 0, ""),
        "mine": alarm.assignee_id is not None and alarm.assignee_id == user_id,
        "waits": words.waits(alarm, found.maintained, now),
        "suppressed": alarm.suppressed_by_id is not None,
        "false": alarm.false,
        "may_act": found.may_act,
        "closable": found.closable,
        "people": [{"pk": user.pk, "name": user.get_full_name() or user.get_username()} for user in found.people],
        "assignee_id": alarm.assignee_id,
        "scopes": words.scopes(alarm),
        "signs": incidents.signs(alarm.detail, language) if alarm.kind == incidents.INTRUSION.code else [],
        "incident": _incident(found),
        "capture": alarm.kind == incidents.INTRUSION.code
        and not alarm.robot_id
        and capture_of(str(alarm.detail.get("capture", ""))) is not None,
        "bars": words.bars(found, language),
        "usual": words.usual_of(found) if alarm.robot_id else "",
        "lines": _lines(found, language),
        "around": words.around(),
        "falses": words.falses(found, language),
        "history": words.history(found, language),
        "arrivals": arrivals.drawn(found.arrivals, language),
        "undo": last.pk if last is not None and mine and last.verb != last.Verb.COMMENT and last.revision == alarm.revision else None,
        "ends": base.ends,
        "way": _way(found),
    }


def _incident(found: Evidence) -> dict[str, Any] | None:
    """What can be said of the incident, and what was."""
    one = found.incident
    if one is None or found.alarm.detail.get("many"):
        return None
    return {"number": one.pk, "verdict": incident_words.SAY.get(one.verdict, ""), "by": one.verdict_by, "say": incident_words.SAY.items()}


def _lines(found: Evidence, language: str) -> dict[str, Any] | None:
    """The chart of each metric, on one axis of time."""
    if found.around is None:
        return None
    at = found.around.at
    onset = chart.across(at, found.alarm.opened_at.timestamp())
    made: list[dict[str, Any]] = []
    for line in found.around.lines:
        drawn = chart.draw(line.mean)
        if drawn is None:
            continue
        metric = metrics.describe(line.metric)
        known = [value for value in line.mean if value is not None]
        least, most = words.quantity(metric, min(known), language), words.quantity(metric, max(known), language)
        label = _("%(metric)s, de %(least)s a %(most)s") % {"metric": metric.label(language), "least": least, "most": most}
        made.append({"label": metric.label(language), "said": label, "least": least, "most": most, "drawn": drawn})
    if not made:
        return None
    return {
        "lines": made,
        "holes": any(line["drawn"].holes for line in made),
        "onset": onset,
        "start": found.around.start,
        "end": found.around.end,
        "width": chart.WIDTH,
        "height": chart.HEIGHT,
    }


def _way(found: Evidence) -> dict[str, str] | None:
    """Where one begins to do something about it: the address and the words of a link."""
    alarm = found.alarm
    if not alarm.robot_id:
        return None
    kind = kind_of(alarm)
    if kind.code in {"gap", "conflict", "quota"}:
        return {"address": f"{reverse('monitor_alarms')}?robot={alarm.robot_id}", "words": _("Ver qué falta y qué quedó aparte")}
    return None
