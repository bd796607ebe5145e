"""The alarm for silence, in words."""

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from croody.alarms.kinds import End, Kind, Together, plain, whole


def _together(robots: int, language: str) -> str:
    text = ngettext(
        "%(count)s robot dejó de dar señales: empieza por su red.",
        "%(count)s robots dejaron de dar señales a la vez: empieza por la red que comparten.",
        robots,
    )
    return text % {"count": whole(robots, language)}


OFFLINE: Final = Kind(
    code="offline",
    severity="high",
    title=_("Sin señales"),
    cause=_("El robot no avisó que se apagaba, y la nube dejó de oírlo."),
    remedy=_("Revisa su batería y su red."),
    sentence=plain(_("No da señales: revisa su batería y su red.")),
    ends=frozenset({End.CAUSE}),
    together=Together(
        _together,
        cause=_("Se cortó la red o la corriente de un sitio, o algo entre los robots y la nube dejó de llevar mensajes."),
        remedy=_("Revisa la red y la corriente del sitio antes de ir robot por robot."),
    ),
)
KINDS: Final = (OFFLINE,)
