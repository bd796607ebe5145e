"""The alarm for a model that the clock put back into the shadow, in words. Pure but for translation."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.alarms.kinds import Detail, End, Kind, whole
from croody.web import formats


def reason(told: Mapping[str, Any], language: str) -> str:
    """Why the clock put it back; empty where a person did."""
    match told.get("why"):
        case "rate":
            text = _("Volvió solo a la sombra: %(value)s incidentes que solo decía él en 24 h, límite %(limit)s.")
            decimals = 0
        case "drift":
            text = _("Volvió solo a la sombra: sus puntajes ya no son los de su entrenamiento (PSI %(value)s, límite %(limit)s).")
            decimals = 2
        case _other:
            return ""
    return text % {name: formats.number(float(told.get(name, 0)), decimals, language) for name in ("value", "limit")}


def _sentence(detail: Detail, language: str) -> str:
    why = reason(detail, language)
    if not why:
        return str(_("Un modelo propio volvió solo a la sombra. Las reglas siguen avisando; decide tú cómo se usa."))
    number = whole(float(detail.get("model", 0)), language)
    text = _("Modelo %(number)s. %(why)s Las reglas siguen avisando; decide tú cómo se usa.")
    return text % {"number": number, "why": why}


#: One a team at most, as there is one model in use. It ends when a person says how a model of the team is used.
MODEL_RETURNED: Final = Kind(
    code="model_returned",
    severity="medium",
    title=gettext_lazy("Un modelo volvió a la sombra"),
    cause=gettext_lazy("El modelo propio avisaba demasiado por sí solo, o sus puntajes ya no son los de su entrenamiento."),
    remedy=gettext_lazy(
        "Mira en Detección lo que decía solo él y entrena otro con lo de ahora, o deja de usarlo. Termina cuando dices cómo se usa."
    ),
    sentence=_sentence,
    ends=frozenset({End.CAUSE, End.PERSON}),
    after=timedelta(days=30),
)
