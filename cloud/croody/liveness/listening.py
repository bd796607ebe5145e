"""Keeps book of when some bridge heard the broker: only then does a robot's silence mean something."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from croody.liveness.judge import DEAF_AFTER_S
from croody.liveness.models import Listening

_NOTED_EVERY: Final = timedelta(seconds=2)
#: Nobody's version is longer, no column holds more.
_LONGEST: Final = 64
_MOST: Final = 2**31 - 1
_BREAK: Final = timedelta(seconds=DEAF_AFTER_S)


class Listened(NamedTuple):
    """Since when and until when a bridge heard the broker without a break; what the last one said of itself.

    `waiting`: messages that it had not handed over yet.
    """

    since: datetime
    at: datetime
    version: str = ""
    waiting: int = 0


def note(now: datetime, *, version: str = "", waiting: int = 0) -> None:
    """A bridge hears the broker now. Written every two seconds; after a break in which the cloud was deaf the time begins again."""
    known = listening()
    said = {"version": version[:_LONGEST], "waiting": max(0, min(waiting, _MOST))}
    if known is None:
        Listening.objects.bulk_create([Listening(pk=Listening.ONLY, since=now, at=now, **said)], ignore_conflicts=True)
    elif now - known.at > _BREAK:
        Listening.objects.filter(pk=Listening.ONLY).update(since=now, at=now, **said)
    elif now - known.at >= _NOTED_EVERY:
        Listening.objects.filter(pk=Listening.ONLY).update(at=now, **said)


def listening() -> Listened | None:
    """What is known of the bridges; None: there never was one."""
    found = Listening.objects.filter(pk=Listening.ONLY).values_list("since", "at", "version", "waiting").first()
    return Listened(*found) if found is not None else None
