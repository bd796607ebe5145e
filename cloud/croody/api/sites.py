"""A site as bodies name it: by its number."""

from croody.api.errors import Wrong
from croody.fleet.models import Site


def site_of(organisation_id: int, number: int | None) -> Site | None:
    """The site of this number; None for None.

    Raises:
        Wrong: it is none of this organisation's.
    """
    if number is None:
        return None
    site = Site.objects.filter(pk=number, organisation=organisation_id).first()
    if site is None:
        raise Wrong("site", number, "a site of the robot's own organisation", "send the number of one: GET /api/v1/sites has them")
    return site
