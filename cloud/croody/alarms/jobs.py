"""What alarms have to do by the clock: those whose kind names a time end after it."""

from datetime import datetime
from typing import Final

from django.db.models import Q

from croody.alarms import kinds, storms, suppressions
from croody.alarms.models import Alarm

#: At most so many a run; the next run, a minute later, goes on.
MOST: Final = 500


def close_old(now: datetime, most: int = MOST) -> None:
    """Close the open alarms that had no news for the time their kind names: at most so many, the oldest first."""
    known = kinds.all_declared()
    old = Q(pk__in=[])
    for kind in known:
        if kind.after is not None:
            old |= Q(kind=kind.code, last_at__lt=now - kind.after)
    # Every other code is a word of some robot, and all of those are alike.
    words = kinds.find("word_of_some_robot")
    if words.after is not None:
        old |= ~Q(kind__in=[kind.code for kind in known]) & Q(last_at__lt=now - words.after)
    found = list(Alarm.objects.filter(old, resolved_at=None).order_by("last_at").values_list("pk", flat=True)[:most])
    storms.close(Alarm.objects.filter(pk__in=found, resolved_at=None), now)
    storms.tidy(now)
    suppressions.release(now, most)
