"""Where robots are on Earth: what a map shows beside the plans, and who says no place at all. Pure; knows no page."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from croody.fleet.models import Site
from croody.liveness.judge import State
from croody.monitor.entry import Entry

_WORST: Final = (
    State.FAULTED,
    State.QUARANTINED,
    State.OFFLINE,
    State.STALE,
    State.MAINTENANCE,
    State.MOVING,
    State.ONLINE,
    State.OFF,
    State.UNKNOWN,
)


def worst(states: Iterable[State]) -> State:
    """The state that asks for somebody most; of no robots nothing is known."""
    return min(states, key=_WORST.index, default=State.UNKNOWN)


def by_site(robots: Iterable[tuple[str, State]]) -> dict[str, list[State]]:
    """Site's slug -> the states of all robots there."""
    states: dict[str, list[State]] = {}
    for site, state in robots:
        states.setdefault(site, []).append(state)
    return states


def nowhere(entry: Entry, sites: Sequence[Site]) -> bool:
    """Whether a robot says no place that a plan or a map could show."""
    on_a_plan = entry.x_m is not None and entry.y_m is not None and any(site.slug == entry.site for site in sites)
    return not on_a_plan and (entry.lat is None or entry.lng is None)


def places(sites: Sequence[Site], states: dict[str, list[State]], robots: Iterable[tuple[Entry, State]]) -> list[dict[str, Any]]:
    """What the map shows: sites whose place on Earth is known, with all their robots, and those of `robots` that are elsewhere."""
    found: list[dict[str, Any]] = []
    at_sites = set()
    for site in sites:
        if site.origin_lat is None or site.origin_lng is None:
            continue
        at_sites.add(site.slug)
        here = states.get(site.slug, [])
        place = {"name": site.name, "site": site.slug, "lat": site.origin_lat, "lng": site.origin_lng}
        found.append(place | {"state": worst(here).value, "count": str(len(here))})
    for entry, state in robots:
        inside = entry.site in at_sites and entry.x_m is not None
        if not inside and entry.lat is not None and entry.lng is not None:
            place = {"name": entry.robot_id, "site": "", "lat": entry.lat, "lng": entry.lng}
            found.append(place | {"state": state.value, "count": ""})
    return found
