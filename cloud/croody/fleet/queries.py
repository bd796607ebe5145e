"""Reads of the fleet: whose secret this is, and which ids are robots."""

import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

from croody.fleet.models import Credential, NextCredential, Robot
from croody.fleet.services import sha256_of

#: A revoked robot's records are refused at the latest after so long, in seconds. A new robot is known at once.
KNOWN_FOR_S: Final = 2.0
_USED_EVERY = timedelta(minutes=1)


def robot_id_of_secret(secret: str, now: datetime) -> str | None:
    """The robot whose secret this is, None for no robot's. Notes the use, at most once a minute.

    While a robot changes its secret both are its own: the board may be on either side of the change.
    """
    hashed = sha256_of(secret)
    found = Credential.objects.filter(sha256=hashed, robot__deleted_at=None).first()
    if found is None:
        coming = NextCredential.objects.filter(sha256=hashed, robot__deleted_at=None, expires_at__gt=now)
        return coming.values_list("robot_id", flat=True).first()
    if found.last_used_at is None or now - found.last_used_at > _USED_EVERY:
        Credential.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.robot_id


#: Robots -> each one's state, in a word.
States = Callable[[Collection[str], datetime], dict[str, str]]
_states: list[States] = []


def register_states(states: States) -> None:
    """Name the one place that judges whether robots are there: liveness, at its start. The fleet lies below it."""
    _states[:] = [states]


def states_of(robot_ids: Collection[str], *, now: datetime) -> dict[str, str]:
    """The state of each of these robots, in a word."""
    return _states[0](robot_ids, now)


def returned(robot_ids: Collection[str]) -> dict[str, datetime]:
    """Of these robots those that were revoked and are there again, and since when: what was heard before is an earlier robot's."""
    # Few ever come back, so all of them are asked for: an index of them alone, however many robots there are.
    back = Robot.objects.filter(returned_at__isnull=False).values_list("robot_id", "returned_at")
    return {robot_id: at for robot_id, at in back if robot_id in robot_ids and at is not None}


def maintenance_ends(robot_ids: Collection[str]) -> dict[str, datetime]:
    """Of these robots those that somebody works on, or did until it ended by itself, and until when."""
    # Few ever are, so all of them are asked for.
    found = Robot.objects.filter(maintenance_until__isnull=False).values_list("robot_id", "maintenance_until")
    return {robot_id: until for robot_id, until in found if robot_id in robot_ids and until is not None}


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
