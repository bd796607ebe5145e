"""Asks the database for where robots are. Words nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from croody.accounts.caller import Caller
from croody.console.fleet.roster import Listed
from croody.fleet.access import Action
from croody.fleet.access import robots as robots_of
from croody.fleet.models import Site
from croody.monitor import facts as monitor
from croody.monitor.entry import Entry, Trail

#: Sites of which one can be chosen, and robots that are drawn and listed; all are counted.
MOST_SITES: Final = 200
MOST_ROBOTS: Final = 2000


def sites(audience: Caller) -> tuple[Site, ...]:
    """Sites where the robots of this audience work, by name, with their plans."""
    used = robots_of(audience, Action.INSPECT).filter(site__isnull=False).order_by().values("site")
    return tuple(Site.objects.filter(pk__in=used).order_by("name", "slug")[:MOST_SITES])


def entries(listed: Sequence[Listed]) -> dict[str, Entry]:
    """What the first of these said last."""
    known = [monitor.Listed(one.robot_id, one.kind, one.site, one.state, one.interval_s) for one in listed[:MOST_ROBOTS]]
    return {entry.robot_id: entry for entry in monitor.entries(known)}


def trails(entries: Collection[Entry], now: datetime) -> dict[str, Trail]:
    """Where these were during the last two minutes."""
    return monitor.trails(entries, now)
