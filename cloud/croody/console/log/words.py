"""Entries of the audit log in one language. Pure: what nobody foresaw is shown as it was written down."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from croody.accounts.roles import SCOPES as SCOPE_WORDS
from croody.accounts.roles import WORDS as ROLE_WORDS
from croody.alarms import kinds
from croody.alarms.kinds import SEVERITIES
from croody.audit.models import Entry
from croody.console.alerts.words import SCOPES
from croody.console.detection.words import LABELS
from croody.console.log.selection import Selection
from croody.console.rules.words import CHANNELS, KINDS
from croody.telemetry.kinds import robots_word
from croody.web import formats
from croody.web.moments import filled, moment

#: What kind of thing -> what people call it. The order is that of the choice above the list.
THINGS: Final[Mapping[str, str | Promise]] = {
    "robot": gettext_lazy("Robot"),
    "group": gettext_lazy("Grupo de placas"),
    "site": gettext_lazy("Sitio"),
    "alarm": gettext_lazy("Alerta"),
    "dead_letter": gettext_lazy("Carta muerta"),
    "member": gettext_lazy("Miembro"),
    "person": gettext_lazy("Persona"),
    "token": gettext_lazy("Clave"),
    "login_link": gettext_lazy("Enlace de entrada"),
    "second_factor": gettext_lazy("Segundo factor"),
    "session": gettext_lazy("Sesión"),
    "invitation": gettext_lazy("Invitación"),
    "organisation": gettext_lazy("Organización"),
    "rule": gettext_lazy("Regla"),
    "channel": gettext_lazy("Canal de avisos"),
    "browser": gettext_lazy("Navegador"),
    "exception": gettext_lazy("Falsa alarma"),
    "shift": gettext_lazy("Turno"),
    "verdict": gettext_lazy("Veredicto"),
    "incident": gettext_lazy("Incidente"),
    "incident_exception": gettext_lazy("Excepción de incidentes"),
    "calibration": gettext_lazy("Calibración"),
    "capture": gettext_lazy("Captura"),
    "model": gettext_lazy("Modelo"),
    "order": gettext_lazy("Pedido"),
    "product": gettext_lazy("Producto"),
    "seller": gettext_lazy("Vendedor"),
    "tax": gettext_lazy("Impuesto"),
    "shippingrate": gettext_lazy("Entrega"),
    "coupon": gettext_lazy("Cupón"),
    "outage": gettext_lazy("Aviso de estado"),
}
#: What was done to what -> the act. `%(id)s` is which one.
ACTS: Final[Mapping[tuple[str, str], str | Promise]] = {
    ("add", "robot"): gettext_lazy("Agregó el robot %(id)s"),
    ("bring_back", "robot"): gettext_lazy("Trajo de vuelta el robot %(id)s"),
    ("claim", "robot"): gettext_lazy("Hizo un pase para el robot %(id)s"),
    ("revoke_claim", "robot"): gettext_lazy("Anuló el pase del robot %(id)s"),
    ("claim", "group"): gettext_lazy("Hizo un pase para el grupo %(id)s"),
    ("revoke_claim", "group"): gettext_lazy("Anuló el pase del grupo %(id)s"),
    ("enrol", "robot"): gettext_lazy("Una placa entró como el robot %(id)s"),
    ("rotate", "robot"): gettext_lazy("Dio un secreto nuevo al robot %(id)s"),
    ("ask_rotate", "robot"): gettext_lazy("Pidió al robot %(id)s que cambie su secreto"),
    ("rotate_itself", "robot"): gettext_lazy("El robot %(id)s cambió su secreto él mismo"),
    ("keep_secret", "robot"): gettext_lazy("El robot %(id)s no cambió su secreto: vale el de antes"),
    ("revoke", "robot"): gettext_lazy("Revocó el robot %(id)s"),
    ("label", "robot"): gettext_lazy("Cambió el nombre del robot %(id)s"),
    ("tag", "robot"): gettext_lazy("Cambió las etiquetas del robot %(id)s"),
    ("note", "robot"): gettext_lazy("Cambió las notas del robot %(id)s"),
    ("start_maintenance", "robot"): gettext_lazy("Puso en mantenimiento el robot %(id)s"),
    ("end_maintenance", "robot"): gettext_lazy("Terminó el mantenimiento del robot %(id)s"),
    ("move", "robot"): gettext_lazy("Pasó el robot %(id)s a otro sitio"),
    ("share", "robot"): gettext_lazy("Hizo público el robot %(id)s"),
    ("unshare", "robot"): gettext_lazy("Dejó de hacer público el robot %(id)s"),
    ("logs", "robot"): gettext_lazy("Pidió al robot %(id)s las últimas líneas de su agente"),
    ("acknowledge", "alarm"): gettext_lazy("Se hizo cargo de la alerta %(id)s"),
    ("assign", "alarm"): gettext_lazy("Asignó la alerta %(id)s"),
    ("snooze", "alarm"): gettext_lazy("Pospuso la alerta %(id)s"),
    ("close", "alarm"): gettext_lazy("Cerró la alerta %(id)s"),
    ("false", "alarm"): gettext_lazy("Dijo que la alerta %(id)s era falsa"),
    ("comment", "alarm"): gettext_lazy("Comentó la alerta %(id)s"),
    ("reopen", "alarm"): gettext_lazy("Volvió a abrir la alerta %(id)s"),
    ("undo", "alarm"): gettext_lazy("Deshizo lo último en la alerta %(id)s"),
    ("end", "exception"): gettext_lazy("Terminó la falsa alarma %(id)s: vuelve a avisar"),
    ("take", "shift"): gettext_lazy("Tomó el turno"),
    ("keep", "model"): gettext_lazy("Entrenó el modelo %(id)s"),
    ("shadow", "model"): gettext_lazy("Puso a la sombra el modelo %(id)s: juzga y no avisa"),
    ("promote", "model"): gettext_lazy("Promovió el modelo %(id)s: lo que sospecha avisa"),
    ("stop", "model"): gettext_lazy("Dejó de usar el modelo %(id)s"),
    ("label", "verdict"): gettext_lazy("Dijo qué era la ventana %(id)s"),
    ("add", "rule"): gettext_lazy("Hizo la regla %(id)s"),
    ("change", "rule"): gettext_lazy("Cambió la regla %(id)s"),
    ("delete", "rule"): gettext_lazy("Borró la regla %(id)s"),
    ("bring_back", "rule"): gettext_lazy("Trajo de vuelta la regla %(id)s"),
    ("add", "channel"): gettext_lazy("Hizo el canal de avisos %(id)s"),
    ("change", "channel"): gettext_lazy("Cambió el canal de avisos %(id)s"),
    ("delete", "channel"): gettext_lazy("Borró el canal de avisos %(id)s"),
    ("test", "channel"): gettext_lazy("Probó el canal de avisos %(id)s"),
    ("add", "browser"): gettext_lazy("Apuntó un navegador para sus avisos"),
    ("delete", "browser"): gettext_lazy("Quitó un navegador de sus avisos"),
    ("add", "site"): gettext_lazy("Hizo el sitio %(id)s"),
    ("change", "site"): gettext_lazy("Cambió el sitio %(id)s"),
    ("delete", "site"): gettext_lazy("Borró el sitio %(id)s"),
    ("add", "organisation"): gettext_lazy("Hizo la organización %(id)s"),
    ("change", "organisation"): gettext_lazy("Cambió la organización %(id)s"),
    ("invite", "invitation"): gettext_lazy("Invitó a %(id)s"),
    ("revoke", "invitation"): gettext_lazy("Retiró la invitación de %(id)s"),
    ("end", "session"): gettext_lazy("Cerró otras sesiones de %(id)s"),
    ("sign_up", "person"): gettext_lazy("Abrió la cuenta %(id)s"),
    ("reset_password", "person"): gettext_lazy("Puso otra contraseña a %(id)s por un enlace del correo"),
    ("change_email", "person"): gettext_lazy("Cambió el correo de %(id)s"),
    ("confirm_email", "person"): gettext_lazy("Confirmó el correo de %(id)s"),
    ("add", "second_factor"): gettext_lazy("Agregó un segundo factor a %(id)s"),
    ("remove", "second_factor"): gettext_lazy("Quitó un segundo factor a %(id)s"),
    ("reset", "second_factor"): gettext_lazy("Hizo códigos nuevos para %(id)s"),
    ("forget", "second_factor"): gettext_lazy("Quitó todos los segundos factores a %(id)s"),
    ("replay", "dead_letter"): gettext_lazy("Volvió a juzgar la carta muerta %(id)s"),
    ("discard", "dead_letter"): gettext_lazy("Descartó la carta muerta %(id)s"),
    ("add", "member"): gettext_lazy("Sumó a %(id)s a la organización"),
    ("change_role", "member"): gettext_lazy("Cambió el papel de %(id)s"),
    ("remove", "member"): gettext_lazy("Sacó a %(id)s de la organización"),
    ("add", "person"): gettext_lazy("Hizo la cuenta de %(id)s"),
    ("log_in", "person"): gettext_lazy("Entró como %(id)s"),
    ("log_out", "person"): gettext_lazy("Salió de la cuenta %(id)s"),
    ("lock_out", "person"): gettext_lazy("Falló tantas veces que la cuenta %(id)s se cerró un rato"),
    ("fail_second_factor", "person"): gettext_lazy("Falló el segundo factor de %(id)s"),
    ("change_password", "person"): gettext_lazy("Cambió la contraseña de %(id)s"),
    ("make", "token"): gettext_lazy("Hizo la clave %(id)s"),
    ("revoke", "token"): gettext_lazy("Revocó la clave %(id)s"),
    ("ask_to_leave", "person"): gettext_lazy("Pidió borrar la cuenta %(id)s"),
    ("stay", "person"): gettext_lazy("Se quedó: no borra la cuenta %(id)s"),
    ("leave", "person"): gettext_lazy("Se borró la cuenta %(id)s, que lo había pedido"),
    ("order", "order"): gettext_lazy("Hizo el pedido %(id)s"),
    ("pay", "order"): gettext_lazy("Anotó el pago del pedido %(id)s"),
    ("prepare", "order"): gettext_lazy("Empezó a preparar el pedido %(id)s"),
    ("ship", "order"): gettext_lazy("Envió el pedido %(id)s"),
    ("deliver", "order"): gettext_lazy("Dio por entregado el pedido %(id)s"),
    ("cancel", "order"): gettext_lazy("Canceló el pedido %(id)s"),
    ("refund", "order"): gettext_lazy("Devolvió el pedido %(id)s"),
    ("add", "product"): gettext_lazy("Puso a la venta %(id)s"),
    ("change", "product"): gettext_lazy("Cambió el producto %(id)s"),
    ("picture", "product"): gettext_lazy("Agregó una imagen de %(id)s"),
    ("remove_picture", "product"): gettext_lazy("Quitó una imagen de %(id)s"),
    ("picture", "person"): gettext_lazy("Cambió la imagen de %(id)s"),
    ("remove_picture", "person"): gettext_lazy("Quitó la imagen de %(id)s"),
    ("address", "person"): gettext_lazy("Cambió las direcciones de %(id)s"),
    ("stock", "product"): gettext_lazy("Cambió el almacén de %(id)s"),
    ("verdict", "incident"): gettext_lazy("Dijo qué fue el incidente %(id)s"),
    ("end", "incident_exception"): gettext_lazy("Terminó la excepción de incidentes %(id)s"),
    ("keep", "calibration"): gettext_lazy("Guardó qué es habitual en un sitio, calibración %(id)s"),
    ("confirm", "calibration"): gettext_lazy("Dio por buena la calibración %(id)s"),
    ("fetch", "capture"): gettext_lazy("Descargó la captura %(id)s"),
    ("make", "login_link"): gettext_lazy("Hizo un enlace de entrada para %(id)s"),
}
#: What was done, as the choice above the list says it.
VERBS: Final[Mapping[str, str | Promise]] = {
    "add": gettext_lazy("agregar"),
    "bring_back": gettext_lazy("traer de vuelta"),
    "claim": gettext_lazy("hacer un pase"),
    "fetch": gettext_lazy("descargar"),
    "revoke_claim": gettext_lazy("anular un pase"),
    "enrol": gettext_lazy("dejar entrar"),
    "change": gettext_lazy("cambiar"),
    "change_password": gettext_lazy("cambiar contraseña"),
    "change_role": gettext_lazy("cambiar papel"),
    "acknowledge": gettext_lazy("hacerse cargo"),
    "assign": gettext_lazy("asignar"),
    "snooze": gettext_lazy("posponer"),
    "close": gettext_lazy("cerrar"),
    "false": gettext_lazy("decir falsa"),
    "comment": gettext_lazy("comentar"),
    "reopen": gettext_lazy("volver a abrir"),
    "undo": gettext_lazy("deshacer"),
    "end": gettext_lazy("terminar"),
    "take": gettext_lazy("tomar"),
    "test": gettext_lazy("probar"),
    "invite": gettext_lazy("invitar"),
    "forget": gettext_lazy("quitar del todo"),
    "reset": gettext_lazy("renovar códigos"),
    "sign_up": gettext_lazy("abrir cuenta"),
    "reset_password": gettext_lazy("contraseña por correo"),
    "change_email": gettext_lazy("cambiar correo"),
    "confirm_email": gettext_lazy("confirmar correo"),
    "logs": gettext_lazy("pedir líneas"),
    "delete": gettext_lazy("borrar"),
    "discard": gettext_lazy("descartar"),
    "fail_second_factor": gettext_lazy("fallar el segundo factor"),
    "verdict": gettext_lazy("decir qué fue"),
    "keep": gettext_lazy("guardar"),
    "shadow": gettext_lazy("poner a la sombra"),
    "promote": gettext_lazy("promover"),
    "stop": gettext_lazy("dejar de usar"),
    "confirm": gettext_lazy("dar por bueno"),
    "label": gettext_lazy("poner nombre"),
    "tag": gettext_lazy("etiquetar"),
    "note": gettext_lazy("anotar"),
    "start_maintenance": gettext_lazy("poner en mantenimiento"),
    "end_maintenance": gettext_lazy("terminar mantenimiento"),
    "move": gettext_lazy("mover de sitio"),
    "ask_to_leave": gettext_lazy("pedir borrarse"),
    "stay": gettext_lazy("quedarse"),
    "leave": gettext_lazy("irse"),
    "order": gettext_lazy("pedir"),
    "pay": gettext_lazy("cobrar"),
    "prepare": gettext_lazy("preparar"),
    "ship": gettext_lazy("enviar"),
    "deliver": gettext_lazy("entregar"),
    "cancel": gettext_lazy("cancelar"),
    "refund": gettext_lazy("devolver"),
    "stock": gettext_lazy("cambiar almacén"),
    "picture": gettext_lazy("poner imagen"),
    "remove_picture": gettext_lazy("quitar imagen"),
    "address": gettext_lazy("cambiar direcciones"),
    "share": gettext_lazy("hacer público"),
    "unshare": gettext_lazy("dejar de hacer público"),
    "lock_out": gettext_lazy("quedar fuera por intentos"),
    "log_in": gettext_lazy("entrar"),
    "log_out": gettext_lazy("salir"),
    "make": gettext_lazy("hacer"),
    "remove": gettext_lazy("sacar"),
    "replay": gettext_lazy("volver a juzgar"),
    "revoke": gettext_lazy("revocar"),
    "rotate": gettext_lazy("renovar secreto"),
    "ask_rotate": gettext_lazy("pedir que cambie su secreto"),
    "rotate_itself": gettext_lazy("cambiar su secreto él mismo"),
    "keep_secret": gettext_lazy("seguir con el secreto de antes"),
}
#: As what somebody came, where it is not simply as themselves.
_KINDS: Final[Mapping[str, str | Promise]] = {
    "token": pgettext_lazy("audit", "con una clave"),
    "service": pgettext_lazy("audit", "clave del sitio"),
    "command": pgettext_lazy("audit", "orden en el servidor"),
    "admin": pgettext_lazy("audit", "en /admin/"),
    "robot": pgettext_lazy("audit", "robot"),
}
#: What changed, where people have a word for it. A field that is not here is shown by its name.
FIELDS: Final[Mapping[str, str | Promise]] = {
    "kind": gettext_lazy("clase"),
    "state": gettext_lazy("estado"),
    "change": gettext_lazy("cambio"),
    "price_minor": gettext_lazy("precio en céntimos"),
    "shown": gettext_lazy("a la venta"),
    "site": gettext_lazy("sitio"),
    "shared": gettext_lazy("público"),
    "role": gettext_lazy("papel"),
    "robot": gettext_lazy("robot"),
    "key": gettext_lazy("causa"),
    "label": gettext_lazy("nombre"),
    "tags": gettext_lazy("etiquetas"),
    "notes": gettext_lazy("notas"),
    "reason": gettext_lazy("motivo"),
    "scopes": gettext_lazy("alcances"),
    "stored": gettext_lazy("guardadas"),
    "dead": gettext_lazy("muertas"),
    "expires_at": gettext_lazy("sirve hasta"),
    "fields": gettext_lazy("campos"),
    "superuser": gettext_lazy("puede todo"),
    "name": gettext_lazy("nombre"),
    "to": gettext_lazy("a quién"),
    "text": gettext_lazy("texto"),
    "note": gettext_lazy("nota"),
    "picture": gettext_lazy("imagen"),
    "false": gettext_lazy("falsa"),
    "acknowledged_at": gettext_lazy("reconocida"),
    "resolved_at": gettext_lazy("terminada"),
    "snoozed_until": gettext_lazy("pospuesta hasta"),
    "until": gettext_lazy("hasta"),
    "since": gettext_lazy("desde"),
    "assignee_id": gettext_lazy("la tiene"),
    "suppression": gettext_lazy("número de la falsa alarma"),
    "scope": gettext_lazy("alcance"),
    "held": gettext_lazy("retenidas"),
    "maintenance_by": gettext_lazy("puesto por"),
    "maintenance_reason": gettext_lazy("motivo"),
    "maintenance_since": gettext_lazy("desde"),
    "maintenance_until": gettext_lazy("hasta"),
    "severity": gettext_lazy("gravedad"),
    "enabled": gettext_lazy("encendido"),
    "tells_end": gettext_lazy("avisa también cuando termina"),
    "metric": gettext_lazy("medida"),
    "side": gettext_lazy("lado"),
    "limit": gettext_lazy("límite"),
    "hysteresis": gettext_lazy("margen"),
    "for_s": gettext_lazy("durante, en segundos"),
    "silence_s": gettext_lazy("silencio, en segundos"),
    "window_s": gettext_lazy("ventana, en segundos"),
    "expression": gettext_lazy("expresión"),
    "points": gettext_lazy("puntos"),
    "after_min": gettext_lazy("espera, en minutos"),
    "quiet_from": gettext_lazy("horas tranquilas desde"),
    "quiet_to": gettext_lazy("horas tranquilas hasta"),
    "time_zone": gettext_lazy("zona horaria"),
    "language": gettext_lazy("idioma"),
    "robot_id": gettext_lazy("robot"),
    "claim": gettext_lazy("pase"),
    "serials": gettext_lazy("series"),
    "most": gettext_lazy("cuántas placas"),
    "email": gettext_lazy("correo"),
    "lines": gettext_lazy("líneas"),
    "size": gettext_lazy("tamaño"),
    "where": gettext_lazy("dónde"),
    "plan": gettext_lazy("plano"),
    "asks_second_factor": gettext_lazy("pide un segundo factor"),
    "stream": gettext_lazy("secuencia"),
    "first": gettext_lazy("primer registro"),
    "last": gettext_lazy("último registro"),
    "detail": gettext_lazy("detalle"),
    "count": gettext_lazy("cuántos"),
    "open": gettext_lazy("abiertas"),
}
_SIDES: Final[Mapping[str, str | Promise]] = {
    "above": gettext_lazy("por encima del límite"),
    "below": gettext_lazy("por debajo del límite"),
    "inside": gettext_lazy("cuando entra"),
    "outside": gettext_lazy("cuando sale"),
}
_SCOPES: Final[Mapping[str, str | Promise]] = {scope.value: words.name for scope, words in SCOPE_WORDS.items()}
#: Field -> what its codes are called.
VALUES: Final[Mapping[str, Mapping[str, str | Promise]]] = {
    "severity": SEVERITIES,
    "role": {role.value: words.name for role, words in ROLE_WORDS.items()},
    "side": _SIDES,
    "scope": SCOPES,
    "language": {"es": "Español", "en": "English"},
}
#: The same of one thing alone: the word stands for something else elsewhere.
VALUES_OF: Final[Mapping[tuple[str, str], Mapping[str, str | Promise]]] = {
    ("rule", "kind"): KINDS,
    ("channel", "kind"): {**CHANNELS, "push": gettext_lazy("Navegadores")},
    ("verdict", "label"): LABELS,
}
#: A field of one thing alone.
FIELDS_OF: Final[Mapping[tuple[str, str], str | Promise]] = {("verdict", "label"): gettext_lazy("qué era")}
#: Things whose kind is one of alarms.
_OF_ALARMS: Final = ("alarm", "exception")
#: More than these are not counted.
MOST: Final = 1000
_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as it is read: who, as what they came, what they did and what that changed; `by`: the query for all that they did."""

    entry: Entry
    who: str
    how: str
    act: str
    changes: tuple[str, ...]
    by: str


