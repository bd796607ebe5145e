"""The alarm for silence, in words."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from croody.alarms.kinds import End, Kind, plain

OFFLINE: Final = Kind(
    code="offline",
    severity="high",
    title=_("Sin señales"),
    cause=_("El robot no avisó que se apagaba, y la nube dejó de oírlo."),
    remedy=_("Revisa su batería y su red."),
    sentence=plain(_("No da señales: revisa su batería y su red.")),
    ends=frozenset({End.CAUSE}),
)
KINDS: Final = (OFFLINE,)
