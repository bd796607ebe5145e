"""Which entries the page shows, as its address says it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self

from croody.audit.queries import Mark, Wanted
from croody.web.address import query_of, typed

#: Nobody types more than this.
_LONGEST: Final = 160
_FIELDS: Final = ("who", "verb", "thing", "id", "org", "since", "until")


@dataclass(frozen=True, slots=True)
class Selection:
    """What the address asks for; what it cannot mean is left out. `since` and `until` are days in UTC, both included."""

    who: str = ""
    verb: str = ""
    thing: str = ""
    id: str = ""
    org: str = ""
    since: str = ""
    until: str = ""
    after: Mark | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """From `?who=&verb=&thing=&id=&org=&since=&until=&after=`."""
        said = {name: typed(query, name, _LONGEST) for name in _FIELDS}
        for name in ("since", "until"):
            said[name] = said[name] if _day(said[name]) else ""
        return cls(**said, after=Mark.read(query.get("after", "")))

    @property
    def filters(self) -> bool:
        """Whether not everything is asked for."""
        return any(getattr(self, name) for name in _FIELDS)

    def address(self, **changes: str) -> str:
        """The query that asks for this, with some of it changed, from its beginning."""
        one = replace(self, after=None, **changes)
        return query_of({name: getattr(one, name) for name in _FIELDS})

    def behind(self, mark: Mark) -> str:
        """The query for what is older than this."""
        here = self.address()
        return f"{here}{'' if here == '?' else '&'}after={mark}"

    def wanted(self, organisation_id: int | None) -> Wanted:
        """As the log is asked."""
        until = _day(self.until)
        return Wanted(
            organisation_id=organisation_id,
            name=self.who,
            verb=self.verb,
            thing=self.thing,
            thing_id=self.id,
            since=_day(self.since),
            until=until + timedelta(days=1) if until is not None else None,
        )


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # A day more must still be a day.
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day.year < 9999 else None
