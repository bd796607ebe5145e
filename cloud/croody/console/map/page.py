"""The map's page in one language: what its templates need, and the picture that its stream compares. Asks no database."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from croody.console.fleet.page import bell
from croody.console.fleet.roster import TROUBLED, Listed, Roster
from croody.console.fleet.words import STATES
from croody.fleet.models import Site
from croody.live.picture import PAGE, Picture, Text
from croody.live.pieces import Page, digest, drawn, piece
from croody.liveness.judge import State
from croody.monitor import plan
from croody.monitor import words as monitor
from croody.monitor.entry import Entry, Trail
from croody.monitor.page import CROWDED, DOTS, trail_paths
from croody.monitor.places import by_site, nowhere, places, worst
from croody.web import formats
from croody.web.address import query_of, typed

#: Of dots, robots that ask for somebody keep sign and name as long as they are no more than these.
NAMED: Final = 20
#: Robots that do not say where they are: so many are listed, all are counted.
LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says: a site by its slug, a robot to look at."""

    site: str = ""
    robot: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """From `?site=&robot=`."""
        return cls(typed(query, "site"), typed(query, "robot"))


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says: all robots, sites with their plans, what robots said last."""

    roster: Roster
    sites: Sequence[Site]
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Bot:
    """A robot on the plan, or in the list of those that say no place. `at`: unix seconds of its last reading."""

    robot_id: str
    state: str
    word: str
    at: float | None
    age: str


def chart(known: Known, asked: Asked, trails: Callable[[Sequence[Entry]], Mapping[str, Trail]], language: str) -> Page:
    """The page.

    Args:
        known: what the database says.
        asked: what the address says.
        trails: where robots were lately, of those that stand on the plan.
        language: of the words.
    """
    with override(language):
        now = known.roster.now.timestamp()
        listed = [robot for robot in known.roster.robots if robot.robot_id in known.entries]
        bots = {robot.robot_id: _bot(robot, known.entries[robot.robot_id], now) for robot in listed}
        site, drawing = _plan(known, asked)
        marks = _marks(known, site, drawing, language)
        dots = len(marks) > DOTS
        paths = trails([entry for entry, _mark in marks]) if drawing is not None and not dots else {}
        placeless = [bots[robot.robot_id] for robot in listed if nowhere(known.entries[robot.robot_id], known.sites)]
        at_sites = by_site((robot.site, robot.state) for robot in known.roster.robots)
        off = sum(bool(mark.off) for _entry, mark in marks)
        context: dict[str, Any] = {
            "sentence": _sentence(len(known.roster.robots), len(listed), len(placeless), language),
            "aside": _aside(known.roster, site, len(marks), off, dots, language),
            "total": len(known.roster.robots),
            "asked": asked,
            "site": site,
            "tabs": _tabs(known.sites, at_sites, site, language),
            "drawing": drawing,
            "marks": [
                {"row": bots[entry.robot_id], "mark": mark, "trail": trail_paths(paths.get(entry.robot_id), drawing, now)}
                for entry, mark in marks
            ]
            if drawing is not None
            else [],
            "mark_url": "console_robot",
            "crowded": len(marks) > CROWDED,
            "dots": dots,
            "swarm": dots and sum(entry.state in TROUBLED for entry, _mark in marks) > NAMED,
            "nowhere": placeless[:LISTED],
            "nowhere_note": _nowhere_note(len(placeless), language),
            "places": places(known.sites, at_sites, ((known.entries[robot.robot_id], robot.state) for robot in listed)),
            **bell(known.roster, language),
        }
        return Page(context, _picture(context, marks, paths, known.roster, language))


def _picture(
    context: Mapping[str, Any], marks: Sequence[tuple[Entry, monitor.Mark]], paths: Mapping[str, Trail], roster: Roster, language: str
) -> Picture:
    drawing = context["drawing"]
    texts: dict[str, Mapping[str, Text]] = {bot.robot_id: {"at": bot.at} for bot in context["nowhere"]}
    for entry, mark in marks:
        spot: list[float] = [mark.x, mark.y, mark.heading_deg]
        texts[entry.robot_id] = {"at": entry.at, "off": mark.off, "spot": spot, "hole": entry.hole_s}
    urgent = f"({roster.urgent}) " if roster.urgent else ""
    title = f"{urgent}{context['sentence']} · {_('Mapa')} · Croody"
    texts[PAGE] = {"sentence": context["sentence"], "aside": context["aside"], "title": title, "critical": roster.urgent}
    frame = digest([bool(context["total"]), drawing is not None, bool(context["places"])])
    pieces = {"structure": piece("console/map/structure.html", context, language, frame)}
    for place in ("rail", "bar"):
        pieces[f"bell-{place}"] = drawn("console/bell.html", {**context, "place": place}, language)
    lists: dict[str, list[str]] = {}
    if context["total"]:
        pieces["tabs"] = drawn("console/map/tabs.html", context, language, "structure")
        told = digest([[bot.robot_id, bot.state] for bot in context["nowhere"]])
        pieces["nowhere"] = piece("console/map/nowhere.html", context, language, told, "structure")
    if drawing is not None:
        floor = digest([repr(drawing), context["site"].pk, context["crowded"], context["dots"], context["swarm"]])
        pieces["plan-figure"] = piece("monitor/plan.html", context, language, floor, "structure")
        lists["robots"] = [f"mark-{entry.robot_id}" for entry, _mark in marks]
        for one in context["marks"]:
            shape = f"{one['row'].state} {bool(one['mark'].off)}"
            told_of = {**one, "mark_url": "console_robot"}
            pieces[f"mark-{one['row'].robot_id}"] = piece("monitor/mark.html", told_of, language, shape, "plan-figure")
    steps = {robot_id: _steps(trail, drawing) for robot_id, trail in paths.items()} if drawing is not None else {}
    return Picture(texts, pieces, lists, {"places": context["places"]}, {"trails": steps})


def _bot(robot: Listed, entry: Entry, now: float) -> Bot:
    age = formats.age(now - entry.at) if entry.at is not None else formats.NEVER
    return Bot(robot.robot_id, robot.state.value, str(STATES[robot.state]), entry.at, age)


def _steps(trail: Trail, drawing: plan.Drawing) -> list[list[float]]:
    """For the browser, in units of the drawing: unix seconds, x, y, and a fourth number for a hole."""
    spots = [(step, drawing.spot(step.x_m, step.y_m)) for step in trail.steps]
    return [[round(step.at, 2), spot.x, spot.y, *([1] if step.hole else [])] for step, spot in spots]


def _plan(known: Known, asked: Asked) -> tuple[Site | None, plan.Drawing | None]:
    """The site that is asked for, or of the robot that is; else the first one with something to draw."""
    wanted = asked.site
    if asked.robot and asked.robot in known.entries:
        wanted = known.entries[asked.robot].site
    chosen = [site for site in known.sites if site.slug == wanted] if wanted else known.sites
    for site in chosen or known.sites:
        here = [e for e in known.entries.values() if e.site == site.slug]
        drawing = plan.draw(site.plan or {}, [(e.x_m, e.y_m) for e in here if e.x_m is not None and e.y_m is not None])
        if drawing is not None:
            return site, drawing
    return (chosen[0], None) if chosen else (None, None)


def _marks(known: Known, site: Site | None, drawing: plan.Drawing | None, language: str) -> list[tuple[Entry, monitor.Mark]]:
    if site is None or drawing is None:
        return []
    found = []
    for entry in known.entries.values():
        mark = monitor.mark(entry, drawing, language) if entry.site == site.slug else None
        if mark is not None:
            found.append((entry, mark))
    # Who asks for somebody is drawn last: above the others.
    return sorted(found, key=lambda one: one[0].state in TROUBLED)


def _tabs(sites: Sequence[Site], states: Mapping[str, Sequence[State]], site: Site | None, language: str) -> list[dict[str, Any]]:
    """Each site with the worst of its states and how many robots work there."""
    return [
        {
            "name": one.name,
            "count": formats.number(len(states.get(one.slug, ())), 0, language),
            "state": worst(states.get(one.slug, [])).value,
            "current": site is not None and one.pk == site.pk,
            "address": query_of({"site": one.slug}),
        }
        for one in sites
    ]


def _sentence(total: int, listed: int, nowhere: int, language: str) -> str:
    """How many say no place. Of a fleet that is larger than what is drawn nothing is said but how much of it is."""
    if not total:
        return _("Aún no hay robots")
    if listed < total:
        numbers = {"count": formats.number(listed, 0, language), "total": formats.number(total, 0, language)}
        return _("Dónde están %(count)s de %(total)s robots, primero los que piden atención") % numbers
    if not nowhere:
        return _("Todos los robots dicen dónde están")
    text = ngettext("%(count)s robot no dice dónde está", "%(count)s robots no dicen dónde están", nowhere)
    return text % {"count": formats.counted(nowhere, language)}


def _aside(roster: Roster, site: Site | None, marks: int, off: int, dots: bool, language: str) -> str:
    if site is None:
        return ""
    here = Counter(robot.site for robot in roster.robots)[site.slug]
    numbers = {"site": site.name, "count": formats.number(marks, 0, language), "total": formats.number(here, 0, language)}
    parts = [_("%(site)s: %(count)s de %(total)s en el plano, en metros") % numbers]
    if off:
        parts.append(ngettext("%(count)s fuera del plano", "%(count)s fuera del plano", off) % {"count": formats.number(off, 0, language)})
    if not dots:
        parts.append(_("estela de 2 min"))
    return "; ".join(parts)


def _nowhere_note(count: int, language: str) -> str:
    if count <= LISTED:
        return formats.number(count, 0, language) if count else ""
    return _("los primeros %(shown)s de %(count)s") % {"shown": str(LISTED), "count": formats.number(count, 0, language)}
