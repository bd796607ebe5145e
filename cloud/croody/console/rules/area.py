"""The plan on which the area of a rule is drawn, with what its corners say so far. Asks for the sites of its organisation."""

from collections.abc import Mapping, Sequence
from typing import Any

from croody.fleet.models import Site
from croody.monitor import plan
from croody.notices import spec
from croody.notices.spec import BadRule


def drawn(form: Mapping[str, Any], sites: Sequence[Site]) -> dict[str, Any]:
    """What the template needs: the plan of the site that the form names, else of the first that has one; nothing where none has."""
    wanted = str(form.get("site") or "")
    for site in [site for site in sites if str(site.pk) == wanted] or sites:
        drawing = plan.draw(site.plan or {})
        if drawing is not None:
            return {"site": site, "drawing": drawing, "area": _corners(form.get("points"), drawing), "marks": []}
    return {}


def _corners(points: Any, drawing: plan.Drawing) -> str:
    """As SVG has them, in units of the drawing; empty while they are not three."""
    try:
        corners = spec.points_of(points or "")
    except BadRule:
        return ""
    return " ".join("{:.1f},{:.1f}".format(*drawing.place(x, y)) for x, y in corners) if len(corners) > 2 else ""
