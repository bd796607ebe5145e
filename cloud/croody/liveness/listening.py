"""Keeps book of when some bridge heard the broker: only then does a robot's silence mean something."""

from datetime import datetime, timedelta
from typing import Final

from croody.liveness.judge import DEAF_AFTER_S
from croody.liveness.models import Listening

_NOTED_EVERY: Final = timedelta(seconds=2)
_BREAK: Final = timedelta(seconds=DEAF_AFTER_S)


def note(now: datetime) -> None:
    """A bridge hears the broker now. Written every two seconds; after a break in which the cloud was deaf the time begins again."""
    known = listening()
    if known is None:
        Listening.objects.bulk_create([Listening(pk=Listening.ONLY, since=now, at=now)], ignore_conflicts=True)
    elif now - known[1] > _BREAK:
        Listening.objects.filter(pk=Listening.ONLY).update(since=now, at=now)
    elif now - known[1] >= _NOTED_EVERY:
        Listening.objects.filter(pk=Listening.ONLY).update(at=now)


def listening() -> tuple[datetime, datetime] | None:
    """Since when and until when a bridge heard the broker without a break; None: there never was a bridge."""
    return Listening.objects.filter(pk=Listening.ONLY).values_list("since", "at").first()
