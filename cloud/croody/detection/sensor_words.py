"""What a robot's agent noticed about one of its sensors, in words. Pure but for translation."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.alarms.kinds import Detail, Kind, Sentence, count, whole
from croody.telemetry.kinds import event_kind
from croody.telemetry.read import metrics
from croody.web import formats
from croody_contract.profiles import EVENTS, Rule

#: Rule -> title, cause, remedy, what is said of one metric, and how its numbers are meant.
_WORDS: Final[Mapping[Rule, tuple[str | Promise, str | Promise, str | Promise, str | Promise, str]]] = {
    "missing": (
        gettext_lazy("Un sensor no llega"),
        gettext_lazy("El resto del robot habla y este sensor no, desde hace más de lo que nunca faltó."),
        gettext_lazy("Revisa su cable y el programa que lo lee."),
        gettext_lazy("%(metric)s: sin valor nuevo desde hace %(value)s, y lo aprendido permite %(limit)s."),
        "seconds",
    ),
    "stuck": (
        gettext_lazy("Sensor pegado"),
        gettext_lazy("Repite un mismo valor mucho más tiempo que nunca mientras el robot hacía lo mismo."),
        gettext_lazy("Compara con lo que ves; si el robot se mueve y el valor no, cambia el sensor o reinicia lo que lo lee."),
        gettext_lazy("%(metric)s: el mismo valor desde hace %(value)s, y lo aprendido permite %(limit)s."),
        "seconds",
    ),
    "out_of_range": (
        gettext_lazy("Sensor fuera de rango"),
        gettext_lazy("Da valores que el robot nunca tuvo mientras se aprendió lo habitual, ni cerca."),
        gettext_lazy("Si el valor es cierto, detén el robot y mira por qué; si no, revisa el sensor."),
        gettext_lazy("%(metric)s: %(value)s, lejos de lo aprendido (límite %(limit)s)."),
        "value",
    ),
    "jump": (
        gettext_lazy("Salto imposible de un sensor"),
        gettext_lazy("De una lectura a otra cambió más de lo que puede, y se quedó ahí."),
        gettext_lazy("Revisa si alguien lo cambió o lo calibró; si no, revisa su cable."),
        gettext_lazy("%(metric)s: saltó %(value)s de una lectura a otra, y lo aprendido permite %(limit)s."),
        "change",
    ),
    "spike": (
        gettext_lazy("Sensor con picos"),
        gettext_lazy("Da lecturas sueltas imposibles y vuelve: suele ser un contacto flojo o una interferencia."),
        gettext_lazy("Revisa el cable y el conector."),
        gettext_lazy("%(metric)s: %(value)s picos de más de %(limit)s en 10 min."),
        "count",
    ),
    "drift": (
        gettext_lazy("Un sensor se desvía"),
        gettext_lazy("Su media se aleja poco a poco de la que tiene cuando el robot hace lo mismo."),
        gettext_lazy("Mira si cambió el trabajo o el sitio; si no, calibra el sensor o revisa la pieza que mide."),
        gettext_lazy("%(metric)s: se aparta %(value)s de su media, y lo aprendido permite %(limit)s."),
        "change",
    ),
}
if _WORDS.keys() != EVENTS.keys():
    raise ValueError("rules and words of sensors differ: give each rule its words")


def _seconds(raw: float, language: str) -> str:
    if raw >= 120:
        return formats.with_unit(whole(raw / 60, language), "min")
    return formats.with_unit(whole(raw, language), "s")


def _shown(meant: str, metric: metrics.Metric, raw: float, language: str) -> str:
    """A number as it is meant: `seconds`, a `value`, or by how much it is another one."""
    if meant == "seconds":
        return _seconds(raw, language)
    return metric.quantity(raw, language) if meant == "value" else metric.quantity(abs(raw), language, change=True)


def _sentence(rule: Rule) -> Sentence:
    said, meant = _WORDS[rule][3:]

    def sentence(detail: Detail, language: str) -> str:
        metric = metrics.describe(str(detail.get("metric") or "?")[:64])
        numbers = [detail.get(name) for name in ("value", "limit")]
        value, limit = (float(one) if isinstance(one, int | float) and not isinstance(one, bool) else None for one in numbers)
        if value is None or limit is None:
            return _("%(metric)s: no es lo habitual.") % {"metric": metric.label(language)}
        shown = [_shown(meant, metric, one, language) for one in (value, limit)]
        if meant == "count":
            shown = [whole(value, language), _shown("change", metric, limit, language)]
        text = str(said) % {"metric": metric.label(language), "value": shown[0], "limit": shown[1]}
        beside = count(detail, "beside")
        if beside:
            more = ngettext("Y %(count)s sensor más.", "Y %(count)s sensores más.", beside)
            text = f"{text} {more % {'count': whole(beside, language)}}"
        return text

    return sentence


#: Events of an agent that learned what is ordinary for its robot; one alarm a rule and robot, which ends when the agent says so.
SENSORS: Final[tuple[Kind, ...]] = tuple(
    event_kind(EVENTS[rule], "medium", title, cause, remedy, _sentence(rule))
    for rule, (title, cause, remedy, _said, _meant) in _WORDS.items()
)
