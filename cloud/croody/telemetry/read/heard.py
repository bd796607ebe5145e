"""What liveness asks of telemetry: when a robot was heard last, and what it said then. Judges nothing."""

from collections.abc import Collection
from typing import Final, Literal

from django.db.models import Max, OuterRef, Subquery

from croody.liveness.signs import Heard
from croody.telemetry.models import Presence, Stream
from croody.telemetry.store.presence import OFF

_PRESENCE: Final[dict[str, Literal["offline", "off"]]] = {"offline": "offline", OFF: "off"}


def heard_of(robot_ids: Collection[str]) -> dict[str, Heard]:
    """From the ledger and presence: three queries, however many robots."""
    heard = dict(Stream.objects.filter(robot_id__in=robot_ids).values_list("robot_id").annotate(Max("last_received_at")))
    # Of a robot's many streams only the last one with a reading is read, through the index on place.
    with_reading = Stream.objects.filter(robot_id=OuterRef("robot_id"), latest_seq__isnull=False).order_by("-place").values("pk")[:1]
    latest = Stream.objects.filter(robot_id__in=robot_ids, pk=Subquery(with_reading)).values_list("robot_id", "latest")
    status = {robot_id: (row or {}).get("status") for robot_id, row in latest}
    presence = {row.robot_id: row for row in Presence.objects.filter(robot_id__in=robot_ids)}
    return {robot_id: _heard(heard.get(robot_id), status.get(robot_id), presence.get(robot_id)) for robot_id in {*heard, *presence}}


def _heard(heard_at: object, status: str | None, word: Presence | None) -> Heard:
    found = Heard(heard_at=heard_at, status=status)  # type: ignore[arg-type]
    if word is None:
        return found
    return Heard(
        heard_at=found.heard_at,
        status=status,
        interval_s=word.interval_s,
        presence=_PRESENCE.get(word.state, "online"),
        presence_at=word.received_at,
    )
