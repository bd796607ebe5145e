"""What the monitor says: states, values and sentences in one language. Asks no database; which state holds is liveness' business."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from croody.live.picture import Text
from croody.live.pieces import digest
from croody.liveness.judge import State
from croody.monitor.entry import Delivery, Entry, as_number
from croody.monitor.gaps import Sign
from croody.monitor.plan import Drawing
from croody.telemetry.read import metrics
from croody.web import formats

WORDS: Final = {
    State.MAINTENANCE: gettext_lazy("Mantenimiento"),
    State.OFF: gettext_lazy("Apagado"),
    State.OFFLINE: gettext_lazy("Sin conexión"),
    State.STALE: gettext_lazy("Atrasado"),
    State.UNKNOWN: gettext_lazy("Sin estrenar"),
    State.MOVING: gettext_lazy("En marcha"),
    State.ONLINE: gettext_lazy("En línea"),
}
#: What a robot says it does -> what people read; a word that is not here is shown as it came.
DOING: Final = {
    "moving": pgettext_lazy("haciendo", "se mueve"),
    "idle": pgettext_lazy("haciendo", "en espera"),
    "charging": pgettext_lazy("haciendo", "cargando"),
    "working": pgettext_lazy("haciendo", "trabaja"),
    "blocked": pgettext_lazy("haciendo", "bloqueado"),
}
#: States that count as there.
THERE: Final = frozenset({State.MOVING, State.ONLINE})
#: States that ask for somebody.
TROUBLED: Final = frozenset({State.STALE, State.OFFLINE})
#: Values that stand in the row itself; the others are one click away.
AT_ONCE: Final = 4
#: So many robots in trouble are named above the list, as far as the line goes; its head counts them all.
NAMED: Final = 8
#: Metrics with a column of their own.
OWN_COLUMN: Final = ("battery_pct", "screen_score")


@dataclass(frozen=True, slots=True)
class Value:
    """A metric with its label, its value as text and its unit. `field`: where the text stands in its row."""

    field: str
    label: str
    text: str
    unit: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A robot on the drawn plan. `side`: where its name has room. `off`: how far beyond the plan it says it is."""

    x: float
    y: float
    heading_deg: float
    side: str
    off: str


@dataclass(frozen=True, slots=True)
class Row:
    """A robot in the list: `texts` is what changes in its place, `shape` what it is made of."""

    robot_id: str
    state: str
    word: str
    doing: str
    at: float | None
    age: str
    values: tuple[Value, ...]
    more: tuple[Value, ...]
    battery: Value | None
    charge: float
    score: Value | None
    delivery: str
    gaps: str
    gap_sign: str
    texts: Mapping[str, Text]
    shape: str


def state_texts(state: State, word: str, also: str = "") -> dict[str, Text]:
    """A state as it stands in a row: its class, its sign and its word. Robots go and stop all day long: no row is drawn again for it."""
    return {"state": f"is-{state.value}{also}", "sign": f"{static('web/icons.svg')}#{state.value}", "word": word}


def row(entry: Entry, now: datetime, language: str, sign: Sign) -> Row:
    """One robot."""
    known = sorted((metrics.describe(name, entry.said) for name in entry.values), key=lambda metric: (metric.rank, metric.name))
    listed = [metric for metric in known if metric.name not in OWN_COLUMN]
    values = [_value(f"v{index}", metric, entry.values[metric.name], language) for index, metric in enumerate(listed)]
    battery = _own("battery", "battery_pct", entry, language)
    score = _own("score", "screen_score", entry, language)
    percent = as_number(entry.values.get("battery_pct"))
    charge = round(max(0.0, min(100.0, percent or 0.0)) * 0.14, 1)
    # What a robot did when it was last heard is no word on now.
    doing = "" if entry.state in (State.OFF, State.OFFLINE) else str(DOING.get(entry.doing or "", entry.doing or ""))
    delivery, gaps = share(entry.delivery, language, sign), gap_words(entry.delivery, sign)
    texts: dict[str, Text] = {"doing": doing, "delivery": delivery, "gaps": gaps, "at": entry.at}
    texts |= state_texts(entry.state, str(WORDS[entry.state]))
    texts |= {one.field: one.text for one in (*values, battery, score) if one is not None}
    if battery is not None:
        texts["charge"] = charge
    # Names of metrics are whatever a robot likes: they are told apart here, never by a browser.
    made_of = (
        language,
        [(metric.name, metric.label(language), metric.unit) for metric in known],
        entry.at is None,
        sign if sign != "young" else "",
    )
    return Row(
        robot_id=entry.robot_id,
        state=entry.state.value,
        word=str(WORDS[entry.state]),
        doing=doing,
        at=entry.at,
        age=formats.age(now.timestamp() - entry.at) if entry.at is not None else formats.NEVER,
        values=tuple(values[:AT_ONCE]),
        more=tuple(values[AT_ONCE:]),
        battery=battery,
        charge=charge,
        score=score,
        delivery=delivery,
        gaps=gaps,
        gap_sign="" if sign == "young" else sign,
        texts=texts,
        shape=digest(made_of),
    )


