"""The monitor's stream: what changed on each page that is open, once a second, once a process. Encoded once for all who look at it."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils import timezone

from croody.accounts.caller import Caller
from croody.live.hub import Feed, Listener
from croody.live.picture import Picture, changes, everything
from croody.monitor import facts, page
from croody.monitor.entry import Entry, Trail
from croody.monitor.facts import Roster
from croody.monitor.gaps import Gaps
from croody.monitor.selection import Selection

#: When nothing changed, listeners are told the time at least this often, in seconds: then they know that we live.
BEAT_S: Final = 4.0
#: Pages are compared for so long a round, in seconds; those that had no turn come first in the next one. Anybody may open any number.
ROUND_S: Final = 0.4


class View(NamedTuple):
    """A page as somebody sees it; `asked` None: the strip of the home page."""

    audience: Caller
    language: str
    asked: Selection | None


class Viewer(Listener):
    """An open page. `version`: of the structure that it came with."""

    def __init__(self, view: View, version: str) -> None:
        super().__init__(view.audience)
        self.view = view
        self.version = version


@dataclass(slots=True)
class _Open:
    """A page that somebody looks at, as it was told last."""

    picture: Picture
    deaf: float | None
    told_at: float
    turn_at: float


@dataclass(frozen=True, slots=True)
class Round:
    """What one read brought: a chunk for those who look already, and one for those who come, by the version they have."""

    chunks: dict[View, bytes]
    welcomes: dict[tuple[View, str], bytes]


class MonitorFeed(Feed):
    """Sends a viewer all of its page at first, then what changes on it."""

    period_s = 1.0

    def __init__(self, *, round_s: float = ROUND_S) -> None:
        super().__init__("monitor")
        self._round_s = round_s
        self.gaps = Gaps()
        self._open: dict[View, _Open] = {}
        self._trails: dict[str, Trail] = {}
        self._new: set[Viewer] = set()

    def forget(self) -> None:
        """All of it: nobody watched."""
        self._open, self._trails, self.gaps = {}, {}, Gaps()

    def gaps_for_a_page(self) -> Gaps:
        """What a page that is asked for may know of a moment ago: as much as its stream, which is about to go on with it."""
        return self.gaps if self.listeners else Gaps()

    def welcome(self, listener: Listener) -> None:
        """The next read, at most a second away, tells it everything."""
        if isinstance(listener, Viewer):
            self._new.add(listener)

    def leave(self, listener: Listener) -> None:
        """It is gone."""
        super().leave(listener)
        if isinstance(listener, Viewer):
            self._new.discard(listener)

    def read(self) -> Round:
        """Look at every page that is open, those that waited longest first."""
        now = timezone.now()
        coming: dict[View, set[str]] = {}
        for viewer in list(self._new):
            coming.setdefault(viewer.view, set()).add(viewer.version)
        views = {listener.view for listener in list(self.listeners) if isinstance(listener, Viewer)}
        self._open = {view: known for view, known in self._open.items() if view in views}
        found = Round({}, {})
        rosters = {audience: facts.roster(audience, now) for audience in {view.audience for view in views}}
        seen = _Seen(self, now)
        started = time.monotonic()
        for view in sorted(views, key=lambda view: self._open[view].turn_at if view in self._open else 0.0):
            if found.chunks and time.monotonic() - started > self._round_s:
                break
            self._look(view, rosters[view.audience], coming.get(view, set()), seen, found)
        self.gaps.forget(now.timestamp())
        self._trails = {robot_id: trail for robot_id, trail in self._trails.items() if robot_id in seen.entries}
        return found

    def _look(self, view: View, roster: Roster, versions: set[str], seen: "_Seen", found: Round) -> None:
        picture = seen.picture(view, roster)
        now = seen.now.timestamp()
        deaf = roster.deaf_since.timestamp() if roster.deaf_since else None
        head = {"now": round(now, 3), "deaf_since": deaf}
        for version in versions:
            found.welcomes[view, version] = _event(head | {"whole": True} | everything(picture, version))
        known = self._open.get(view)
        told = changes(known.picture, picture) if known is not None else {}
        if known is not None and not told and deaf == known.deaf and now - known.told_at < BEAT_S:
            known.turn_at = now
            found.chunks[view] = b""
            return
        found.chunks[view] = _event(head | told)
        self._open[view] = _Open(picture, deaf, now, now)

    def publish(self, found: Round) -> None:
        """Hand each viewer what its page has."""
        for listener in list(self.listeners):
            if not isinstance(listener, Viewer):
                continue
            if listener in self._new:
                chunk = found.welcomes.get((listener.view, listener.version), b"")
                if chunk:
                    self._new.discard(listener)
            else:
                chunk = found.chunks.get(listener.view, b"")
            if chunk:
                listener.offer(chunk)

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
        self._rows: dict[str, page.Rows] = {}

    def picture(self, view: View, roster: Roster) -> Picture:
        """One page."""
        rows = self._rows.setdefault(view.language, page.Rows(self.now, view.language, self._feed.gaps))
        if view.asked is None:
            self._know(roster.robots[: page.STRIP])
            return page.strip(roster, self.entries, rows).picture
        shown = page.shown_on(roster, view.asked)
        self._know(shown.robots)
        return page.monitor(roster, view.asked, shown, self.entries, lambda some: self._feed.trails_of(some, self.now), rows).picture

    def _know(self, robots: Sequence[facts.Listed]) -> None:
        new = [robot for robot in robots if robot.robot_id not in self.entries]
        self.entries |= {entry.robot_id: entry for entry in facts.entries(new)} if new else {}


def _event(data: dict[str, Any]) -> bytes:
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"event: page\ndata: {body}\n\n".encode()


feed = MonitorFeed()
