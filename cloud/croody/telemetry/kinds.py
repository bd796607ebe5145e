"""Alarms of telemetry in words: what the ledger finds, and what robots say in events, of codes we know and of their own."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms import kinds
from croody.alarms.kinds import Detail, End, Kind, Sentence, Text, Together, count, plain, whole
from croody.telemetry.read import metrics
from croody.web import formats

#: A robot's alarm without news for so long is over: what still holds is said again.
EVENT_LASTS: Final = timedelta(hours=24)
#: A conflict comes again with every repeat of the robot that causes it.
CONFLICT_LASTS: Final = timedelta(days=7)
#: Of what an event came with, so much stands in its sentence.
_MOST_VALUES: Final = 3
#: What the job and the pages put beside it: where it came from, and of how many robots it is.
_NOT_SAID: Final = ("stream", "seq", "robots")
#: What a value is, said first in its name: `limit_c`, `before_kg`.
_WORDS: Final[Mapping[str, Text]] = {"limit": gettext_lazy("límite"), "before": gettext_lazy("antes")}
_EVENT_ENDS: Final = frozenset({End.CAUSE, End.PERSON})


def _gap(detail: Detail, language: str) -> str:
    missing = count(detail, "missing")
    text = ngettext(
        "Falta %(count)s registro que el robot numeró; se le pide de nuevo.",
        "Faltan %(count)s registros que el robot numeró; se le piden de nuevo.",
        missing,
    )
    return text % {"count": whole(missing, language)}


def _outbox_corrupt(detail: Detail, language: str) -> str:
    lost = count(detail, "lost_at_most")
    if not lost:
        return _("Su archivo de salida se dañó y se rescató entero: revisa el disco.")
    text = ngettext(
        "Su archivo de salida se dañó; se perdió como mucho %(count)s registro: revisa el disco.",
        "Su archivo de salida se dañó; se perdieron como mucho %(count)s registros: revisa el disco.",
        lost,
    )
    return text % {"count": whole(lost, language)}


def _outbox_refused(detail: Detail, language: str) -> str:
    refused = count(detail, "count")
    if not refused:
        return _("Su disco no aceptó registros: revisa el espacio libre.")
    text = ngettext(
        "Su disco no aceptó %(count)s registro: revisa el espacio libre.",
        "Su disco no aceptó %(count)s registros: revisa el espacio libre.",
        refused,
    )
    return text % {"count": whole(refused, language)}


def _outbox_foreign(detail: Detail, language: str) -> str:
    owner = {"owner": str(detail.get("owner") or "\u2014")}
    return _("Arrancó con el archivo de salida de %(owner)s y lo apartó: revisa si su disco es una copia.") % owner


def _gap_together(robots: int, language: str) -> str:
    text = ngettext(
        "Faltan registros de %(count)s robot; se le piden de nuevo.",
        "Faltan registros de %(count)s robots a la vez; se les piden de nuevo.",
        robots,
    )
    return text % {"count": whole(robots, language)}


def _conflict_together(robots: int, language: str) -> str:
    text = ngettext(
        "De %(count)s robot llegaron registros distintos con el mismo número: revisa si otro robot usa su secreto.",
        "De %(count)s robots llegaron registros distintos con el mismo número: revisa si sus discos son copias.",
        robots,
    )
    return text % {"count": whole(robots, language)}


def event_kind(code: str, severity: str, title: Text, cause: Text, remedy: Text, sentence: Sentence) -> Kind:
    """A kind of what an agent says in an event."""
    return Kind(code, severity, title, cause, remedy, sentence, ends=_EVENT_ENDS, after=EVENT_LASTS)


GAP: Final = Kind(
    code="gap",
    severity="medium",
    title=gettext_lazy("Faltan registros"),
    cause=gettext_lazy("El robot numeró registros que no han llegado."),
    remedy=gettext_lazy("Se le piden de nuevo; si el robot no vuelve más, revócalo."),
    sentence=_gap,
    ends=frozenset({End.CAUSE}),
    together=Together(
        _gap_together,
        cause=gettext_lazy("Lo que enviaron en el mismo rato se perdió por el camino: suele ser la red."),
        remedy=gettext_lazy("Se les piden de nuevo; si no llegan, revisa la red que comparten."),
    ),
)
CONFLICT: Final = Kind(
    code="conflict",
    severity="high",
    title=gettext_lazy("Dos robots con un nombre"),
    cause=gettext_lazy("Llegaron dos registros distintos con el mismo número."),
    remedy=gettext_lazy("Revisa si otro robot usa su secreto."),
    sentence=plain(gettext_lazy("Llegaron dos registros distintos con el mismo número: revisa si otro robot usa su secreto.")),
    ends=frozenset({End.PERSON}),
    after=CONFLICT_LASTS,
    together=Together(
        _conflict_together,
        cause=gettext_lazy("Varios robots arrancaron con una copia del mismo disco, o comparten sus secretos."),
        remedy=gettext_lazy("Da a cada robot su propio secreto y su propio archivo de salida."),
    ),
)
CREDENTIAL_COPIED: Final = Kind(
    code="credential_copied",
    severity="high",
    title=gettext_lazy("Un secreto en dos sitios"),
    cause=gettext_lazy("Dos agentes hablan por turnos como este robot: se copió su disco, su imagen o su secreto."),
    remedy=gettext_lazy("Apaga el que no deba estar y haz un pase nuevo para el otro: el secreto copiado deja de servir."),
    sentence=plain(
        gettext_lazy("Dos agentes hablan por turnos con su secreto: apaga el que no deba estar y haz un pase nuevo para el otro.")
    ),
    ends=frozenset({End.PERSON}),
    # While both are there, each says so every half minute.
    after=timedelta(hours=1),
)
#: Events of our own agent. Their severity holds even when the robot calls them `low`. Screening that has stopped is as bad as the agent
#: says: a model that cannot be used is `medium`, a robot that is slow or lacks a sensor is `low`, which is a note and no alarm.
EVENTS: Final = (
    event_kind(
        "model_refused",
        "medium",
        gettext_lazy("Modelo rechazado"),
        gettext_lazy("El archivo del modelo de revisión está dañado o es de otra versión."),
        gettext_lazy("Vuelve a instalarlo."),
        plain(gettext_lazy("No aceptó un modelo de revisión: vuelve a instalarlo.")),
    ),
    event_kind(
        "outbox_corrupt",
        "high",
        gettext_lazy("Archivo de salida dañado"),
        gettext_lazy("El disco del robot devolvió otros datos que los escritos."),
        gettext_lazy("Revisa el disco."),
        _outbox_corrupt,
    ),
    event_kind(
        "outbox_failed",
        "low",
        gettext_lazy("Archivo de salida ilegible"),
        gettext_lazy("El disco del robot no respondió durante un rato."),
        gettext_lazy("Revisa el disco."),
        plain(gettext_lazy("No pudo leer su archivo de salida durante un rato: revisa el disco.")),
    ),
    event_kind(
        "outbox_foreign",
        "medium",
        gettext_lazy("Archivo de salida ajeno"),
        gettext_lazy("El robot arrancó con el archivo de salida de otro."),
        gettext_lazy("Revisa si su disco es una copia."),
        _outbox_foreign,
    ),
    event_kind(
        "outbox_refused",
        "low",
        gettext_lazy("Disco lleno"),
        gettext_lazy("El disco del robot no aceptó registros."),
        gettext_lazy("Revisa el espacio libre."),
        _outbox_refused,
    ),
    event_kind(
        "screening_stopped",
        "low",
        gettext_lazy("Sin revisión a bordo"),
        gettext_lazy("El modelo de revisión está dañado o esta placa no puede ejecutarlo."),
        gettext_lazy("Instala de nuevo el agente, croody-edge."),
        plain(gettext_lazy("Dejó de revisarse, y lo raro ya no se nota a bordo: instala de nuevo el agente, croody-edge.")),
    ),
    event_kind(
        "source_failed",
        "low",
        gettext_lazy("Sensores sin respuesta"),
        gettext_lazy("El robot no pudo leer sus sensores durante un rato."),
        gettext_lazy("Revisa su conexión."),
        plain(gettext_lazy("No pudo leer sus sensores durante un rato: revisa su conexión.")),
    ),
)
KINDS: Final = (GAP, CONFLICT, CREDENTIAL_COPIED, *EVENTS)
_EVENTS: Final = {kind.code: kind for kind in EVENTS}


_ELSEWHERE: Final[set[str]] = set()


def told_elsewhere(code: str) -> None:
    """An event of which another room makes what a person is told: it raises no alarm of its own."""
    _ELSEWHERE.add(code)


def raises_alarm(code: str) -> bool:
    """Whether an event of this code can be an alarm."""
    return code not in _ELSEWHERE


def register_events(*events: Kind) -> None:
    """Declare events of our own agent that another room has words for, at its start; `alarms.kinds.register` as well."""
    _EVENTS.update((kind.code, kind) for kind in events)


#: What many robots' programs call by these words. Any other word is shown as the robot wrote it.
ROBOTS_WORDS: Final[Mapping[str, Text]] = {
    "battery_critical": gettext_lazy("batería casi agotada"),
    "battery_low": gettext_lazy("batería baja"),
    "battery_overheated": gettext_lazy("batería recalentada"),
    "bumper_hit": gettext_lazy("golpe en el parachoques"),
    "charging_failed": gettext_lazy("no pudo cargar"),
    "collision": gettext_lazy("colisión"),
    "config_changed": gettext_lazy("su configuración cambió"),
    "emergency_stop": gettext_lazy("parada de emergencia"),
    "gripper_jam": gettext_lazy("pinza atascada"),
    "localization_lost": gettext_lazy("no sabe dónde está"),
    "motor_fault": gettext_lazy("falla de un motor"),
    "motor_overheated": gettext_lazy("motor recalentado"),
    "motor_stalled": gettext_lazy("motor trabado"),
    "obstacle": gettext_lazy("obstáculo en el camino"),
    "path_blocked": gettext_lazy("camino bloqueado"),
    "profile_learned": gettext_lazy("aprendió lo habitual de sus sensores"),
    "protective_stop": gettext_lazy("parada de protección"),
    "speed_limited": gettext_lazy("velocidad limitada"),
    "stuck": gettext_lazy("no puede avanzar"),
    "tipped_over": gettext_lazy("se volcó"),
    "wheel_slip": gettext_lazy("una rueda patina"),
    "wheel_worn": gettext_lazy("rueda gastada"),
}


def robots_word(code: str) -> str:
    """A robot's own word of an event as people read it; one that nobody knows is shown as it was written."""
    return str(ROBOTS_WORDS.get(code, code))


