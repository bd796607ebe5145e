"""The alarm that a rule raises, in words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.alarms.kinds import Detail, End, Kind
from croody.telemetry.read import metrics
from croody.web import formats

#: Without news for so long its rule cannot judge the robot any more: the alarm for silence has told why.
LASTS: Final = timedelta(days=7)


def _sentence(detail: Detail, language: str) -> str:
    rule = str(detail.get("rule") or "")
    values = detail.get("values")
    told = quantities(values, language) if isinstance(values, Mapping) else ""
    silence = detail.get("silence_s")
    if isinstance(silence, int | float) and silence > 0:
        return _("%(rule)s: no llega desde hace más de %(time)s.") % {"rule": rule, "time": formats.age(silence)}
    limit = detail.get("limit")
    if told and isinstance(limit, int | float) and isinstance(values, Mapping) and len(values) == 1:
        name = next(iter(values))
        told_limit = quantity(str(name), float(limit), language)
        return _("%(rule)s: %(values)s (límite %(limit)s).") % {"rule": rule, "values": told, "limit": told_limit}
    if told:
        return _("%(rule)s: %(values)s.") % {"rule": rule, "values": told}
    return _("%(rule)s: se cumple.") % {"rule": rule} if rule else _("Se cumple una regla.")


def quantities(values: Mapping[str, Any], language: str) -> str:
    """`Temp. motor 92,4 °C, Velocidad 0,00 m/s`."""
    known = [(str(name), value) for name, value in values.items() if isinstance(value, int | float)]
    return ", ".join(f"{metrics.describe(name).label(language)} {quantity(name, value, language)}" for name, value in known)


def quantity(name: str, value: float, language: str, *, change: bool = False) -> str:
    """A value of a metric, or a change of it, with its unit."""
    return metrics.describe(name).quantity(value, language, change=change)


RULE: Final = Kind(
    code="rule",
    severity="medium",
    title=gettext_lazy("Regla cumplida"),
    cause=gettext_lazy("Lo que mide el robot cumple una regla de tu organización."),
    remedy=gettext_lazy("Mira el robot; si la regla avisa de más, cámbiala: su página dice cuántas veces habría avisado."),
    sentence=_sentence,
    ends=frozenset({End.CAUSE, End.PERSON}),
    after=LASTS,
)
KINDS: Final = (RULE,)
