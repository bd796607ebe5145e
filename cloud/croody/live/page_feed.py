"""The stream of a kind of page: what changed on each that is open, once a second, once a process; encoded once for all who look at it.

A page says what it shows as a `Picture`; what was told last, who comes new and whose turn it is are known here.
"""

import json
import time
from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from django.utils import timezone

from croody.accounts.caller import Caller
from croody.live.hub import Feed, Listener
from croody.live.picture import Picture, changes, everything
from croody.web.units import Units, using

#: When nothing changed, listeners are told the time at least this often, in seconds: then they know that we live.
BEAT_S: Final = 4.0
#: Pages are compared for so long a round, in seconds; those that had no turn come first in the next one. Anybody may open any number.
ROUND_S: Final = 0.4


class View(Protocol):
    """A page as somebody sees it; hashable, and the same for all who see the same."""

    @property
    def audience(self) -> Caller:
        """Who looks."""
        ...

    @property
    def units(self) -> Units:
        """In which units they read."""
        ...


V = TypeVar("V", bound=View)


class Viewer(Listener, Generic[V]):
    """An open page. `version`: of the structure that it came with."""

    def __init__(self, view: V, version: str) -> None:
        super().__init__(view.audience)
        self.view = view
        self.version = version


class Seen(NamedTuple):
    """What a page shows now. `deaf_since`: the cloud itself hears no robot since then."""

    picture: Picture
    deaf_since: datetime | None = None


@dataclass(slots=True)
class _Open:
    """A page that somebody looks at, as it was told last."""

    seen: Seen
    told_at: float
    turn_at: float


@dataclass(frozen=True, slots=True)
class Round(Generic[V]):
    """What one read brought: a chunk for those who look already, and one for those who come, by the version they have."""

    chunks: dict[V, bytes]
    welcomes: dict[tuple[V, str], bytes]


class PageFeed(Feed, Generic[V]):
    """Sends a viewer all of its page at first, then what changes on it."""

    period_s = 1.0

    def __init__(self, name: str, *, round_s: float = ROUND_S) -> None:
        super().__init__(name)
        self._round_s = round_s
        self._open: dict[V, _Open] = {}
        self._new: set[Viewer[V]] = set()

    @abstractmethod
    def begin(self, views: Collection[V], now: datetime) -> None:
        """A round begins: ask what is shared by these pages. Runs in the feed's thread, as do the other two."""

    @abstractmethod
    def look(self, view: V) -> Seen:
        """One page as of the moment that `begin` was told."""

    def end(self) -> None:
        """The round is over."""

    def forget(self) -> None:
        """All of it: nobody watched."""
        self._open = {}

    @property
    def viewers(self) -> list[Viewer[V]]:
        """Every page that is open."""
        return [listener for listener in list(self.listeners) if isinstance(listener, Viewer)]

    def welcome(self, listener: Listener) -> None:
        """The next read, at most a second away, tells it everything."""
        if isinstance(listener, Viewer):
            self._new.add(listener)

    def leave(self, listener: Listener) -> None:
        """It is gone."""
        super().leave(listener)
        if isinstance(listener, Viewer):
            self._new.discard(listener)

    def read(self) -> Round[V]:
        """Look at every page that is open, those that waited longest first."""
        now = timezone.now()
        coming: dict[V, set[str]] = {}
        for viewer in list(self._new):
            coming.setdefault(viewer.view, set()).add(viewer.version)
        views = {viewer.view for viewer in self.viewers}
        self._open = {view: known for view, known in self._open.items() if view in views}
        found: Round[V] = Round({}, {})
        self.begin(views, now)
        started = time.monotonic()
        for view in sorted(views, key=lambda view: self._open[view].turn_at if view in self._open else 0.0):
            if found.chunks and time.monotonic() - started > self._round_s:
                break
            with using(view.units):
                self._tell(view, coming.get(view, set()), now.timestamp(), found)
        self.end()
        return found

    def _tell(self, view: V, versions: set[str], now: float, found: Round[V]) -> None:
        seen = self.look(view)
        deaf = seen.deaf_since.timestamp() if seen.deaf_since else None
        head = {"now": round(now, 3), "deaf_since": deaf}
        for version in versions:
            found.welcomes[view, version] = _event(head | {"whole": True} | everything(seen.picture, version))
        known = self._open.get(view)
        told = changes(known.seen.picture, seen.picture) if known is not None else {}
        if known is not None and not told and seen.deaf_since == known.seen.deaf_since and now - known.told_at < BEAT_S:
            known.turn_at = now
            found.chunks[view] = b""
            return
        found.chunks[view] = _event(head | told)
        self._open[view] = _Open(seen, now, now)

    def publish(self, found: Round[V]) -> None:
        """Hand each viewer what its page has."""
        for viewer in self.viewers:
            if viewer in self._new:
                chunk = found.welcomes.get((viewer.view, viewer.version), b"")
                if chunk:
                    self._new.discard(viewer)
            else:
                chunk = found.chunks.get(viewer.view, b"")
            if chunk:
                viewer.offer(chunk)


def _event(data: dict[str, Any]) -> bytes:
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"event: page\ndata: {body}\n\n".encode()
