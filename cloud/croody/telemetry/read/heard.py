"""What liveness asks of telemetry: when a robot was heard last, and what it said then. Judges nothing."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal

from django.db.models import Max

from croody.fleet.queries import returned
from croody.liveness.signs import Heard
from croody.telemetry.models import Presence, Stream, StreamTotal
from croody.telemetry.read.newest import words_of
from croody.telemetry.read.sql import sliced
from croody.telemetry.store.presence import OFF

_PRESENCE: Final[dict[str, Literal["offline", "off"]]] = {"offline": "offline", OFF: "off"}


def heard_of(robot_ids: Collection[str]) -> dict[str, Heard]:
    """From the ledger and presence: a few queries, however many robots there are and however often they started."""
    found: dict[str, Heard] = {}
    for some in sliced(sorted(robot_ids)):
        heard = heard_at_of(some)
        status = words_of(some)
        words = Presence.objects.filter(robot_id__in=some).only("robot_id", "state", "interval_s", "received_at")
        back = returned(set(some))
        presence = {row.robot_id: row for row in words if row.robot_id not in back or row.received_at >= back[row.robot_id]}
        found |= {robot_id: _heard(heard.get(robot_id), status.get(robot_id), presence.get(robot_id)) for robot_id in {*heard, *presence}}
    return found


def heard_at_of(robot_ids: Collection[str]) -> dict[str, datetime]:
    """When anything of each robot came last."""
    folded = StreamTotal.objects.filter(robot_id__in=robot_ids, heard_at__isnull=False).values_list("robot_id", "heard_at")
    open_ = Stream.objects.filter(robot_id__in=robot_ids, folded_at=None).values_list("robot_id").annotate(Max("last_received_at"))
    found: dict[str, datetime] = {}
    back = returned(set(robot_ids))
    for robot_id, at in [*folded, *open_]:
        if robot_id in back and at < back[robot_id]:
            continue
        found[robot_id] = max(at, found.get(robot_id, at))
    return found


def _heard(heard_at: datetime | None, status: str | None, word: Presence | None) -> Heard:
    if word is None:
        return Heard(heard_at=heard_at, status=status)
    return Heard(
        heard_at=heard_at,
        status=status,
        interval_s=word.interval_s,
        presence=_PRESENCE.get(word.state, "online"),
        presence_at=word.received_at,
    )
