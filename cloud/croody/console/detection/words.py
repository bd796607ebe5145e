"""Detection in words and numbers. Pure but for translation; verdicts are worded where the monitor's are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.forms import model_to_dict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms.kinds import SEVERITIES, find
from croody.alarms.models import Alarm
from croody.console.detection.facts import CloudModel, EdgeModel, Found
from croody.console.detection.selection import ALL, RESULTS, Selection
from croody.detection.models import Verdict
from croody.detection.windows.queries import Missed
from croody.monitor import detection_words as monitor
from croody.web import formats

CHIPS: Final[Mapping[str, str | Promise]] = {
    "confirmed": gettext_lazy("Confirmadas"),
    "dismissed": gettext_lazy("Descartadas"),
    "missed": gettext_lazy("No notadas a bordo"),
    "usual": gettext_lazy("Habituales"),
}
LABELS: Final[Mapping[str, str | Promise]] = {"real": gettext_lazy("Era una falla"), "normal": gettext_lazy("Era normal")}
#: Test sets of the card, and what they are.
_SETS: Final[Mapping[str, str | Promise]] = {
    "held_out": gettext_lazy("Tráfico apartado del de entrenamiento"),
    "KDDTest+": gettext_lazy("KDDTest+: otro tráfico, con ataques nuevos"),
    "KDDTest-21": gettext_lazy("KDDTest-21: solo lo difícil"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A verdict with what people said of it. `moment`: when the window was, as an instant."""

    number: int
    said: monitor.VerdictRow
    moment: datetime
    model: str
    label: str
    label_word: str
    label_by: str
    may: bool


def sentence(found: Found, language: str) -> str:
    """The page's answer."""
    if found.incidents:
        count = len(found.incidents)
        text = ngettext("%(count)s posible intrusión sin cerrar", "%(count)s posibles intrusiones sin cerrar", count)
        return text % {"count": formats.number(count, 0, language)}
    count = len({alarm.robot_id for alarm in found.anomalies})
    if not count:
        return _("Ningún robot se aparta de lo habitual")
    text = ngettext("%(count)s robot se aparta de lo habitual", "%(count)s robots se apartan de lo habitual", count)
    return text % {"count": formats.counted(count, language)}


def listed(alarms: Iterable[Alarm], now: datetime, language: str) -> list[dict[str, Any]]:
    """Alarms that are open: whose, why, and since when."""
    return [
        {
            "number": alarm.pk,
            "robot_id": alarm.robot_id,
            "severity": alarm.severity,
            "word": SEVERITIES[alarm.severity],
            "sentence": find(alarm.kind).sentence(alarm.detail, language),
            "at": alarm.opened_at,
            "since": alarm.opened_at.timestamp(),
            "age": formats.age_of(alarm.opened_at, now),
        }
        for alarm in alarms
    ]


def row(verdict: Verdict, may: bool, now: datetime, language: str) -> Row:
    """One verdict."""
    return Row(
        number=verdict.pk,
        said=monitor.verdict(model_to_dict(verdict), now, language),
        moment=verdict.at,
        model=verdict.edge_model,
        label=verdict.label,
        label_word=str(LABELS.get(verdict.label, "")),
        label_by=verdict.label_by,
        may=may,
    )


def people_sentence(people: Missed, language: str) -> str:
    """How often a confirmed window was nothing, by those who looked."""
    if people.share is None:
        return _("Nadie ha dicho todavía si alguna ventana confirmada era una falla: dilo en la lista, y aquí se verá cuánto acierta.")
    text = ngettext(
        "De %(looked)s ventana confirmada que alguien revisó en 30 días, normales: %(normal)s, un %(share)s (con 95 %% de confianza, "
        "entre %(low)s y %(high)s).",
        "De %(looked)s ventanas confirmadas que alguien revisó en 30 días, normales: %(normal)s, un %(share)s (con 95 %% de confianza, "
        "entre %(low)s y %(high)s).",
        people.sampled,
    )
    return text % {
        "looked": formats.number(people.sampled, 0, language),
        "normal": formats.number(people.missed, 0, language),
        "share": formats.share(people.share, language),
        "low": formats.share(people.low, language),
        "high": formats.share(people.high, language),
    }


def chips(asked: Selection) -> list[dict[str, Any]]:
    """Those that somebody may look at, each result, and all."""
    worth = {"word": _("Para mirar"), "result": "", "address": asked.address(result=""), "current": not asked.result}
    every = {"word": _("Todas"), "result": "", "address": asked.address(result=ALL), "current": asked.result == ALL}
    named = [
        {"word": word, "result": result, "address": asked.address(result=result), "current": asked.result == result}
        for result, word in CHIPS.items()
        if result in RESULTS
    ]
    return [worth, *named, every]


def models(found: Found, language: str) -> list[tuple[EdgeModel, str, str]]:
    """Models on board: how many robots, how many windows."""
    return [(one, formats.number(one.robots, 0, language), formats.number(one.windows, 0, language)) for one in found.models]


def card(model: CloudModel, language: str) -> list[dict[str, str]]:
    """How good the model for network connections is, at the budget that ships, by test set. What a card lacks is left out."""
    rows = []
    for name, word in _SETS.items():
        told = (model.metrics or {}).get(name)
        budget = told.get("budgets", {}).get("0.01") if isinstance(told, dict) else None
        if isinstance(budget, dict):
            rare = budget.get("precision_at_prevalence")
            shares = {"recall": budget.get("recall"), "false_alarms": budget.get("false_positive_rate")}
            shares["rare"] = rare.get("0.01") if isinstance(rare, dict) else None
            rows.append({"set": str(word), **{name: _share(value, language) for name, value in shares.items()}})
    return rows


def _share(value: Any, language: str) -> str:
    return formats.share(float(value), language) if isinstance(value, int | float) and not isinstance(value, bool) else ""
