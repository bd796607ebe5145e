"""Alarms about claims, in words."""

from datetime import timedelta
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from croody.alarms.kinds import Detail, End, Kind

#: A claim's row is gone by then, and nobody can come with it any more.
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
KINDS: Final = (CLAIM_USED_AGAIN,)
