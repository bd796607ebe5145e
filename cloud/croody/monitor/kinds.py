"""The kinds of alarms in words: one table, kind -> sentence. Pure but for translation; who raises them is not its business."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from croody.detection.windows import suspicion
from croody.telemetry.read import metrics
from croody.web import formats

Detail = Mapping[str, Any]
#: Severity -> its word. The order is the order of the list: the worst first.
SEVERITIES: Final = {
    "critical": gettext_lazy("Crítica"),
    "high": gettext_lazy("Alta"),
    "medium": gettext_lazy("Media"),
    "low": gettext_lazy("Baja"),
}
#: So many sensors are named, and none whose share is smaller.
_MOST_NAMED: Final = 3
_LEAST_SHARE: Final = 0.05


def sentence(kind: str, detail: Detail, language: str) -> str:
    """What is wrong and what to do. A kind without words of its own is what a robot of another make calls it."""
    words = _SENTENCES.get(kind)
    return words(detail, language) if words is not None else _("El robot avisa: %(kind)s.") % {"kind": kind}


def sensors(drivers: Mapping[str, Any], language: str) -> str:
    """`Temp. motor 62 %, Velocidad 20 %`: the sensors that drove a verdict, largest share first; empty when none is known."""
    shares = [(float(share), name) for name, share in drivers.items() if isinstance(share, int | float) and share >= _LEAST_SHARE]
    named = sorted(shares, key=lambda pair: (-pair[0], pair[1]))[:_MOST_NAMED]
    parts = [f"{metrics.describe(name).label(language)} {_whole(100 * share, language)} %" for share, name in named]
    # A line may end between sensors, not within one.
    return ", ".join(part.replace(" ", formats.NBSP) for part in parts)


def _gap(detail: Detail, language: str) -> str:
    count = _count(detail, "missing")
    text = ngettext(
        "Falta %(count)s registro que el robot numeró; se le pide de nuevo.",
        "Faltan %(count)s registros que el robot numeró; se le piden de nuevo.",
        count,
    )
    return text % {"count": _whole(count, language)}


def _anomaly(detail: Detail, language: str) -> str:
    drivers = detail.get("drivers")
    count, names = _count(detail, "windows"), sensors(drivers if isinstance(drivers, Mapping) else {}, language)
    numbers = {"count": _whole(count, language), "minutes": _whole(suspicion.WITHIN / timedelta(minutes=1), language), "sensors": names}
    if names:
        text = ngettext(
            "%(count)s ventana confirmada en %(minutes)s min; destaca: %(sensors)s.",
            "%(count)s ventanas confirmadas en %(minutes)s min; destaca: %(sensors)s.",
            count,
        )
    else:
        text = ngettext("%(count)s ventana confirmada en %(minutes)s min.", "%(count)s ventanas confirmadas en %(minutes)s min.", count)
    return text % numbers


def _outbox_corrupt(detail: Detail, language: str) -> str:
    lost = _count(detail, "lost_at_most")
    if not lost:
        return _("Su archivo de salida se dañó y se rescató entero: revisa el disco.")
    text = ngettext(
        "Su archivo de salida se dañó; se perdió como mucho %(count)s registro: revisa el disco.",
        "Su archivo de salida se dañó; se perdieron como mucho %(count)s registros: revisa el disco.",
        lost,
    )
    return text % {"count": _whole(lost, language)}


def _outbox_refused(detail: Detail, language: str) -> str:
    count = _count(detail, "count")
    if not count:
        return _("Su disco no aceptó registros: revisa el espacio libre.")
    text = ngettext(
        "Su disco no aceptó %(count)s registro: revisa el espacio libre.",
        "Su disco no aceptó %(count)s registros: revisa el espacio libre.",
        count,
    )
    return text % {"count": _whole(count, language)}


def _outbox_foreign(detail: Detail, language: str) -> str:
    owner = {"owner": str(detail.get("owner") or "\u2014")}
    return _("Arrancó con el archivo de salida de %(owner)s y lo apartó: revisa si su disco es una copia.") % owner


def _plain(text: Callable[[], str]) -> Callable[[Detail, str], str]:
    return lambda detail, language: text()


_SENTENCES: Final[dict[str, Callable[[Detail, str], str]]] = {
    "anomaly": _anomaly,
    "conflict": _plain(lambda: _("Llegaron dos registros distintos con el mismo número: revisa si otro robot usa su secreto.")),
    "gap": _gap,
    "model_refused": _plain(lambda: _("No aceptó un modelo de revisión: vuelve a instalarlo.")),
    "offline": _plain(lambda: _("No da señales: revisa su batería y su red.")),
    "outbox_corrupt": _outbox_corrupt,
    "outbox_failed": _plain(lambda: _("No pudo leer su archivo de salida durante un rato: revisa el disco.")),
    "outbox_foreign": _outbox_foreign,
    "outbox_refused": _outbox_refused,
    "screening_stopped": _plain(lambda: _("Dejó de revisarse: lo raro ya no se nota a bordo.")),
    "source_failed": _plain(lambda: _("No pudo leer sus sensores durante un rato: revisa su conexión.")),
}
#: Kinds that have a sentence of their own.
KNOWN: Final = frozenset(_SENTENCES)


def _count(detail: Detail, name: str) -> int:
    value = detail.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _whole(value: float, language: str) -> str:
    return formats.number(value, 0, language)