def row(entry: Entry, people: Mapping[int, str] | None = None) -> Row:
    """One entry. `people`: what those are called whom it names by their number."""
    who = entry.name
    if entry.kind == "anonymous":
        who = _("alguien sin identificar")
    elif entry.kind == "demo":
        who = _("la demostración")
    elif entry.kind == "system":
        who = _("Croody, por sí mismo")
    by = Selection(who=entry.name).address()
    return Row(entry, who, str(_KINDS.get(entry.kind, "")), act(entry), tuple(_changes(entry, people or {})), by)


def act(entry: Entry) -> str:
    """What was done, as a sentence."""
    sentence = ACTS.get((entry.verb, entry.thing))
    if sentence is not None:
        return str(sentence) % {"id": entry.thing_id}
    told = {"verb": VERBS.get(entry.verb, entry.verb), "thing": THINGS.get(entry.thing, entry.thing), "id": entry.thing_id}
    return _("%(thing)s %(id)s: %(verb)s") % told


def sentence(count: int, language: str, *, filtered: bool) -> str:
    """The answer, as the page's head: of the last day, or of what was asked for."""
    told = {"count": formats.counted(count, language)}
    if count >= MOST:
        told = {"count": formats.number(MOST, 0, language)}
        return (_("Más de %(count)s actos así") if filtered else _("Más de %(count)s actos en las últimas 24 horas")) % told
    if filtered:
        return ngettext("%(count)s acto así", "%(count)s actos así", count) % told
    return ngettext("%(count)s acto en las últimas 24 horas", "%(count)s actos en las últimas 24 horas", count) % told


