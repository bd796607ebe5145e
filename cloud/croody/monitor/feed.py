"""The monitor's own stream: the picture of all robots that anybody watches, once a second, once a process."""

import json
import time
from collections.abc import Set
from typing import Any, Final

from django.utils import timezone

from croody.accounts.caller import Caller
from croody.fleet.access import ids_now
from croody.live.hub import Feed, Listener
from croody.monitor import reader
from croody.monitor.digest import Trail
from croody.monitor.reader import Picture

#: Who may see what is asked again after so long, in seconds.
VISIBLE_FOR_S: Final = 2.0
#: When nothing changed, listeners are told the time at least this often, in seconds: then they know that we live.
BEAT_S: Final = 4.0


class Found:
    """What one read brought."""

    def __init__(self, picture: Picture, visible: dict[Caller, frozenset[str]], trails: dict[str, Trail]) -> None:
        self.picture = picture
        self.visible = visible
        self.trails = trails


class MonitorFeed(Feed):
    """Sends a listener everything at first, then the robots that changed."""

    period_s = 1.0

    def __init__(self) -> None:
        super().__init__("monitor")
        self._trails: dict[str, Trail] = {}
        self._visible: dict[Caller, frozenset[str]] = {}
        self._visible_until = 0.0
        self._sent: dict[str, bytes] = {}
        self._told_at = 0.0
        self._deaf: float | None = None
        self._new: set[Listener] = set()

    def forget(self) -> None:
        """All of it: nobody watched."""
        self._trails, self._visible, self._sent = {}, {}, {}
        self._visible_until = 0.0

    def welcome(self, listener: Listener) -> None:
        """The next read, at most a second away, tells it everything."""
        self._new.add(listener)

    def leave(self, listener: Listener) -> None:
        """It is gone."""
        super().leave(listener)
        self._new.discard(listener)

    def read(self) -> Found:
        """The robots of every audience, and the trails of those that were not watched before."""
        now = timezone.now()
        audiences = {listener.audience for listener in list(self.listeners)}
        if time.monotonic() >= self._visible_until or audiences - self._visible.keys():
            self._visible = {audience: ids_now(audience) for audience in audiences}
            self._visible_until = time.monotonic() + VISIBLE_FOR_S
        wanted = frozenset().union(*self._visible.values())
        picture = reader.read(wanted, now)
        new = [entry for entry in picture.entries if entry.robot_id not in self._trails]
        fresh = reader.trails(new, now) if new else {}
        trails = {robot_id: self._trails.get(robot_id) or fresh.get(robot_id) or Trail() for robot_id in wanted}
        for entry in picture.entries:
            if entry.at is not None and entry.x_m is not None and entry.y_m is not None:
                trails[entry.robot_id].add(entry.at, entry.x_m, entry.y_m, entry.hole_s)
            trails[entry.robot_id].forget(now.timestamp())
        self._trails = trails
        return Found(picture, self._visible, trails)

    def publish(self, found: Found) -> None:
        """One encoding a robot and one event an audience, however many watch."""
        picture = found.picture
        now = picture.now.timestamp()
        deaf = picture.deaf_since.timestamp() if picture.deaf_since else None
        encoded = {entry.robot_id: _json(entry.as_json()) for entry in picture.entries}
        changed = {robot_id for robot_id, text in encoded.items() if self._sent.get(robot_id) != text}
        gone = self._sent.keys() - encoded.keys()
        quiet = not changed and not gone and deaf == self._deaf and now - self._told_at < BEAT_S
        whole: dict[Caller, bytes] = {}
        part: dict[Caller, bytes] = {}
        for listener in list(self.listeners):
            audience = listener.audience
            visible = found.visible.get(audience)
            if visible is None:
                continue
            if listener in self._new:
                if audience not in whole:
                    whole[audience] = self._whole(encoded, visible, found.trails, now, deaf)
                listener.offer(whole[audience])
                self._new.discard(listener)
            elif not quiet:
                if audience not in part:
                    part[audience] = self._part(encoded, changed & visible, visible, now, deaf)
                listener.offer(part[audience])
        self._sent = encoded
        self._deaf = deaf
        if not quiet:
            self._told_at = now

    def _whole(self, encoded: dict[str, bytes], visible: frozenset[str], trails: dict[str, Trail], now: float, deaf: float | None) -> bytes:
        ids = [robot_id for robot_id in encoded if robot_id in visible]
        points = {robot_id: [step.as_json() for step in trails[robot_id].steps] for robot_id in ids}
        return _event("all", [encoded[robot_id] for robot_id in ids], now, deaf, trails=points)

    @staticmethod
    def _part(encoded: dict[str, bytes], changed: Set[str], visible: Set[str], now: float, deaf: float | None) -> bytes:
        count = sum(robot_id in visible for robot_id in encoded)
        return _event("some", [text for robot_id, text in encoded.items() if robot_id in changed], now, deaf, count=count)


def _json(data: Any) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _event(name: str, robots: list[bytes], now: float, deaf: float | None, **more: Any) -> bytes:
    head = _json({"now": round(now, 3), "deaf_since": deaf, **more})
    return b"".join((b"event: ", name.encode(), b"\ndata: ", head[:-1], b',"robots":[', b",".join(robots), b"]}\n\n"))


feed = MonitorFeed()
