"""What happened to it, line by line, and the log of its agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms import kinds
from croody.alarms.storms import kind_of
from croody.audit.models import Entry as Audited
from croody.commands.models import Outgoing
from croody.console.robot.facts import AgentLog
from croody.console.robot.log import Item
from croody.telemetry import kinds as telemetry_kinds
from croody.telemetry.read.events import Told
from croody.web import formats
from croody_contract.ranges import count

ANSWERS: Final[Mapping[str, str | Promise]] = {
    "": gettext_lazy("en cola"),
    "received": gettext_lazy("recibida"),
    "done": gettext_lazy("cumplida"),
    "refused": gettext_lazy("rechazada"),
    "expired": gettext_lazy("vencida"),
}
ORDERS: Final[Mapping[str, str | Promise]] = {
    "logs": gettext_lazy("Pedir las últimas líneas del agente"),
    "rotate": gettext_lazy("Cambiar su secreto él mismo"),
}
VERBS: Final[Mapping[str, str | Promise]] = {
    "add": gettext_lazy("Robot agregado"),
    "bring_back": gettext_lazy("Robot traído de vuelta"),
    "rotate": gettext_lazy("Secreto cambiado"),
    "ask_rotate": gettext_lazy("Se le pidió cambiar su secreto"),
    "rotate_itself": gettext_lazy("Cambió su secreto él mismo"),
    "keep_secret": gettext_lazy("No cambió su secreto: sigue con el de antes"),
    "revoke": gettext_lazy("Robot revocado"),
    "label": gettext_lazy("Nombre cambiado"),
    "tag": gettext_lazy("Etiquetas cambiadas"),
    "note": gettext_lazy("Notas cambiadas"),
    "move": gettext_lazy("Cambiado de sitio"),
    "share": gettext_lazy("Compartido con el público"),
    "unshare": gettext_lazy("Ya no se comparte con el público"),
    "start_maintenance": gettext_lazy("Mantenimiento iniciado"),
    "end_maintenance": gettext_lazy("Mantenimiento terminado"),
    "claim": gettext_lazy("Pase hecho"),
    "revoke_claim": gettext_lazy("Pase anulado"),
    "enrol": gettext_lazy("Una placa entró con su pase"),
}
#: Verbs whose line says what it is now.
_FIELDS: Final[Mapping[str, str]] = {"label": "label", "tag": "tags", "move": "site"}
REASONS: Final[Mapping[str, str | Promise]] = {
    "thinned": gettext_lazy("su archivo de salida estaba lleno"),
    "corrupt": gettext_lazy("su disco devolvió otros datos"),
    "unknown": gettext_lazy("ya no las tenía"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log. `at`: unix seconds; `severity`: of an alarm that opened, empty for others."""

    at: float
    moment: datetime
    letter: str
    word: str
    text: str
    aside: str
    severity: str
    address: str


@dataclass(frozen=True, slots=True)
class LogShown:
    """`told`: what became of the last request; `pending`: its answer may still come."""

    can: bool
    lines: tuple[str, ...]
    moment: datetime | None
    told: str
    asked: datetime | None
    pending: bool


def line(item: Item, language: str) -> Line:
    """One line."""
    word, text, aside, severity, address = "", "", "", "", ""
    if item.alarm is not None:
        word = _("Alerta")
        kind = kind_of(item.alarm)
        if item.over:
            text, aside = _("Terminó: %(what)s") % {"what": kind.title}, ""
        else:
            severity = item.alarm.severity
            text, aside = kind.sentence(item.alarm.detail, language), str(kinds.SEVERITIES[severity])
    elif item.asked is not None:
        word, (text, aside) = _("Orden"), _order(item.asked)
    elif item.changed is not None:
        word, (text, aside) = _("Configuración"), _changed(item.changed)
    elif item.told is not None:
        word = _("Red") if item.letter == "R" else _("Suceso")
        text, aside = _told(item.told, language)
    return Line(item.at.timestamp(), item.at, item.letter, word, text, aside, severity, address)


def _order(asked: Outgoing) -> tuple[str, str]:
    what = str(ORDERS.get(asked.kind, asked.kind))
    said = str(ANSWERS.get(asked.answer_state, asked.answer_state))
    # Why it was refused is a machine's sentence, whole.
    return what, f"{said}: {asked.answer_detail}" if asked.answer_state == "refused" and asked.answer_detail else said


def _changed(entry: Audited) -> tuple[str, str]:
    """An act that somebody is named for; a verb that is not known here is shown as it is."""
    what = str(VERBS.get(entry.verb, entry.verb))
    became = entry.after.get(_FIELDS.get(entry.verb, ""))
    value = ", ".join(became) if isinstance(became, list) else became
    return (_("%(what)s: %(value)s") % {"what": what, "value": value} if value else what), entry.name


def _told(told: Told, language: str) -> tuple[str, str]:
    late = _("llegó después") if told.late else ""
    match told.kind:
        case "born":
            return _("Arrancó su agente, %(agent)s") % {"agent": str(told.data.get("agent", ""))[:64]}, late
        case "tombstone":
            spans = told.data.get("ranges") or []
            gone = count(tuple((int(first), int(last)) for first, last in spans))
            text = ngettext("Dio por perdido %(count)s registro", "Dio por perdidos %(count)s registros", gone)
            return text % {"count": formats.number(gone, 0, language)}, str(REASONS.get(str(told.data.get("reason")), late))
        case "event":
            kind = telemetry_kinds.of_event(str(told.data.get("code", "")))
            if told.data.get("over"):
                return _("Terminó: %(what)s") % {"what": kind.title}, late
            return kind.sentence(told.data.get("detail") or {}, language), late
        case "log":
            lines = len(told.data.get("lines") or ())
            if not lines:
                return _("Su agente no tiene nada escrito en su registro"), late
            text = ngettext("Mandó %(count)s línea de su registro", "Mandó las últimas %(count)s líneas de su registro", lines)
            return text % {"count": formats.number(lines, 0, language)}, late
    return told.kind, late


def agent_log(found: AgentLog, now: datetime) -> LogShown:
    """As it stands on the page."""
    told, pending = "", False
    if found.asked is not None:
        late = not found.asked.answered_at and found.asked.expires_at <= now
        pending = not found.asked.answered_at and not late
        told = str(ANSWERS["expired"] if late else ANSWERS.get(found.asked.answer_state, found.asked.answer_state))
    return LogShown(found.can, found.lines, found.at, told, found.asked.created_at if found.asked is not None else None, pending)
