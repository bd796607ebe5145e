"""The stream of the fleet's page: what changed on each that is open. A robot is asked and worded once, however many look at it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from croody.accounts.caller import Caller
from croody.alarms.models import Alarm
from croody.console.fleet import facts, page, spark
from croody.console.fleet.roster import Listed, Roster
from croody.console.fleet.selection import Selection, select
from croody.live.page_feed import ROUND_S, PageFeed, Seen
from croody.live.pieces import Page
from croody.monitor.entry import Entry
from croody.monitor.gaps import Gaps
from croody.web.units import SI, Units

#: How often the lines of the last hour are read again, in seconds: they have a point a minute.
HOURS_S: Final = 30.0


class View(NamedTuple):
    """A page as somebody sees it: the same for all who see the same. `starred`: the favourites, where only these are asked for."""

    audience: Caller
    language: str
    asked: Selection
    starred: frozenset[str] = frozenset()
    units: Units = SI


class FleetFeed(PageFeed[View]):
    """Rosters are asked once an audience; the lines of the last hour are kept for a while."""

    def __init__(self, *, round_s: float = ROUND_S) -> None:
        super().__init__("fleet", round_s=round_s)
        self.gaps = Gaps()
        self._hours: dict[tuple[str, str], tuple[float, list[float | None]]] = {}

    def forget(self) -> None:
        """All of it: nobody watched."""
        super().forget()
        self.gaps, self._hours = Gaps(), {}

    def gaps_for_a_page(self) -> Gaps:
        """What a page that is asked for may know of a moment ago: as much as its stream, which is about to go on with it."""
        return self.gaps if self.listeners else Gaps()

    def begin(self, views: Collection[View], now: datetime) -> None:
        """See `PageFeed`."""
        self._now = now
        self._rosters = {audience: facts.roster(audience, now) for audience in {view.audience for view in views}}
        self._entries: dict[str, Entry] = {}
        self._reasons: dict[str, Alarm] = {}
        self._rows: dict[tuple[str, Units], page.Rows] = {}

    def look(self, view: View) -> Seen:
        """See `PageFeed`."""
        roster = self._rosters[view.audience]
        rows = self._rows.setdefault((view.language, view.units), page.Rows(self._now, view.language, self.gaps))
        return Seen(self._page(view, roster, rows).picture, roster.deaf_since)

    def end(self) -> None:
        """See `PageFeed`."""
        now = self._now.timestamp()
        self.gaps.forget(now)
        self._hours = {key: kept for key, kept in self._hours.items() if now - kept[0] < 4 * HOURS_S}

    def _page(self, view: View, roster: Roster, rows: page.Rows) -> Page:
        shown = select(roster.robots, view.asked, view.starred)
        self._know(shown.robots)
        known = page.Known(self._entries, self._reasons)
        metric = spark.choose([self._entries[robot.robot_id].values for robot in shown.robots], view.asked.metric)
        hours = self._hours_of([robot.robot_id for robot in shown.robots], metric)
        return page.fleet(roster, view.asked, shown, known, page.Hours(metric, hours), rows)

    def _know(self, robots: Sequence[Listed]) -> None:
        new = [robot for robot in robots if robot.robot_id not in self._entries]
        if new:
            self._entries |= facts.entries(new)
            self._reasons |= facts.reasons([robot.robot_id for robot in new if robot.alerts], self._now)

    def _hours_of(self, robot_ids: Sequence[str], metric: str) -> dict[str, list[float | None]]:
        now = self._now.timestamp()
        old = [one for one in robot_ids if now - self._hours.get((one, metric), (0.0, []))[0] > HOURS_S] if metric else []
        if old:
            fresh = facts.hours(old, metric, self._now)
            self._hours |= {(one, metric): (now, fresh.get(one, [])) for one in old}
        return {one: self._hours[one, metric][1] for one in robot_ids} if metric else {}


feed = FleetFeed()
