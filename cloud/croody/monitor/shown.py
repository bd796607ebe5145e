"""An `Entry` in the words and numbers of one language, for templates. Asks no database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.monitor.digest import Delivery, Entry
from croody.monitor.plan import Drawing
from croody.monitor.words import DOING, THERE, TROUBLED, WORDS
from croody.telemetry.read import metrics
from croody.web import formats

#: Values that stand in the row itself; the others are one click away.
AT_ONCE: Final = 4
#: So many robots in trouble are named above the list, as far as the line goes; its head counts them all.
NAMED: Final = 8
#: Rows on a page of the list.
PAGE: Final = 100
#: Metrics with a column of their own.
OWN_COLUMN: Final = ("battery_pct", "screen_score")


@dataclass(frozen=True, slots=True)
class Value:
    """A metric with its label, its value as text, its unit, and how the browser makes the same text."""

    name: str
    label: str
    text: str
    unit: str
    decimals: int
    factor: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A robot on the drawn plan. `side`: where its name has room."""

    x: float
    y: float
    heading_deg: float
    side: str


@dataclass(frozen=True, slots=True)
class Row:
    """A robot in the list."""

    robot_id: str
    state: str
    word: str
    doing: str
    at: float | None
    age: str
    values: tuple[Value, ...]
    more: tuple[Value, ...]
    keys: str
    battery: Value | None
    battery_width: float
    score: Value | None
    delivery: str
    gaps: str
    gap_sign: str
    mark: Mark | None
    stale: bool
    located: bool


def row(entry: Entry, now: datetime, language: str, drawing: Drawing | None = None) -> Row:
    """One robot. `drawing`: the plan on the page, when the robot is on it."""
    known = sorted((metrics.describe(name) for name in entry.values), key=lambda metric: (metric.rank, metric.name))
    shown = [value(metric, entry.values[metric.name], language) for metric in known if metric.name not in OWN_COLUMN]
    battery = _own("battery_pct", entry.values, language)
    charge = entry.values.get("battery_pct")
    age_s = now.timestamp() - entry.at if entry.at is not None else None
    return Row(
        robot_id=entry.robot_id,
        state=entry.state.value,
        word=str(WORDS[entry.state]),
        doing=str(DOING.get(entry.doing or "", entry.doing or "")),
        at=entry.at,
        age=formats.age(age_s) if age_s is not None else "\u2014",
        values=tuple(shown[:AT_ONCE]),
        more=tuple(shown[AT_ONCE:]),
        keys=" ".join(sorted(entry.values)),
        battery=battery,
        battery_width=round(max(0.0, min(100.0, float(charge))) * 0.14, 1) if battery and isinstance(charge, int | float) else 0.0,
        score=_own("screen_score", entry.values, language),
        delivery=share(entry.delivery, language),
        gaps=gap_words(entry.delivery),
        gap_sign="gap" if entry.delivery.missing else "gone" if entry.delivery.dropped else "",
        mark=_mark(entry, drawing) if drawing else None,
        stale=entry.state in TROUBLED,
        located=entry.lat is not None and entry.lng is not None,
    )


def value(metric: metrics.Metric, raw: Any, language: str) -> Value:
    """One metric of one reading."""
    if isinstance(raw, bool):
        text = _("sí") if raw else _("no")
    elif isinstance(raw, int | float):
        text = formats.number(float(raw) * metric.factor, metric.decimals, language)
    else:
        text = str(raw)
    return Value(metric.name, metric.label(language), text, metric.unit, metric.decimals, metric.factor)


def share(delivered: Delivery, language: str) -> str:
    """`99,998 %`; a dash for who numbers nothing, and so proves nothing."""
    return formats.percent(delivered.received, delivered.expected, language) if delivered.expected else "\u2014"


def gap_words(delivered: Delivery) -> str:
    """What the share leaves open."""
    if not delivered.expected:
        return _("sin numerar")
    if delivered.missing:
        return ngettext("%(count)s hueco", "%(count)s huecos", delivered.gaps) % {"count": delivered.gaps}
    if delivered.dropped:
        return ngettext("%(count)s descartada", "%(count)s descartadas", delivered.dropped) % {"count": delivered.dropped}
    return _("sin huecos")


def sentence(entries: Iterable[Entry], language: str) -> str:
    """The answer, as the page's head."""
    states = [entry.state for entry in entries]
    total, there = len(states), sum(state in THERE for state in states)
    if not total:
        return _("Todavía no hay robots aquí")
    numbers = {"there": formats.number(there, 0, language), "total": formats.number(total, 0, language)}
    return ngettext("%(there)s de %(total)s robot en línea", "%(there)s de %(total)s robots en línea", total) % numbers


