"""What was heard of robots, as `judge` needs it. Asks the keeper of readings through `source`; judges nothing itself."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from croody.fleet.queries import maintenance_ends
from croody.liveness.judge import Signs, State, state
from croody.liveness.listening import Listened, listening


@dataclass(frozen=True, slots=True)
class Heard:
    """What the cloud received of one robot. All times are when it was received."""

    heard_at: datetime | None = None
    status: str | None = None
    interval_s: float | None = None
    presence: Literal["online", "offline", "off"] | None = None
    presence_at: datetime | None = None


#: Robots -> what was heard of those that were heard at all.
Source = Callable[[Collection[str]], dict[str, Heard]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Name the one place that knows what was heard: telemetry, at its start. Liveness lies below it and never imports it."""
    _sources[:] = [source]


def signs_of(robot_ids: Iterable[str]) -> dict[str, Signs]:
    """What was heard of each of these robots, in a few queries, however many robots."""
    wanted = list(robot_ids)
    heard = _sources[0](wanted) if wanted else {}
    since = listening()
    mended = maintenance_ends(frozenset(wanted)) if wanted else {}
    return {robot_id: _signs(heard.get(robot_id, Heard()), since, mended.get(robot_id)) for robot_id in wanted}


def states_of(robot_ids: Iterable[str], *, now: datetime) -> dict[str, State]:
    """The state of each of these robots."""
    return {robot_id: state(now, signs) for robot_id, signs in signs_of(robot_ids).items()}


def counts_of(robot_ids: Iterable[str], *, now: datetime) -> Counter[State]:
    """How many of these robots are in each state: what a page says of all robots, whichever of them it shows."""
    return Counter(states_of(robot_ids, now=now).values())


def _signs(heard: Heard, since: Listened | None, mended_until: datetime | None) -> Signs:
    return Signs(
        heard_at=heard.heard_at,
        status=heard.status,
        interval_s=heard.interval_s,
        presence=heard.presence,
        presence_at=heard.presence_at,
        listening_since=since.since if since and heard.presence else None,
        maintenance_until=mended_until,
    )
