"""What the page of one robot says, in one language. Asks no database; numbers come from `web.formats`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms import kinds
from croody.alarms.kinds import End
from croody.alarms.models import Alarm
from croody.alarms.storms import kind_of
from croody.audit.models import Entry as Audited
from croody.commands.models import Outgoing
from croody.console.fleet.words import STATES
from croody.console.robot.facts import AgentLog, Now, Queue, Slow
from croody.console.robot.limits import Limit, Limits
from croody.console.robot.log import Item
from croody.live.picture import Text
from croody.liveness.judge import THRESHOLDS, State
from croody.monitor import words as monitor
from croody.monitor.entry import PLACE, as_number
from croody.telemetry import kinds as telemetry_kinds
from croody.telemetry.models import DeadLetter, Picture
from croody.telemetry.read import metrics
from croody.telemetry.read.day import CELL_S, Cell, Day
from croody.telemetry.read.told import Told
from croody.telemetry.read.usual import Range
from croody.web import formats
from croody_contract.ranges import count

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
#: Tiles in sight; the others are one click away.
AT_ONCE: Final = 12
#: Where a bar begins and ends beyond what is usual, of its width.
_PAD: Final = 0.15
#: Fewer records than this are on their way, and no queue.
_WORTH: Final = 50
ANSWERS: Final[Mapping[str, str | Promise]] = {
    "": gettext_lazy("en cola"),
    "received": gettext_lazy("recibida"),
    "done": gettext_lazy("cumplida"),
    "refused": gettext_lazy("rechazada"),
    "expired": gettext_lazy("vencida"),
}
ORDERS: Final[Mapping[str, str | Promise]] = {"logs": gettext_lazy("Pedir las últimas líneas del agente")}
VERBS: Final[Mapping[str, str | Promise]] = {
    "add": gettext_lazy("Robot agregado"),
    "bring_back": gettext_lazy("Robot traído de vuelta"),
    "rotate": gettext_lazy("Secreto cambiado"),
    "revoke": gettext_lazy("Robot revocado"),
    "label": gettext_lazy("Nombre cambiado"),
    "tag": gettext_lazy("Etiquetas cambiadas"),
    "note": gettext_lazy("Notas cambiadas"),
    "move": gettext_lazy("Cambiado de sitio"),
    "share": gettext_lazy("Compartido con el público"),
    "unshare": gettext_lazy("Ya no se comparte con el público"),
    "start_maintenance": gettext_lazy("Mantenimiento iniciado"),
    "end_maintenance": gettext_lazy("Mantenimiento terminado"),
}
SIGNS: Final[Mapping[str, str | Promise]] = {
    "": gettext_lazy("nada numerado"),
    "whole": gettext_lazy("completo"),
    "late": gettext_lazy("rellenado después"),
    "missing": gettext_lazy("faltan, pedidas de nuevo"),
    "lost": gettext_lazy("perdidas"),
}
REASONS: Final[Mapping[str, str | Promise]] = {
    "thinned": gettext_lazy("su archivo de salida estaba lleno"),
    "corrupt": gettext_lazy("su disco devolvió otros datos"),
    "unknown": gettext_lazy("ya no las tenía"),
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


@dataclass(frozen=True, slots=True)
class Tile:
    """A value with its range. `x`, `from_x` and `width` are parts of a bar of 100; -1 for no bar."""

    name: str
    field: str
    label: str
    text: str
    unit: str
    x: float
    from_x: float
    width: float
    usual: str
    old: bool
    limit: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Square:
    """A cell of the day."""

    sign: str
    x: int
    title: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The day in cells, and what it comes to."""

    share: str
    note: str
    squares: tuple[Square, ...]
    signs: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, str, str], ...]
    first: datetime
    last: datetime


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


def tiles(now_: Now, slow: Slow, now: datetime, language: str) -> list[Tile]:
    """Every value of the newest reading, what counts most first."""
    values = now_.entry.values
    known = sorted((metrics.describe(name) for name in values if name not in PLACE), key=lambda metric: (metric.rank, metric.name))
    old = is_old(now_, now)
    ranges, limits = slow.usual, slow.limits
    return [
        _limited(_tile(f"v{place}", one, values[one.name], ranges.get(one.name), language, old), one, values[one.name], limits, language)
        for place, one in enumerate(known)
    ]


def _limited(tile: Tile, metric: metrics.Metric, raw: Any, limits: Limits, language: str) -> Tile:
    """With the limits that rules set to it."""
    mine, number = limits.get(metric.name, ()), as_number(raw)
    if not mine:
        return tile
    over = number is not None and any(limit.broken_by(number) for limit in mine)
    return replace(tile, limit=" · ".join(limit_text(metric, limit, language) for limit in mine), over=over)


def limit_text(metric: metrics.Metric, limit: Limit, language: str) -> str:
    """`límite 80`, as it stands beside a value and on its line."""
    text = _("límite %(value)s") if limit.above else _("mínimo %(value)s")
    return text % {"value": value_text(metric, limit.value, language)}


def _tile(field: str, metric: metrics.Metric, raw: Any, range_: Range | None, language: str, old: bool) -> Tile:
    number = as_number(raw)
    x = from_x = width = -1.0
    usual = ""
    if number is not None and range_ is not None:
        low, high = _domain(metric, range_)
        x, from_x = _place(number, low, high), _place(range_.low, low, high)
        width = max(1.0, _place(range_.high, low, high) - from_x)
        texts = {"low": value_text(metric, range_.low, language), "high": value_text(metric, range_.high, language)}
        usual = _("24 h: %(low)s a %(high)s") % texts
    return Tile(metric.name, field, metric.label(language), value_text(metric, raw, language), metric.unit, x, from_x, width, usual, old)


