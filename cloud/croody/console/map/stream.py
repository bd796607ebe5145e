"""The stream of the map's page: markers that move, marks that change."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from croody.accounts.caller import Caller
from croody.console.fleet import facts as fleet
from croody.console.map import facts, page
from croody.live.page_feed import ROUND_S, PageFeed, Seen
from croody.monitor.entry import Entry, Trail
from croody.web.units import SI, Units


class View(NamedTuple):
    """A page as somebody sees it: the same for all who see the same."""

    audience: Caller
    language: str
    asked: page.Asked
    units: Units = SI


class MapFeed(PageFeed[View]):
    """Robots are asked once an audience; trails once, and then kept."""

    def __init__(self, *, round_s: float = ROUND_S) -> None:
        super().__init__("map", round_s=round_s)
        self._trails: dict[str, Trail] = {}

    def forget(self) -> None:
        """All of it: nobody watched."""
        super().forget()
        self._trails = {}

    def begin(self, views: Collection[View], now: datetime) -> None:
        """See `PageFeed`."""
        self._now = now
        self._known = {audience: known(audience, now) for audience in {view.audience for view in views}}

    def look(self, view: View) -> Seen:
        """See `PageFeed`."""
        found = self._known[view.audience]
        return Seen(page.chart(found, view.asked, self._trails_of, view.language).picture, found.roster.deaf_since)

    def end(self) -> None:
        """See `PageFeed`."""
        there = {robot_id for found in self._known.values() for robot_id in found.entries}
        self._trails = {robot_id: trail for robot_id, trail in self._trails.items() if robot_id in there}

    def _trails_of(self, entries: Sequence[Entry]) -> dict[str, Trail]:
        new = [entry for entry in entries if entry.robot_id not in self._trails]
        fresh = facts.trails(new, self._now) if new else {}
        for entry in entries:
            trail = self._trails.setdefault(entry.robot_id, fresh.get(entry.robot_id) or Trail())
            if entry.at is not None and entry.x_m is not None and entry.y_m is not None:
                trail.add(entry.at, entry.x_m, entry.y_m, entry.hole_s)
            trail.forget(self._now.timestamp())
        return {entry.robot_id: self._trails[entry.robot_id] for entry in entries}


def known(audience: Caller, now: datetime) -> page.Known:
    """What the database says of this audience's robots."""
    roster = fleet.roster(audience, now)
    return page.Known(roster, facts.sites(audience), facts.entries(roster.robots))


feed = MapFeed()
