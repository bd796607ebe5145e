"""The stream of a robot's page: what changes every second, what is asked every ten, how fast the robot empties, and who looks."""

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from croody.accounts.caller import Caller, again
from croody.console.robot import facts, page, viewers
from croody.fleet.access import Action, may
from croody.fleet.models import Robot
from croody.live.page_feed import PageFeed, Seen
from croody.live.picture import Picture
from croody.web.units import SI, Units

#: What costs more than a few steps is asked so often, in seconds.
SLOW_S: Final = 10.0
#: Heartbeats by which it is told how fast a robot sends what lay on it.
_BEATS: Final = 10


class View(NamedTuple):
    """The page as somebody sees it."""

    audience: Caller
    language: str
    robot_id: str
    units: Units = SI


@dataclass(slots=True)
class _Robot:
    """What is remembered of a robot while somebody looks at it. `beats`: (unix seconds, records that lay on it)."""

    slow: facts.Slow | None = None
    slow_at: float = 0.0
    beats: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_BEATS))

    def beat(self, queue: facts.Queue | None) -> None:
        """Note what it said last."""
        if queue is None:
            self.beats.clear()
        elif not self.beats or self.beats[-1][0] < queue.at.timestamp():
            self.beats.append((queue.at.timestamp(), queue.records))

    @property
    def rate(self) -> float | None:
        """Records a second by which the queue shrinks; None before its second heartbeat."""
        if len(self.beats) < 2 or self.beats[-1][0] <= self.beats[0][0]:
            return None
        (first_at, first), (last_at, last) = self.beats[0], self.beats[-1]
        return (first - last) / (last_at - first_at)


class RobotFeed(PageFeed[View]):
    """Each robot is asked about once a round, however many look at it."""

    def __init__(self) -> None:
        super().__init__("robot pages")
        self._robots: dict[str, _Robot] = {}
        self._others: dict[str, list[viewers.Person]] = {}
        self._told_at = 0.0
        self._now: datetime | None = None

    def forget(self) -> None:
        """Nobody looks."""
        super().forget()
        self._robots, self._others, self._told_at = {}, {}, 0.0

    def rate_of(self, robot_id: str) -> float | None:
        """How fast a robot empties, as far as this process has seen it."""
        known = self._robots.get(robot_id)
        return known.rate if known is not None else None

    def begin(self, views: Collection[View], now: datetime) -> None:
        """See `PageFeed`."""
        ids = {view.robot_id for view in views}
        self._now = now
        self._robots = {robot_id: self._robots.get(robot_id) or _Robot() for robot_id in ids}
        self._asked: dict[str, facts.Now] = {}
        self._callers = {audience: again(audience) for audience in {view.audience for view in views}}
        self._rows = Robot.objects.select_related("site", "organisation").in_bulk(list(ids))
        if time.monotonic() - self._told_at >= SLOW_S:
            self._told_at = time.monotonic()
            here = {(view.audience.user_id, view.robot_id) for view in views if view.audience.user_id is not None}
            self._others = viewers.tell(here, now)

    def look(self, view: View) -> Seen:
        """See `PageFeed`."""
        robot, caller = self._rows.get(view.robot_id), self._callers[view.audience]
        if robot is None or self._now is None or not may(caller, Action.INSPECT, robot):
            # Its stream ends as soon as that is noticed; until then nothing new is told.
            return Seen(Picture())
        known = self._asked.get(view.robot_id)
        if known is None:
            known = self._asked[view.robot_id] = facts.now_of(robot, self._now)
        mine = self._robots[view.robot_id]
        mine.beat(known.queue)
        if mine.slow is None or time.monotonic() - mine.slow_at >= SLOW_S:
            mine.slow, mine.slow_at = facts.slow_of(known, self._now), time.monotonic()
        shown = page.Known(
            known,
            mine.slow,
            mine.rate,
            tuple(one.name for one in self._others.get(view.robot_id, ()) if one.user_id != view.audience.user_id),
            may(caller, Action.ACT, robot),
        )
        return Seen(page.robot(shown, self._now, view.language).picture, known.deaf_since)


feed = RobotFeed()
