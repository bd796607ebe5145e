"""Reads of the fleet. Knows which tables hold what was heard of a robot; judges nothing itself."""

import threading
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, OuterRef, Subquery

from croody.fleet.liveness import Signs, State, state
from croody.fleet.models import Credential, Listening, Outgoing, Robot
from croody.fleet.services import sha256_of
from croody.telemetry.models import Presence, Stream

#: A revoked robot's records are refused at the latest after so long, in seconds. A new robot is known at once.
KNOWN_FOR_S: Final = 2.0
_USED_EVERY = timedelta(minutes=1)


def robot_of_secret(secret: str, *, now: datetime) -> Robot | None:
    """The robot whose secret this is, None for no robot's. Notes the use, at most once a minute."""
    found = Credential.objects.select_related("robot").filter(sha256=sha256_of(secret), robot__deleted_at=None).first()
    if found is None:
        return None
    if found.last_used_at is None or now - found.last_used_at > _USED_EVERY:
        Credential.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.robot


class KnownRobots:
    """Which of these ids are robots, remembered for `KNOWN_FOR_S`. What is not remembered is asked, so a new robot never waits."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, robot_ids: Collection[str], *, monotonic_s: float) -> frozenset[str]:
        """The known ones among `robot_ids`."""
        with self._lock:
            fresh = {robot_id for robot_id in robot_ids if self._until.get(robot_id, 0.0) > monotonic_s}
        asked = set(robot_ids) - fresh
        if asked:
            found = set(Robot.objects.filter(robot_id__in=asked, deleted_at=None).values_list("robot_id", flat=True))
            with self._lock:
                for robot_id in asked - found:
                    self._until.pop(robot_id, None)
                self._until.update(dict.fromkeys(found, monotonic_s + KNOWN_FOR_S))
            fresh |= found
        return frozenset(fresh)


known_robots = KnownRobots()


def listening() -> tuple[datetime, datetime] | None:
    """Since when and until when a bridge heard the broker without a break; None: there never was a bridge."""
    row = Listening.objects.filter(pk=Listening.ONLY).first()
    return (row.since, row.at) if row is not None else None


def signs_of(robot_ids: Iterable[str]) -> dict[str, Signs]:
    """What was heard of these robots, from the ledger and presence: three queries, however many robots."""
    wanted = list(robot_ids)
    heard = dict(Stream.objects.filter(robot_id__in=wanted).values_list("robot_id").annotate(Max("last_received_at")))
    # Of a robot's many streams only the last one with a reading is read, through the index on place.
    with_reading = Stream.objects.filter(robot_id=OuterRef("robot_id"), latest_seq__isnull=False).order_by("-place").values("pk")[:1]
    latest = Stream.objects.filter(robot_id__in=wanted, pk=Subquery(with_reading)).values_list("robot_id", "latest")
    status = {robot_id: (row or {}).get("status") for robot_id, row in latest}
    presence = {row.robot_id: row for row in Presence.objects.filter(robot_id__in=wanted)}
    since = listening()
    signs = {}
    for robot_id in wanted:
        word = presence.get(robot_id)
        signs[robot_id] = Signs(
            heard_at=heard.get(robot_id),
            status=status.get(robot_id),
            interval_s=word.interval_s if word else None,
            presence=("offline" if word.state == "offline" else "online") if word else None,
            presence_at=word.received_at if word else None,
            listening_since=since[0] if since and word else None,
        )
    return signs


def states_of(robot_ids: Iterable[str], *, now: datetime) -> dict[str, State]:
    """The state of each of these robots."""
    return {robot_id: state(now, signs) for robot_id, signs in signs_of(robot_ids).items()}


def open_outgoing(robot_id: str, kind: str, *, now: datetime) -> list[Outgoing]:
    """Rows of one kind that a robot may still answer, oldest first."""
    return list(Outgoing.objects.filter(robot_id=robot_id, kind=kind, answered_at=None, expires_at__gt=now).order_by("pk"))
