"""A shift in the words of one language. Asks no database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms import kinds
from croody.alarms.handover import Shift
from croody.alarms.models import Alarm
from croody.alarms.storms import kind_of
from croody.console.alerts import words as alerts
from croody.web import formats
from croody.web.moments import moment

#: How far back the address may ask to look, beside the last time somebody took the shift.
SPANS: Final = {"8h": timedelta(hours=8), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
SPAN_WORDS: Final = {
    "team": gettext_lazy("Desde el último relevo"),
    "mine": gettext_lazy("Desde que lo tomé yo"),
    "8h": gettext_lazy("8 horas"),
    "24h": gettext_lazy("24 horas"),
    "7d": gettext_lazy("7 días"),
}


def sentence(shift: Shift, language: str) -> str:
    """What waits, in a sentence."""
    count = sum(shift.open.values())
    if not count:
        return _("El turno se entrega sin nada abierto")
    text = ngettext("El turno se entrega con %(count)s alerta abierta", "El turno se entrega con %(count)s alertas abiertas", count)
    return text % {"count": formats.number(count, 0, language)}


def figures(shift: Shift, language: str) -> list[str]:
    """What happened, one sentence a thing."""
    opened = sum(shift.opened.values())
    people, alone, false = shift.closed_by_people, shift.closed_by_themselves, shift.false
    said = (
        (ngettext("Se abrió %(count)s alerta", "Se abrieron %(count)s alertas", opened), opened),
        (ngettext("Una persona cerró %(count)s", "Las personas cerraron %(count)s", people), people),
        (ngettext("%(count)s terminó sola", "%(count)s terminaron solas", alone), alone),
        (ngettext("%(count)s llamada falsa alarma", "%(count)s llamadas falsas alarmas", false), false),
    )
    return [text % {"count": formats.number(count, 0, language)} for text, count in said]


def severities(found: Mapping[str, int], language: str) -> str:
    """`1 crítica, 3 altas`."""
    return alerts.grave(found, language)


def waiting(shift: Shift, now: datetime, language: str) -> list[dict[str, Any]]:
    """Each alarm that is open."""
    return [_alarm(alarm, now, language) for alarm in shift.waiting]


def done(shift: Shift, language: str) -> list[dict[str, Any]]:
    """What persons did."""
    return [
        {
            "at": act.at,
            "who": act.by_name or _("alguien"),
            "text": alerts.did(act, language, moments=moment),
            "quote": str(act.said.get("text", "")),
            "number": act.alarm_id,
            "about": _about(act.alarm),
        }
        for act in shift.acts
    ]


def _alarm(alarm: Alarm, now: datetime, language: str) -> dict[str, Any]:
    return {
        "number": alarm.pk,
        "severity": alarm.severity,
        "word": str(kinds.SEVERITIES[alarm.severity]),
        "about": _about(alarm),
        "sentence": kind_of(alarm).sentence(alarm.detail, language),
        "acknowledged": alarm.acknowledged_at is not None,
        "snoozed": alarm.snoozed_until is not None and alarm.snoozed_until > now,
        "at": alarm.opened_at.timestamp(),
        "age": formats.age_of(alarm.opened_at, now),
    }


def _about(alarm: Alarm) -> str:
    title = str(kind_of(alarm).title)
    return f"{alarm.robot_id}: {title}" if alarm.robot_id else title