def _value(field: str, metric: metrics.Metric, raw: Any, language: str) -> Value:
    return Value(field, metric.label(language), metric.text(raw, language), metric.unit)


def share(delivered: Delivery, language: str, sign: Sign = "gap") -> str:
    """`99,998 %`; a dash for who numbers nothing, and so proves nothing. What is on its way is not expected yet."""
    expected = delivered.expected - (delivered.missing if sign == "young" else 0)
    return formats.percent(delivered.received, expected, language) if delivered.expected else formats.NEVER


def gap_words(delivered: Delivery, sign: Sign = "gap") -> str:
    """What the share leaves open."""
    if not delivered.expected:
        return _("sin numerar")
    if delivered.missing and sign != "young":
        return ngettext("%(count)s hueco", "%(count)s huecos", delivered.gaps) % {"count": delivered.gaps}
    if delivered.dropped:
        return ngettext("%(count)s descartada", "%(count)s descartadas", delivered.dropped) % {"count": delivered.dropped}
    return _("sin huecos")


def sentence(counts: Counter[State], language: str) -> str:
    """The answer, as the page's head."""
    total, there = counts.total(), sum(counts[state] for state in THERE)
    if not total:
        return _("Todavía no hay robots aquí")
    numbers = {"there": formats.number(there, 0, language), "total": formats.number(total, 0, language)}
    return ngettext("%(there)s de %(total)s robot en línea", "%(there)s de %(total)s robots en línea", total) % numbers


def aside(counts: Counter[State], language: str) -> str:
    """Who is not there and needs nobody: `2 apagados, 1 sin estrenar`; empty for none."""
    parts = []
    if counts[State.OFF]:
        text = ngettext("%(count)s apagado", "%(count)s apagados", counts[State.OFF])
        parts.append(text % {"count": formats.number(counts[State.OFF], 0, language)})
    if counts[State.UNKNOWN]:
        text = ngettext("%(count)s sin estrenar", "%(count)s sin estrenar", counts[State.UNKNOWN])
        parts.append(text % {"count": formats.number(counts[State.UNKNOWN], 0, language)})
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Attention:
    """What asks for somebody: robots, of which the first are named, and what their team alone may know."""

    head: str
    robots: tuple[str, ...]
    more: bool
    alarms: str = ""
    gaps: str = ""

    @property
    def troubled(self) -> bool:
        """Whether anything does."""
        return bool(self.robots or self.alarms or self.gaps)


def attention(troubled: Iterable[str], language: str, *, alarms: int = 0, gaps: int = 0) -> Attention:
    """Who is late or silent, in the order of the list, which begins with them; and what is open beside that."""
    found = list(troubled)
    alarm_words = gap_text = ""
    if alarms:
        alarm_words = ngettext("%(count)s alerta abierta", "%(count)s alertas abiertas", alarms) % {
            "count": formats.number(alarms, 0, language)
        }
    if gaps:
        gap_text = ngettext("%(count)s robot con huecos", "%(count)s robots con huecos", gaps) % {
            "count": formats.number(gaps, 0, language)
        }
    if found:
        head = ngettext("%(count)s pide atención:", "%(count)s piden atención:", len(found))
        return Attention(
            head % {"count": formats.number(len(found), 0, language)}, tuple(found[:NAMED]), len(found) > NAMED, alarm_words, gap_text
        )
    return Attention("" if alarms or gaps else _("Ninguno pide atención."), (), False, alarm_words, gap_text)


def mark(entry: Entry, drawing: Drawing, language: str) -> Mark | None:
    """The robot on this plan, None when it does not say where it is in metres."""
    if entry.x_m is None or entry.y_m is None:
        return None
    spot = drawing.spot(entry.x_m, entry.y_m)
    heading = round(entry.heading_deg or 0.0, 1) % 360
    # As wide as its letters are on a large screen; the browser knows its own width and corrects this.
    side = side_of(spot.x - drawing.left, drawing.area.w, heading, (22 + 7.6 * len(entry.robot_id)) * 1.1)
    off = _("a %(metres)s m") % {"metres": formats.number(spot.off_m, 1 if spot.off_m < 100 else 0, language)} if spot.off_m else ""
    return Mark(spot.x, spot.y, heading, side, off)


def _own(field: str, name: str, entry: Entry, language: str) -> Value | None:
    return _value(field, metrics.describe(name, entry.said), entry.values[name], language) if name in entry.values else None


def side_of(x: float, width: float, heading_deg: float, room: float) -> str:
    """Where a name stands: ahead of its robot, so that it does not lie on the trail, unless it has no room there."""
    ahead = "left" if 180 < heading_deg < 360 else "right"
    if ahead == "left":
        return "left" if x > room else "right"
    return "right" if x + room < width or x < room else "left"
