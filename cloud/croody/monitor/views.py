"""`/robots/monitor/` and its stream. Reads through `reader`, words through `shown`; a lost database is an answer, not an exception."""

import logging
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseError
from django.db import connections
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from croody.accounts.caller import of_session
from croody.accounts.rules import open_to
from croody.fleet.access import Action, ids_seen
from croody.fleet.models import Site
from croody.live.hub import Listener
from croody.live.views import answer, follow
from croody.monitor import findings, found, plan, reader, shown
from croody.monitor.digest import Entry, Trail
from croody.monitor.feed import feed
from croody.monitor.reader import Picture
from croody.web import formats

log = logging.getLogger(__name__)
#: Robots on one page; the sentence and the plan always count them all.
#: More names than this do not fit on the plan of a phone; the list has them all.
CROWDED: Final = 6


@never_cache
@require_GET
@open_to("anybody")
def monitor(request: HttpRequest) -> HttpResponse:
    """What the robots do now. 503 and a page that heals by itself while the database is away."""
    try:
        context = _context(request)
    except DatabaseError as error:
        log.warning("monitor: the database is lost (%s)", str(error).partition("\n")[0])
        connections.close_all()
        request.user = AnonymousUser()
        now = timezone.now()
        context = {"section": "monitor", "lost": True, "now": now.timestamp(), "words": shown.words(), "rows": [], "tabs": []}
        return render(request, "monitor/monitor.html", context, status=503)
    return render(request, "monitor/monitor.html", context)


@never_cache
@require_GET
@open_to(Action.INSPECT)
def detection(request: HttpRequest) -> HttpResponse:
    """The section on what was noticed, by itself. 404 for whoever has none: nothing tells it from an address that is not there."""
    now = timezone.now()
    try:
        noticed = findings.read(of_session(request), now)
    except DatabaseError as error:
        log.warning("monitor: the database is lost (%s)", str(error).partition("\n")[0])
        connections.close_all()
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    if noticed is None:
        raise Http404
    return render(request, "monitor/detection.html", {"found": found.show(noticed, now, get_language() or "es")})


@require_GET
@open_to("anybody")
async def stream(request: HttpRequest) -> HttpResponseBase:
    """The picture once a second, as server-sent events `all` (at first) and `some` (what changed)."""
    try:
        audience = await sync_to_async(of_session)(request)
    except DatabaseError:
        return HttpResponse(status=503, headers={"Retry-After": "2"})
    return answer(follow(feed, Listener(audience)))


def _context(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    language = get_language() or "es"
    visible = ids_seen(of_session(request))
    picture = reader.read(visible, now)
    places = _sites(picture)
    site = next((place for place in places if place.slug == request.GET.get("sitio")), places[0] if places else None)
    here = [entry for entry in picture.entries if site is not None and entry.site == site.slug]
    drawing = plan.draw(site.plan or {}, [(e.x_m, e.y_m) for e in here if e.x_m is not None and e.y_m is not None]) if site else None
    on_plan = {entry.robot_id for entry in here if entry.x_m is not None and entry.y_m is not None}
    rows = [shown.row(entry, now, language, drawing if entry.robot_id in on_plan else None) for entry in picture.entries]
    trails = reader.trails([entry for entry in here if entry.robot_id in on_plan], now) if drawing is not None else {}
    page = _page(request, len(rows))
    noticed = findings.read(of_session(request), now)
    newest = max((entry.at for entry in picture.entries if entry.at is not None), default=None)
    return {
        "section": "monitor",
        "sentence": shown.sentence(picture.entries, language),
        "attention": shown.attention(picture.entries, language),
        "own": request.user.is_authenticated,
        "now": now.timestamp(),
        "newest": newest,
        "newest_age": formats.age(now.timestamp() - newest) if newest is not None else "",
        "deaf_since": picture.deaf_since,
        "tabs": [{"site": place, "count": sum(entry.site == place.slug for entry in picture.entries)} for place in places],
        "site": site,
        "drawing": drawing,
        "marks": [(row, _trail(trails.get(row.robot_id), drawing, now.timestamp())) for row in rows if row.mark is not None and drawing],
        "rows": rows[(page - 1) * shown.PAGE : page * shown.PAGE],
        "pages": -(-len(rows) // shown.PAGE),
        "page": page,
        "ids": [row.robot_id for row in rows],
        "crowded": len(on_plan) > CROWDED,
        "nowhere": [shown.row(entry, now, language) for entry in picture.entries if _nowhere(entry, places)],
        "places": _geography(places, picture),
        "found": found.show(noticed, now, language) if noticed is not None else None,
        "words": shown.words(),
    }


def _page(request: HttpRequest, count: int) -> int:
    text = request.GET.get("pagina", "1")
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return max(1, min(wanted, -(-count // shown.PAGE)))


def _sites(picture: Picture) -> list[Site]:
    """Sites with something to draw, by name: a plan, or robots that say where they are in metres."""
    placed = {entry.site for entry in picture.entries if entry.site and entry.x_m is not None and entry.y_m is not None}
    ids = [entry.robot_id for entry in picture.entries]
    return [place for place in reader.sites(ids) if place.slug in placed or (place.plan or {}).get("width_m")]


def _nowhere(entry: Entry, places: list[Site]) -> bool:
    on_a_plan = entry.x_m is not None and entry.y_m is not None and any(place.slug == entry.site for place in places)
    return not on_a_plan and entry.lat is None


def _geography(places: list[Site], picture: Picture) -> list[dict[str, Any]]:
    """What the map shows: sites whose place on Earth is known, and robots that are at none of them and say where they are."""
    found: list[dict[str, Any]] = []
    at_sites = set()
    for place in places:
        if place.origin_lat is None or place.origin_lng is None:
            continue
        at_sites.add(place.slug)
        ids = [entry.robot_id for entry in picture.entries if entry.site == place.slug]
        found.append({"name": place.name, "site": place.slug, "lat": place.origin_lat, "lng": place.origin_lng, "robots": ids})
    for entry in picture.entries:
        inside = entry.site in at_sites and entry.x_m is not None
        if not inside and entry.lat is not None and entry.lng is not None:
            found.append({"name": entry.robot_id, "site": "", "lat": entry.lat, "lng": entry.lng, "robots": [entry.robot_id]})
    return found


def _trail(trail: Trail | None, drawing: plan.Drawing, now: float) -> list[str]:
    """Three paths, oldest first. Neighbours share a point, so that no gap shows where there is none."""
    parts: list[list[str]] = [[], [], []]
    before: tuple[int, str] | None = None
    for step in trail.steps if trail is not None else ():
        part = 2 - max(0, min(2, int((now - step.at) / 40)))
        point = "{:g} {:g}".format(*drawing.place(step.x_m, step.y_m))
        if before is None or step.hole:
            parts[part].append(f"M{point}")
        elif before[0] != part:
            parts[part].append(f"M{before[1]}L{point}")
        else:
            parts[part].append(f"L{point}")
        before = (part, point)
    return ["".join(path) for path in parts]
