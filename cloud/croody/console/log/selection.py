"""Which entries the page shows, as its address says it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from croody.audit.queries import Mark, Wanted
from croody.web import zones
from croody.web.address import query_of, typed

#: Nobody types more than this.
_LONGEST: Final = 160
_FIELDS: Final = ("who", "verb", "thing", "id", "org", "since", "until")


@dataclass(frozen=True, slots=True)
class Selection:
    """What the address asks for; what it cannot mean is left out. `since` and `until` are days in `zone`, both included."""

    who: str = ""
    verb: str = ""
    thing: str = ""
    id: str = ""
    org: str = ""
    since: str = ""
    until: str = ""
    zone: str = zones.UTC
    after: Mark | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], home: str = zones.UTC) -> Self:
        """From `?who=&verb=&thing=&id=&org=&since=&until=&zone=&after=`. `home`: the reader's zone, where no day is asked for."""
        said = {name: typed(query, name, _LONGEST) for name in _FIELDS}
        for name in ("since", "until"):
            said[name] = said[name] if _day(said[name]) else ""
        days = said["since"] or said["until"]
        zone = typed(query, "zone", _LONGEST) or (zones.UTC if days else home)
        return cls(**said, zone=zone if zones.zone(zone) else zones.UTC, after=Mark.read(query.get("after", "")))

    @property
    def filters(self) -> bool:
        """Whether not everything is asked for."""
        return any(getattr(self, name) for name in _FIELDS)

    def address(self, **changes: str) -> str:
        """The query that asks for this, with some of it changed, from its beginning."""
        one = replace(self, after=None, **changes)
        said = {name: getattr(one, name) for name in _FIELDS}
        return query_of(said | ({"zone": one.zone} if one.since or one.until else {}))

    def behind(self, mark: Mark) -> str:
        """The query for what is older than this."""
        here = self.address()
        return f"{here}{'' if here == '?' else '&'}after={mark}"

    def wanted(self, organisation_id: int | None) -> Wanted:
        """As the log is asked."""
        since, until = _day(self.since), _day(self.until)
        place = ZoneInfo(self.zone)
        return Wanted(
            organisation_id=organisation_id,
            name=self.who,
            verb=self.verb,
            thing=self.thing,
            thing_id=self.id,
            since=_midnight(since, place) if since is not None else None,
            until=_midnight(until + timedelta(days=1), place) if until is not None else None,
        )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # A day more or less must still be a day.
    return day if 1 < day.year < 9999 else None


def _midnight(day: date, place: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)
