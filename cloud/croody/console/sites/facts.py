"""Asks for the sites that a person works with. Words nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q

from croody.accounts.caller import Caller
from croody.accounts.models import Organisation
from croody.fleet.access import Action, organisations
from croody.fleet.models import Robot, Site
from croody.web.refusals import Denied

#: Sites on the page. An organisation has no more, and few people are in several.
MOST: Final = 400
_MOST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A site. `size`: width and height in metres; `where`: latitude and longitude; None where nobody said."""

    number: int
    name: str
    slug: str
    organisation: str
    robots: int
    size: tuple[float, float] | None
    where: tuple[float, float] | None
    may_change: bool


def listed(caller: Caller) -> list[Listed]:
    """Sites of the organisations that this person works with, by name."""
    change = set(organisations(caller, Action.CONFIGURE).values_list("pk", flat=True))
    here = Count("robots", Q(robots__deleted_at=None))
    found = Site.objects.filter(organisation__in=organisations(caller, Action.INSPECT)).select_related("organisation").annotate(here=here)
    return [_listed(site, site.organisation_id in change) for site in found.order_by("name", "pk")[:MOST]]


def teams(caller: Caller) -> list[Organisation]:
    """Organisations in which this person may make a site, by name."""
    return list(organisations(caller, Action.CONFIGURE).order_by("name", "pk")[:MOST])


def site_of(caller: Caller, number: int, action: Action) -> Site:
    """A site, when this person may do this to it.

    Raises:
        Denied: 404, there is none that they know of; 403, they may not.
    """
    site = Site.objects.select_related("organisation").filter(pk=number).first() if number <= _MOST_ID else None
    if site is None or not organisations(caller, Action.INSPECT).filter(pk=site.organisation_id).exists():
        raise Denied(404, f"there is no site {number} that you may see")
    if not organisations(caller, action).filter(pk=site.organisation_id).exists():
        raise Denied(403, f"site {number}: your role in its organisation does not let you {action} it")
    return site


def administers(caller: Caller, site: Site) -> bool:
    """Say whether this person may delete it."""
    return organisations(caller, Action.ADMINISTER).filter(pk=site.organisation_id).exists()


def robots_at(site: Site) -> int:
    """How many robots work there."""
    return Robot.objects.filter(site=site, deleted_at=None).count()


def size_of(plan: Mapping[str, Any]) -> tuple[float, float] | None:
    """Width and height of a plan. It is somebody's JSON."""
    width, height = plan.get("width_m"), plan.get("height_m")
    sound = all(isinstance(side, int | float) and not isinstance(side, bool) and side > 0 for side in (width, height))
    return (float(str(width)), float(str(height))) if sound else None


def _listed(site: Site, may_change: bool) -> Listed:
    where = (site.origin_lat, site.origin_lng) if site.origin_lat is not None and site.origin_lng is not None else None
    robots: int = getattr(site, "here", 0)
    plan = site.plan if isinstance(site.plan, dict) else {}
    return Listed(site.pk, site.name, site.slug, site.organisation.name, robots, size_of(plan), where, may_change)
