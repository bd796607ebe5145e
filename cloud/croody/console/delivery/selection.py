"""Which robots the list shows, and which period a proof is for, as the address says it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from croody.console.delivery.facts import PAGE, Listed
from croody.web import zones
from croody.web.address import page_number, page_of, query_of, typed

WHAT: Final = ("gaps", "dead", "dropped")
#: A proof is for no longer: raw records, whose times it begins and ends with, are not kept longer by default.
MOST_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class Selection:
    """What the address asks for; what it cannot mean is left out."""

    q: str = ""
    what: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From `?q=&what=&page=`."""
        what = query.get("what", "")
        return cls(typed(query, "q"), what if what in WHAT else "", page_number(query.get("page", "")))

    @property
    def filters(self) -> bool:
        """Whether not all robots are asked for."""
        return bool(self.q or self.what)

    def address(self, *, page: int = 1, what: str | None = None) -> str:
        """The query for another page, or for others of them."""
        one = replace(self, page=page, what=self.what if what is None else what)
        return query_of({"q": one.q, "what": one.what, "page": one.page if one.page > 1 else ""})

    def chosen(self, robots: Sequence[Listed]) -> list[Listed]:
        """Those that are asked for, on all pages."""
        wanted = self.q.casefold()
        return [
            one
            for one in robots
            if (wanted in one.robot_id.casefold() or wanted in one.label.casefold()) and (not self.what or has(one, self.what))
        ]

    def shown(self, robots: Sequence[Listed]) -> tuple[Sequence[Listed], int, int]:
        """Robots of the page, its number, and how many pages there are."""
        return page_of(robots, self.page, PAGE)


def has(one: Listed, what: str) -> bool:
    """Whether a robot has such."""
    return {"gaps": one.sums.missing, "dead": one.sums.dead, "dropped": one.sums.dropped}[what] > 0


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` to `until`, which is excluded; in UTC. `zone`: in which zone its address says it."""

    since: datetime
    until: datetime
    zone: str = zones.UTC

    @classmethod
    def of(cls, query: Mapping[str, str], now: datetime, home: str = zones.UTC) -> Self | None:
        """From `?since=&until=&zone=` (`2026-11-30T08:00`, in UTC unless a zone or an offset is given); the last 24 hours without them.

        Args:
            home: the reader's zone, in which the last 24 hours are said.

        None: no period, it ends before it begins, it is longer than `MOST_DAYS`, or nobody knows the zone.
        """
        if not query.get("since") and not query.get("until"):
            end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
            return cls(end - timedelta(days=1), end, home)
        name = query.get("zone") or zones.UTC
        place = zones.zone(name)
        if place is None:
            return None
        since, until = _moment(query.get("since", ""), place), _moment(query.get("until", ""), place)
        if since is None or until is None or not timedelta(0) < until - since <= timedelta(days=MOST_DAYS):
            return None
        return cls(since, until, name)

    @property
    def fields(self) -> dict[str, str]:
        """As the form and an address say it."""
        place = ZoneInfo(self.zone)
        since, until = (f"{at.astimezone(place):%Y-%m-%dT%H:%M}" for at in (self.since, self.until))
        return {"since": since, "until": until, "zone": self.zone}

    @property
    def query(self) -> str:
        """As an address says it."""
        return query_of(self.fields)


def _moment(text: str, place: ZoneInfo) -> datetime | None:
    try:
        at = datetime.fromisoformat(text[:40])
        found = (at.replace(tzinfo=place) if at.tzinfo is None else at).astimezone(UTC)
        # A day more or less must still be a day, in any zone.
        return found if 1 < found.year < 9999 else None
    except (ValueError, OverflowError):
        return None
