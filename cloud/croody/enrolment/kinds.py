"""Alarms about claims and about secrets that robots change, in words."""

from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.alarms.kinds import Detail, End, Kind

#: A claim's row is gone by then, and nobody can come with it any more; and a secret that was not changed is good all the same.
_LASTS: Final = timedelta(days=30)


def _used_again(detail: Detail, language: str) -> str:
    where = str(detail.get("address") or "\u2014")[:45]
    return _("Otra placa, desde %(address)s, vino con el pase por el que este robot ya había entrado: busca quién lo tiene.") % {
        "address": where
    }


CLAIM_USED_AGAIN: Final = Kind(
    code="claim_used_again",
    severity="high",
    title=gettext_lazy("Un pase usado dos veces"),
    cause=gettext_lazy("Dos placas tienen el mismo pase: se copió una imagen o un chat, o alguien lo vio."),
    remedy=gettext_lazy(
        "Mira si la placa que entró es la tuya. Si no lo es, revoca el robot y haz otro pase; si lo es, haz otro para la segunda. "
        "La segunda no entró."
    ),
    sentence=_used_again,
    ends=frozenset({End.PERSON}),
    after=_LASTS,
)


def _unfinished(detail: Detail, language: str) -> str:
    match detail.get("why"):
        case "refused":
            why = _("no pudo: %(said)s") % {"said": str(detail.get("said") or "\u2014")[:300]}
        case "silent":
            why = _("no contestó en diez minutos")
        case _:
            why = _("hizo uno y no entró con él en diez minutos")
    return _("No cambió su secreto: %(why)s. Sigue con el de antes.") % {"why": why}


ROTATION_UNFINISHED: Final = Kind(
    code="rotation_unfinished",
    severity="medium",
    title=gettext_lazy("Un secreto que no se cambió"),
    cause=gettext_lazy("El robot estaba apagado o sin red, no puede escribir en su carpeta, o el broker no leyó sus archivos de nuevo."),
    remedy=gettext_lazy("Mira si el robot está y si su disco tiene sitio, y pídeselo otra vez. Mientras tanto vale el secreto de antes."),
    sentence=_unfinished,
    ends=frozenset({End.CAUSE, End.PERSON}),
    after=_LASTS,
)
KINDS: Final = (CLAIM_USED_AGAIN, ROTATION_UNFINISHED)
