"""Asks the audit log for what the page shows: what a person may read of it, and the organisations they may choose. Words nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.audit import queries
from croody.audit.models import Entry
from croody.audit.queries import Readable, Wanted
from croody.console.log.selection import Selection
from croody.console.log.words import MOST


def readable(caller: Caller) -> Readable:
    """The log of each organisation that somebody is in, whatever they are there; a superuser's is all of it."""
    if caller.superuser:
        return Readable(None)
    return Readable(tuple(organisation for organisation, _role in caller.roles), caller.user_id)


def organisations(caller: Caller) -> dict[str, Organisation]:
    """Slug -> organisation, of those whose log may be read; the first two hundred by name."""
    may = readable(caller).organisations
    found = Organisation.objects.order_by("name", "slug")
    return {one.slug: one for one in (found if may is None else found.filter(pk__in=may))[:200]}


def people(entries: Sequence[Entry]) -> dict[int, str]:
    """What those are called whom alarms were given to, as these entries tell it."""
    numbers = {values.get("assignee_id") for entry in entries for values in (entry.before, entry.after)}
    given = {number for number in numbers if isinstance(number, int)}
    found = User.objects.filter(pk__in=given) if given else ()
    return {user.pk: user.get_full_name() or user.get_username() for user in found}


def wanted(asked: Selection, known: dict[str, Organisation]) -> Wanted:
    """As the log is asked. An organisation that one may not read narrows nothing: the rest is not shown either."""
    chosen = known.get(asked.org)
    return asked.wanted(chosen.pk if chosen is not None else None)


def count(caller: Caller, asked: Selection, known: dict[str, Organisation], now: datetime) -> int:
    """How many entries match, or how many there were in the last day when nothing is asked for; `MOST` for more."""
    which = wanted(asked, known) if asked.filters else Wanted(since=now - timedelta(days=1))
    return queries.how_many(readable(caller), which, most=MOST)
