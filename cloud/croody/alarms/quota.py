"""The alarm for a robot that does more than it may, and how many alarms one robot may open with what it names itself."""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from croody.alarms.kinds import Kind, Together, plain, whole
from croody.alarms.models import Alarm

#: Without anything beyond its quota for so long, a robot is within it again.
LASTS: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)
#: Within a day so many times the alarms may be opened that may be open at once.
_A_DAY: Final = 5


def _together(robots: int, language: str) -> str:
    text = ngettext(
        "%(count)s robot manda más de lo que admite su cuota.",
        "%(count)s robots mandan más de lo que admite su cuota: compara sus programas.",
        robots,
    )
    return text % {"count": whole(robots, language)}


QUOTA: Final = Kind(
    code="quota",
    severity="high",
    title=_("Fuera de su cuota"),
    cause=_("Un programa del robot se repite sin freno, o alguien usa su secreto."),
    remedy=_("Mira sus cartas muertas y su programa; si no es tuyo, revócalo."),
    sentence=plain(_("Manda más de lo que admite su cuota; lo que sobra espera en el robot o es carta muerta: mira su programa.")),
    after=LASTS,
    together=Together(
        _together,
        cause=_("Varios robots llevan el mismo programa, y se repite sin freno."),
        remedy=_("Vuelve a la versión anterior de su programa."),
    ),
)
KINDS: Final = (QUOTA,)


def has_opened_too_many(robot_id: str, now: datetime) -> bool:
    """Say whether a robot may open no further alarm: as many as may be are open, or were opened since yesterday."""
    most = settings.ENV.quotas.alarms
    mine = Alarm.objects.filter(robot_id=robot_id).order_by()
    return _at_least(mine.filter(resolved_at=None), most) or _at_least(mine.filter(opened_at__gt=now - _DAY), _A_DAY * most)


def _at_least(found: QuerySet[Alarm], count: int) -> bool:
    return len(found.values_list("pk")[:count]) >= count