def of_event(code: str) -> Kind:
    """The kind of an event's code. A word that the cloud uses for what it finds itself is another one in a robot's mouth."""
    known = _EVENTS.get(code)
    if known is not None:
        return known
    return of_robots_word(f"robot_{code}" if kinds.is_declared(code) else code)


def of_robots_word(code: str) -> Kind:
    """The kind of an event whose code is a robot's own."""

    def sentence(detail: Detail, language: str) -> str:
        values = _values(detail, language)
        if values:
            return _("El robot avisa: %(kind)s (%(values)s).") % {"kind": robots_word(code), "values": values}
        return _("El robot avisa: %(kind)s.") % {"kind": robots_word(code)}

    def together(robots: int, language: str) -> str:
        text = ngettext("%(count)s robot avisa: %(kind)s.", "%(count)s robots avisan a la vez: %(kind)s.", robots)
        return text % {"count": whole(robots, language), "kind": robots_word(code)}

    title = gettext_lazy("Aviso del robot")
    cause = gettext_lazy("El programa del robot mandó un evento con esta palabra.")
    remedy = gettext_lazy("Pregunta a quien programó el robot, y cierra la alerta cuando esté resuelta.")
    many = Together(together, cause, remedy)
    return Kind(code, "medium", title, cause, remedy, sentence, ends=_EVENT_ENDS, after=EVENT_LASTS, together=many)


def _values(detail: Detail, language: str) -> str:
    """`Temp. motor 80,4 °C, límite 80`: the numbers that an event came with, a limit in the unit of what it limits."""
    said = []
    for name in [name for name in detail if name not in _NOT_SAID][:_MOST_VALUES]:
        raw = detail[name]
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            continue
        metric = metrics.describe(name)
        word = _WORDS.get(name.partition("_")[0])
        label = str(word) if word is not None else metric.label(language)
        decimals = metric.decimals if metric.unit and raw != round(raw) else None
        text = formats.with_unit(formats.value(raw, decimals, language, factor=metric.factor, offset=metric.offset), metric.unit)
        said.append(f"{label} {text}")
    return ", ".join(said)
