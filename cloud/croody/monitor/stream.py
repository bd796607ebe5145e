"""The monitor's stream: what changed on each page of it. How pages are told apart and told is `live.page_feed`' business."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from croody.accounts.caller import Caller
from croody.live.page_feed import ROUND_S, PageFeed, Seen
from croody.live.page_feed import Viewer as Viewer
from croody.live.picture import Picture
from croody.monitor import facts, page
from croody.monitor.entry import Entry, Trail
from croody.monitor.facts import Roster
from croody.monitor.gaps import Gaps
from croody.monitor.selection import Selection
from croody.web.units import SI, Units


class View(NamedTuple):
    """A page as somebody sees it; `asked` None: the strip of the home page."""

    audience: Caller
    language: str
    asked: Selection | None
    units: Units = SI


class MonitorFeed(PageFeed[View]):
    """Rosters are asked once an audience, trails once and then kept."""

    def __init__(self, *, round_s: float = ROUND_S) -> None:
        super().__init__("monitor", round_s=round_s)
        self.gaps = Gaps()
        self._trails: dict[str, Trail] = {}

    def forget(self) -> None:
        """All of it: nobody watched."""
        super().forget()
        self._trails, self.gaps = {}, Gaps()

    def gaps_for_a_page(self) -> Gaps:
        """What a page that is asked for may know of a moment ago: as much as its stream, which is about to go on with it."""
        return self.gaps if self.listeners else Gaps()

    def begin(self, views: Collection[View], now: datetime) -> None:
        """See `PageFeed`."""
        self._rosters = {audience: facts.roster(audience, now) for audience in {view.audience for view in views}}
        self._seen = _Seen(self, now)

    def look(self, view: View) -> Seen:
        """See `PageFeed`."""
        roster = self._rosters[view.audience]
        return Seen(self._seen.picture(view, roster), roster.deaf_since)

    def end(self) -> None:
        """See `PageFeed`."""
        self.gaps.forget(self._seen.now.timestamp())
        self._trails = {robot_id: trail for robot_id, trail in self._trails.items() if robot_id in self._seen.entries}

    def trails_of(self, entries: Sequence[Entry], now: datetime) -> dict[str, Trail]:
        """Where these robots were lately: asked once, then kept."""
        new = [entry for entry in entries if entry.robot_id not in self._trails]
        fresh = facts.trails(new, now) if new else {}
        for entry in entries:
            trail = self._trails.setdefault(entry.robot_id, fresh.get(entry.robot_id) or Trail())
            if entry.at is not None and entry.x_m is not None and entry.y_m is not None:
                trail.add(entry.at, entry.x_m, entry.y_m, entry.hole_s)
            trail.forget(now.timestamp())
        return {entry.robot_id: self._trails[entry.robot_id] for entry in entries}


class _Seen:
    """What one round knows of robots, asked and worded once for all pages that show them."""

    def __init__(self, feed: MonitorFeed, now: datetime) -> None:
        self.now = now
        self.entries: dict[str, Entry] = {}
        self._feed = feed
        self._rows: dict[tuple[str, Units], page.Rows] = {}

    def picture(self, view: View, roster: Roster) -> Picture:
        """One page."""
        rows = self._rows.setdefault((view.language, view.units), page.Rows(self.now, view.language, self._feed.gaps))
        if view.asked is None:
            self._know(roster.robots[: page.STRIP])
            return page.strip(roster, self.entries, rows).picture
        shown = page.shown_on(roster, view.asked)
        self._know(shown.robots)
        return page.monitor(roster, view.asked, shown, self.entries, lambda some: self._feed.trails_of(some, self.now), rows).picture

    def _know(self, robots: Sequence[facts.Listed]) -> None:
        new = [robot for robot in robots if robot.robot_id not in self.entries]
        self.entries |= {entry.robot_id: entry for entry in facts.entries(new)} if new else {}


feed = MonitorFeed()
