"""The alarm for windows that pile up, in words, and the sensors that drove a verdict."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from croody.alarms.kinds import Detail, End, Kind, Together, count, whole
from croody.detection.windows import suspicion
from croody.telemetry.read import metrics
from croody.web import formats

#: So many sensors are named, and none whose share is smaller.
_MOST_NAMED: Final = 3
_LEAST_SHARE: Final = 0.05


def sensors(drivers: Mapping[str, Any], language: str) -> str:
    """`Temp. motor 62 %, Velocidad 20 %`: the sensors that drove a verdict, largest share first; empty when none is known."""
    shares = [(float(share), name) for name, share in drivers.items() if isinstance(share, int | float) and share >= _LEAST_SHARE]
    named = sorted(shares, key=lambda pair: (-pair[0], pair[1]))[:_MOST_NAMED]
    parts = [f"{metrics.describe(name).label(language)} {whole(100 * share, language)} %" for share, name in named]
    # A line may end between sensors, not within one.
    return ", ".join(part.replace(" ", formats.NBSP) for part in parts)


def _anomaly(detail: Detail, language: str) -> str:
    drivers = detail.get("drivers")
    windows, names = count(detail, "windows"), sensors(drivers if isinstance(drivers, Mapping) else {}, language)
    numbers = {"count": whole(windows, language), "minutes": whole(suspicion.WITHIN / timedelta(minutes=1), language), "sensors": names}
    if names:
        text = ngettext(
            "%(count)s ventana confirmada en %(minutes)s min; destaca: %(sensors)s.",
            "%(count)s ventanas confirmadas en %(minutes)s min; destaca: %(sensors)s.",
            windows,
        )
    else:
        text = ngettext("%(count)s ventana confirmada en %(minutes)s min.", "%(count)s ventanas confirmadas en %(minutes)s min.", windows)
    return text % numbers


def _together(robots: int, language: str) -> str:
    text = ngettext(
        "%(count)s robot se aparta de lo habitual.",
        "%(count)s robots se apartan de lo habitual a la vez: mira qué cambió en el sitio.",
        robots,
    )
    return text % {"count": whole(robots, language)}


#: At most one open a robot. Quiet for `suspicion.QUIET` ends it: the job sees to that.
ANOMALY: Final = Kind(
    code="anomaly",
    severity="medium",
    title=_("Comportamiento inusual"),
    cause=_("Varias ventanas de sensores se apartan de lo habitual del robot."),
    remedy=_("Mira el robot y el sensor que destaca."),
    sentence=_anomaly,
    ends=frozenset({End.CAUSE, End.PERSON}),
    together=Together(
        _together,
        cause=_("Cambió algo que comparten: el sitio, la carga de trabajo o un programa."),
        remedy=_("Mira qué cambió en ese minuto antes de ir robot por robot."),
    ),
)
KINDS: Final = (ANOMALY,)
