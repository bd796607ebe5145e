"""Reads of the audit log, newest first, a page at a time. Each step is one step in an index, however long the log is.

Knows neither people nor roles: whoever asks says which organisations may be read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Final, Self

from django.db.models import Q

from croody.audit.models import Entries, Entry
from croody.web.address import whole

#: Organisations of one reader that are read together, one question each.
_MOST_ORGANISATIONS: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Readable:
    """What one may read. `organisations` None: everything. `user_id`: their own acts that concern no organisation."""

    organisations: tuple[int, ...] | None
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; empty and None: whatever. `since` is included, `until` is not."""

    organisation_id: int | None = None
    name: str = ""
    verb: str = ""
    thing: str = ""
    thing_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the log: behind it comes what is older."""

    at: datetime
    number: int

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Of an entry."""
        return cls(entry.at, entry.pk)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """From an address; None for what is no mark."""
        before, _dash, behind = text.partition("-")
        micros, number = whole(before), whole(behind)
        if micros is None or number is None:
            return None
        try:
            return cls(_EPOCH + micros * _MICROSECOND, number)
        except OverflowError:
            return None

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.number}"


def page(readable: Readable, wanted: Wanted, *, limit: int, after: Mark | None = None) -> list[Entry]:
    """At most `limit` entries behind `after`, newest first."""
    found = [part.order_by("-at", "-pk")[:limit] for part in _parts(readable, _behind(_filtered(wanted), after))]
    merged = merge(*found, key=Mark.of, reverse=True)
    return [entry for entry, _ in zip(merged, range(limit), strict=False)]


def everything(readable: Readable, wanted: Wanted, *, size: int = 1000) -> Iterator[list[Entry]]:
    """All of it, so many at a time: what an export writes out while it reads on."""
    after: Mark | None = None
    while some := page(readable, wanted, limit=size, after=after):
        yield some
        after = Mark.of(some[-1])
        if len(some) < size:
            return


def how_many(readable: Readable, wanted: Wanted, *, most: int) -> int:
    """How many there are; `most` when there are more."""
    left = most
    for part in _parts(readable, _filtered(wanted)):
        left -= part.order_by()[:left].count()
        if left <= 0:
            return most
    return most - left


def _filtered(wanted: Wanted) -> Entries:
    names = ("organisation_id", "name", "verb", "thing", "thing_id")
    asked = {name: getattr(wanted, name) for name in names if getattr(wanted, name)}
    if wanted.since is not None:
        asked["at__gte"] = wanted.since
    if wanted.until is not None:
        asked["at__lt"] = wanted.until
    return Entry.objects.filter(**asked)


def _behind(found: Entries, after: Mark | None) -> Entries:
    if after is None:
        return found
    # The first condition is what an index can begin at.
    return found.filter(Q(at__lte=after.at) & (Q(at__lt=after.at) | Q(pk__lt=after.number)))


def _parts(readable: Readable, found: Entries) -> list[Entries]:
    if readable.organisations is None:
        return [found]
    parts = [found.filter(organisation_id=one) for one in readable.organisations[:_MOST_ORGANISATIONS]]
    if readable.user_id is not None:
        parts.append(found.filter(organisation_id=None, user_id=readable.user_id))
    return parts