def _changes(entry: Entry, people: Mapping[int, str]) -> list[str]:
    before, after = entry.before, entry.after
    lines: list[str] = []
    for field in dict.fromkeys([*before, *after]):
        was, became = (_said(entry.thing, field, values.get(field), people) for values in (before, after))
        name = FIELDS_OF.get((entry.thing, field)) or FIELDS.get(field, field)
        told = {"field": name, "before": was, "after": became}
        if field in before and field in after:
            lines.append(filled(_("%(field)s: de %(before)s a %(after)s"), told))
        elif field in after:
            if told["after"] != formats.NEVER:
                lines.append(filled(_("%(field)s: %(after)s"), told))
        else:
            lines.append(filled(_("%(field)s: era %(before)s"), told))
    return lines


def _said(thing: str, field: str, value: Any, people: Mapping[int, str]) -> str:
    """In words, where there are any for it."""
    if field == "assignee_id" and isinstance(value, int):
        return people.get(value) or _("la persona %(number)s") % {"number": value}
    if field == "kind" and thing in _OF_ALARMS and isinstance(value, str):
        return alarm_kind(value)
    if field == "open" and isinstance(value, dict):
        return ", ".join(f"{SEVERITIES.get(name, name)} {count}" for name, count in value.items()) or formats.NEVER
    if field == "scopes" and isinstance(value, list):
        return ", ".join(str(_SCOPES.get(str(one), one)) for one in value) or formats.NEVER
    known = VALUES_OF.get((thing, field), {}).get(str(value))
    return str(known) if known is not None else _shown(field, value)


def alarm_kind(code: str) -> str:
    """What a kind of alarm is called; a robot's own word, where nobody knows it, as it wrote it."""
    return str(kinds.declared(code).title) if kinds.is_declared(code) else robots_word(code)


def _shown(field: str, value: Any) -> str:
    if value is None or value in ("", [], {}):
        return formats.NEVER
    if isinstance(value, bool):
        return _("sí") if value else _("no")
    known = VALUES.get(field, {}).get(str(value))
    if known is not None:
        return str(known)
    text = ", ".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else json.dumps(value)
    if field.endswith(("_at", "until", "since")):
        found = _moment(text)
        if found is not None:
            return found
    return text if len(text) <= _CHARS else text[: _CHARS - 1] + "…"


def _moment(text: str) -> SafeString | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment(at.astimezone(UTC), get_language() or "es") if at.tzinfo is not None else None