def _domain(metric: metrics.Metric, range_: Range) -> tuple[float, float]:
    """What a bar spans: all of it for a share, else what is usual and some room beside it."""
    if metric.unit == "%" and range_.low >= 0 and range_.high <= 100:
        return 0.0, 100.0
    room = (range_.high - range_.low) * _PAD or max(abs(range_.high) * _PAD, 1.0)
    return range_.low - room, range_.high + room


def _place(value: float, low: float, high: float) -> float:
    return round(max(0.0, min(1.0, (value - low) / (high - low))) * 98, 1)


def value_text(metric: metrics.Metric, raw: Any, language: str) -> str:
    """A value as people read it, without its unit."""
    known = metric.name in metrics.METRICS or metric.unit
    decimals = metric.decimals if known else None
    return formats.value(metric.said(raw, language), decimals, language, factor=metric.factor, yes=_("sí"), no=_("no"))


def tile_texts(shown: Sequence[Tile], at: float | None) -> dict[str, Text]:
    """What changes in their place."""
    texts: dict[str, Text] = {"at": at}
    for tile in shown:
        texts[tile.field] = tile.text
        if tile.x >= 0:
            texts[f"{tile.field}x"] = tile.x
    return texts


# The log


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
    return str(VERBS.get(entry.verb, entry.verb)), entry.name


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


# Delivery


def ledger(now_: Now, day: Day, language: str) -> Ledger:
    """24 hours in cells, and the numbers of all that it ever numbered."""
    delivered = now_.entry.delivery
    squares = tuple(Square(cell.sign, 10 * index, _cell(cell, language)) for index, cell in enumerate(day.cells))
    there = {cell.sign for cell in day.cells}
    signs = tuple((sign, str(word)) for sign, word in SIGNS.items() if sign in there)

    def number(value: int) -> str:
        return formats.number(value, 0, language)

    numbers = (
        ("received", _("Recibidas"), number(delivered.received)),
        ("missing", _("Faltan ahora"), number(delivered.missing)),
        ("lost", _("Perdidas"), number(delivered.dropped)),
    )
    return Ledger(
        share=monitor.share(delivered, language),
        note=_("de todo lo que numeró, probado por secuencia") if delivered.expected else _("sin numerar: nada prueba que esté completo"),
        squares=squares,
        signs=signs,
        numbers=numbers,
        first=day.cells[0].start,
        last=day.cells[-1].start + timedelta(seconds=CELL_S),
    )


def _cell(cell: Cell, language: str) -> str:
    texts = {
        "from": f"{cell.start:%H:%M}",
        "to": f"{cell.start + timedelta(seconds=CELL_S):%H:%M}",
        "count": formats.number(cell.count, 0, language),
        "sign": str(SIGNS[cell.sign]),
    }
    text = ngettext("%(from)s a %(to)s UTC: %(count)s lectura, %(sign)s", "%(from)s a %(to)s UTC: %(count)s lecturas, %(sign)s", cell.count)
    return text % texts


def queue(found: Queue | None, rate: float | None, language: str) -> tuple[str, str]:
    """What still lies on the robot, and when it will be here. `rate`: records a second that it has sent of it; None: not known yet."""
    if found is None:
        return "", ""
    if not found.records:
        return _("Nada por enviar"), ""
    text = ngettext("%(count)s registro sigue en el robot", "%(count)s registros siguen en el robot", found.records)
    said = text % {"count": formats.number(found.records, 0, language)}
    if found.records < _WORTH:
        return said, ""
    if rate is None:
        return said, _("Su ritmo se sabe con su próximo latido, en unos 30 s.")
    if rate <= 0:
        return said, _("A este ritmo no llega: entra tanto como sale, o no está enviando.")
    return said, _("Al ritmo de ahora llega en %(age)s.") % {"age": formats.age(found.records / rate)}


# Its agent's own log, and its cameras


@dataclass(frozen=True, slots=True)
class LogShown:
    """`told`: what became of the last request; `pending`: its answer may still come."""

    can: bool
    lines: tuple[str, ...]
    moment: datetime | None
    told: str
    asked: datetime | None
    pending: bool


def agent_log(found: AgentLog, now: datetime) -> LogShown:
    """As it stands on the page."""
    told, pending = "", False
    if found.asked is not None:
        late = not found.asked.answered_at and found.asked.expires_at <= now
        pending = not found.asked.answered_at and not late
        told = str(ANSWERS["expired"] if late else ANSWERS.get(found.asked.answer_state, found.asked.answer_state))
    return LogShown(found.can, found.lines, found.at, told, found.asked.created_at if found.asked is not None else None, pending)


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a camera: how old it is is said beside it, for it is never live. `at`: unix seconds."""

    number: int
    camera: str
    at: float
    age: str
    moment: datetime
    width: int
    height: int


def shot(picture: Picture, now: datetime) -> Shot:
    """One."""
    age = formats.age_of(picture.at, now)
    return Shot(picture.pk, picture.camera, picture.at.timestamp(), age, picture.at, picture.width, picture.height)


# The rest


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A dead letter."""

    number: int
    reason: str
    detail: str
    moment: datetime
    times: str
    replayed: datetime | None


def letter(row: DeadLetter, language: str) -> LetterRow:
    """One that could not be stored; its reason and detail are a machine's words, whole."""
    return LetterRow(row.pk, row.reason, row.detail, row.received_at, formats.number(row.count, 0, language), row.replayed_at)