@dataclass(frozen=True, slots=True)
class Attention:
    """Robots that ask for somebody: how many, and the first ones with the page of the list that has them."""

    head: str
    robots: tuple[tuple[str, int], ...]
    more: bool


def attention(entries: Iterable[Entry], language: str) -> Attention:
    """Who is late or silent, in the order of the list."""
    found = [(entry.robot_id, index // PAGE + 1) for index, entry in enumerate(entries) if entry.state in TROUBLED]
    if not found:
        return Attention(_("Ninguno pide atención."), (), False)
    head = ngettext("%(count)s pide atención:", "%(count)s piden atención:", len(found))
    return Attention(head % {"count": formats.number(len(found), 0, language)}, tuple(found[:NAMED]), len(found) > NAMED)


def words() -> dict[str, Any]:
    """What the browser needs to say the same by itself."""
    return {
        "states": {state.value: str(word) for state, word in WORDS.items()},
        "there": [state.value for state in THERE],
        "doing": {key: str(word) for key, word in DOING.items()},
        "none": _("Todavía no hay robots aquí"),
        "sentence": [
            ngettext("%(there)s de %(total)s robot en línea", "%(there)s de %(total)s robots en línea", 1),
            ngettext("%(there)s de %(total)s robot en línea", "%(there)s de %(total)s robots en línea", 2),
        ],
        "troubled": [state.value for state in TROUBLED],
        "attention": [
            _("Ninguno pide atención."),
            ngettext("%(count)s pide atención:", "%(count)s piden atención:", 1),
            ngettext("%(count)s pide atención:", "%(count)s piden atención:", 2),
        ],
        "named": NAMED,
        "rows": PAGE,
        "gap": [ngettext("%(count)s hueco", "%(count)s huecos", 1), ngettext("%(count)s hueco", "%(count)s huecos", 2)],
        "dropped": [
            ngettext("%(count)s descartada", "%(count)s descartadas", 1),
            ngettext("%(count)s descartada", "%(count)s descartadas", 2),
        ],
        "noGaps": _("sin huecos"),
        "unnumbered": _("sin numerar"),
        "yes": _("sí"),
        "no": _("no"),
        "page": _("Robots en vivo"),
        "ago": _("hace %(age)s"),
        "lost": _("Sin conexión con Croody desde %(clock)s."),
        "database": _("Croody no puede leer su base de datos desde %(clock)s."),
        "deaf": _("Croody no recibe a los robots desde %(clock)s."),
        "old": _("Lo que ves tiene %(age)s. Los robots guardan sus lecturas y las envían al volver."),
        "retryIn": _("Nuevo intento en %(seconds)s s"),
        "retrying": _("Intentando"),
        "back": _("Al día otra vez: cambiaron %(count)s robots."),
        "backOne": _("Al día otra vez."),
        "paused": _("Vista congelada a las %(clock)s."),
        "waiting": [
            ngettext("%(count)s cambio espera.", "%(count)s cambios esperan.", 1),
            ngettext("%(count)s cambio espera.", "%(count)s cambios esperan.", 2),
        ],
        "pause": _("Pausar"),
        "resume": _("Seguir"),
        "newest": _("último dato hace %(age)s"),
    }


def _own(name: str, values: Mapping[str, Any], language: str) -> Value | None:
    return value(metrics.describe(name), values[name], language) if name in values else None


def _mark(entry: Entry, drawing: Drawing) -> Mark | None:
    if entry.x_m is None or entry.y_m is None:
        return None
    x, y = drawing.place(entry.x_m, entry.y_m)
    heading = round(entry.heading_deg or 0.0, 1) % 360
    # As wide as its letters are on a large screen; the browser knows its own width and corrects this.
    side = side_of(entry.x_m * drawing.scale, drawing.area.w, heading, (22 + 7.6 * len(entry.robot_id)) * 1.1)
    return Mark(x, y, heading, side)


def side_of(x: float, width: float, heading_deg: float, room: float) -> str:
    """Where a name stands: ahead of its robot, so that it does not lie on the trail, unless it has no room there."""
    ahead = "left" if 180 < heading_deg < 360 else "right"
    if ahead == "left":
        return "left" if x > room else "right"
    return "right" if x + room < width or x < room else "left"
