"""Asks the database for what the monitor shows. Knows tables; judges and words nothing itself."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import msgspec

from croody.accounts.caller import Caller, again
from croody.alarms import queries as alarms
from croody.fleet.access import Action, visible_to
from croody.fleet.access import robots as robots_of
from croody.fleet.models import Site
from croody.liveness import judge
from croody.liveness.judge import State
from croody.liveness.listening import listening
from croody.liveness.signs import signs_of
from croody.monitor.entry import TRAIL_S, Entry, Latest, Trail, as_metres, delivery, entry
from croody.telemetry.models import Record
from croody.telemetry.read.delivery import delivered
from croody.telemetry.read.metric_infos import said_by
from croody.telemetry.read.metrics import NOBODY_SAID, Said
from croody.telemetry.read.newest import Newest, newest_of

#: More sites than these have no tab of their own; the search finds their robots.
MOST_SITES: Final = 50
#: Whom to see to first; the others stand by name, and a robot that never spoke last.
_RANKS: Final = {State.OFFLINE: 0, State.STALE: 1, State.OFF: 3, State.UNKNOWN: 4}
#: A roster of more robots than this serves everybody for a while: so many times as long as it took, and at most so long, in seconds.
_MANY: Final = 2000
_KEPT: Final = 5.0
_KEPT_AT_MOST_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Listed:
    """A robot in the list of all of them: what is known of each, however many there are."""

    robot_id: str
    kind: str
    site: str
    state: State
    interval_s: float | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """All robots that somebody may see, trouble first, and the sites where they work.

    `deaf_since`: the cloud itself hears no robot since then, and says nothing new. `alarms` and `gaps`: open alarms, and robots of
    which something is missing, for who works with them; 0 for others.
    """

    now: datetime
    deaf_since: datetime | None
    robots: tuple[Listed, ...]
    sites: tuple[Site, ...] = ()
    alarms: int = 0
    gaps: int = 0

    def counts(self) -> Counter[State]:
        """How many robots are in which state."""
        return Counter(robot.state for robot in self.robots)


class _Kept:
    """Large rosters, for a moment."""

    def __init__(self) -> None:
        self._rosters: dict[Caller, tuple[float, Roster]] = {}
        self._lock = threading.Lock()

    def get(self, audience: Caller, make: Callable[[], Roster]) -> Roster:
        known = self._fresh(audience)
        if known is not None:
            return known
        with self._lock:
            known = self._fresh(audience)
            if known is not None:
                return known
            started = time.monotonic()
            roster = make()
            ended = time.monotonic()
            self._rosters = {key: kept for key, kept in self._rosters.items() if kept[0] > ended}
            if len(roster.robots) > _MANY:
                self._rosters[audience] = (ended + min(_KEPT_AT_MOST_S, _KEPT * (ended - started)), roster)
            return roster

    def _fresh(self, audience: Caller) -> Roster | None:
        until, roster = self._rosters.get(audience, (0.0, None))
        return roster if time.monotonic() < until else None


_kept = _Kept()


def roster(audience: Caller, now: datetime) -> Roster:
    """Everything this audience may see, at most a few seconds old."""
    return _kept.get(audience, lambda: _roster(audience, now))


def _roster(audience: Caller, now: datetime) -> Roster:
    deaf_since = _deaf_since(now)
    # A stream is open for hours: who may see what is asked anew.
    audience = again(audience)
    robots = list(visible_to(audience).values_list("robot_id", "kind", "site__slug"))
    signs = signs_of([robot_id for robot_id, _, _ in robots])
    # While the cloud is deaf every robot seems silent: they are judged as of when it last heard.
    judged_at = deaf_since or now
    listed = [
        Listed(robot_id, kind, site or "", judge.public(judge.state(judged_at, signs[robot_id])), signs[robot_id].interval_s)
        for robot_id, kind, site in robots
    ]
    listed.sort(key=lambda robot: (_RANKS.get(robot.state, 2), natural(robot.robot_id)))
    open_alarms, gaps = _concerns(audience)
    return Roster(now, deaf_since, tuple(listed), sites(audience), open_alarms, gaps)


def _concerns(audience: Caller) -> tuple[int, int]:
    """Open alarms of the robots that this audience works with, and robots of which something is missing."""
    mine = set(robots_of(audience, Action.INSPECT).values_list("robot_id", flat=True))
    # Asked without their names, the database goes through what is open, and not through all that ever was.
    found = [row for row in alarms.open_by_kind() if row.robot_id in mine or audience.superuser]
    return alarms.how_many(found), len({row.robot_id for row in found if row.kind == "gap"})


def entries(listed: Collection[Listed]) -> tuple[Entry, ...]:
    """These robots with all that is shown of them, in their order: a few queries, however many and whatever each has behind it."""
    robot_ids = [robot.robot_id for robot in listed]
    newest = newest_of(robot_ids)
    numbers = delivered(robot_ids)
    said = said_by({robot_id: one.stream for robot_id, one in newest.items()})
    return tuple(
        entry(
            robot.robot_id,
            robot.site,
            robot.kind,
            robot.state,
            _latest(newest.get(robot.robot_id), said.get(robot.robot_id, NOBODY_SAID)),
            delivery(numbers.get(robot.robot_id)),
            robot.interval_s,
        )
        for robot in listed
    )


def trails(entries: Collection[Entry], now: datetime) -> dict[str, Trail]:
    """Where these robots were during the last `TRAIL_S`."""
    hole_s = {entry.robot_id: entry.hole_s for entry in entries}
    found: dict[str, Trail] = defaultdict(Trail)
    since = now - timedelta(seconds=TRAIL_S)
    rows = Record.objects.filter(robot_id__in=list(hole_s), kind="reading", at__gte=since, at__lte=now + timedelta(seconds=5))
    for robot_id, at, x_m, y_m in rows.order_by("at").values_list("robot_id", "at", "data__x_m", "data__y_m"):
        x, y = as_metres(x_m), as_metres(y_m)
        if x is not None and y is not None:
            found[robot_id].add(at.timestamp(), x, y, hole_s[robot_id])
    return found


def sites(audience: Caller) -> tuple[Site, ...]:
    """Sites where the robots of this audience work, by name; the first `MOST_SITES`."""
    used = visible_to(audience).filter(site__isnull=False).order_by().values("site")
    return tuple(Site.objects.filter(pk__in=used).order_by("name", "slug")[:MOST_SITES])


@lru_cache(maxsize=65_536)
def natural(text: str) -> tuple[Any, ...]:
    """Sort key by which robot-2 comes before robot-10."""
    parts: list[tuple[int, int, str]] = []
    digits = word = ""
    for char in text + "\0":
        if char.isascii() and char.isdigit():
            if word:
                parts.append((1, 0, word))
                word = ""
            digits += char
        else:
            if digits:
                parts.append((0, int(digits), digits))
                digits = ""
            word += char.lower()
    parts.append((1, 0, word))
    return tuple(parts)


def _deaf_since(now: datetime) -> datetime | None:
    heard = listening()
    return heard[1] if heard is not None and judge.deaf(now, heard[1]) else None


def _latest(one: Newest | None, said: Said) -> Latest | None:
    return Latest(msgspec.json.decode(one.row), one.heard_at, said) if one is not None else None
