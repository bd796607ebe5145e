"""The monitor's page in one language: what its templates need, and the picture that its stream compares. Asks no database.

The same templates make the first answer and the pieces that a stream sends.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from croody.fleet.models import Site
from croody.live.picture import PAGE, Picture, Text
from croody.live.pieces import Page, digest, drawn, piece
from croody.monitor import plan, words
from croody.monitor.entry import Entry, Trail
from croody.monitor.facts import Roster
from croody.monitor.gaps import Gaps
from croody.monitor.places import by_site, nowhere, places
from croody.monitor.selection import PAGE as PAGE_SIZE
from croody.monitor.selection import TROUBLE, Selection, Shown, select
from croody.monitor.words import TROUBLED, Row
from croody.web import formats

#: More names than this do not fit on the plan of a phone; the list has them all.
CROWDED: Final = 6
#: More robots than this are dots: names and trails would cover each other, and the floor.
DOTS: Final = 50
#: Robots that the strip of the home page shows; more are counted in words.
STRIP: Final = 60


class Rows:
    """Rows of one moment in one language, made once however many pages show them."""

    def __init__(self, now: datetime, language: str, gaps: Gaps) -> None:
        self.now = now
        self.language = language
        self._gaps = gaps
        self._made: dict[str, Row] = {}

    def of(self, entry: Entry) -> Row:
        """The row of a robot."""
        made = self._made.get(entry.robot_id)
        if made is None:
            sign = self._gaps.sign(entry.robot_id, entry.delivery, self.now.timestamp())
            made = self._made[entry.robot_id] = words.row(entry, self.now, self.language, sign)
        return made


def shown_on(roster: Roster, asked: Selection) -> Shown:
    """The robots of this page."""
    return select(roster.robots, asked)


def monitor(
    roster: Roster,
    asked: Selection,
    shown: Shown,
    entries: Mapping[str, Entry],
    trails: Callable[[Sequence[Entry]], Mapping[str, Trail]],
    rows: Rows,
) -> Page:
    """The page of robots.

    Args:
        roster: all robots of whoever looks.
        asked: what the address says.
        shown: the robots of this page.
        entries: what is known of these, by their id.
        trails: where they were lately, of those that stand on the plan.
        rows: their words, shared with other pages.
    """
    language, now = rows.language, rows.now
    with override(language):
        here = [entries[robot.robot_id] for robot in shown.robots if robot.robot_id in entries]
        listed = [rows.of(entry) for entry in here]
        site, drawing = _plan(roster.sites, asked, here)
        at_site = [entry for entry in here if site is not None and entry.site == site.slug]
        marks = _marks(at_site, drawing, rows) if drawing is not None else []
        dots = len(marks) > DOTS
        paths = trails([entry for entry, _, _ in marks]) if drawing is not None and not dots else {}
        at_sites = by_site((robot.site, robot.state) for robot in roster.robots)
        on_earth = places(roster.sites, at_sites, ((entry, entry.state) for entry in here))
        placeless = [rows.of(entry) for entry in here if nowhere(entry, roster.sites)]
        counts = roster.counts()
        newest = max((entry.at for entry in here if entry.at is not None), default=None)
        sentence = words.sentence(counts, language)
        context: dict[str, Any] = {
            "section": "monitor",
            "sentence": sentence,
            "attention": words.attention(_troubled(roster), language, alarms=roster.alarms, gaps=roster.gaps),
            "total": len(roster.robots),
            "now": now.timestamp(),
            "newest": newest,
            "newest_age": formats.age(now.timestamp() - newest) if newest is not None else "",
            "asked": asked,
            "shown": shown,
            "tabs": _tabs(roster, asked, language),
            "states": _states(asked),
            "clear": asked.address(state="", search=""),
            "site": site,
            "drawing": drawing,
            "marks": [
                {"row": row, "mark": mark, "trail": trail_paths(paths.get(row.robot_id), drawing, now.timestamp())}
                for _, row, mark in marks
            ]
            if drawing is not None
            else [],
            "crowded": len(marks) > CROWDED,
            "dots": dots,
            "plan_note": _plan_note(site, roster, marks, dots, language),
            "list_note": _list_note(roster, shown, asked, language),
            "rows": listed,
            "nowhere": placeless,
            "nowhere_note": _nowhere_note(placeless, language),
            "places": on_earth,
            "previous": asked.address(page=shown.page - 1) if shown.page > 1 else "",
            "next": asked.address(page=shown.page + 1) if shown.page < shown.pages else "",
            "first_page": not asked.site and not asked.filters and shown.page == 1,
        }
        return Page(context, _picture(context, listed, marks, _steps(paths, drawing), language))


def strip(roster: Roster, entries: Mapping[str, Entry], rows: Rows) -> Page:
    """The strip of the home page: the first robots, those in trouble before the others."""
    language = rows.language
    with override(language):
        listed = [rows.of(entries[robot.robot_id]) for robot in roster.robots[:STRIP] if robot.robot_id in entries]
        hidden = len(roster.robots) - len(listed)
        more = ""
        if hidden:
            text = ngettext("y %(count)s robot más", "y %(count)s robots más", hidden)
            more = text % {"count": formats.number(hidden, 0, language)}
        counts = roster.counts()
        more = ", ".join(filter(None, (more, words.aside(counts, language))))
        sentence = words.sentence(counts, language)
        attention = {
            "attention": words.attention(_troubled(roster), language, alarms=roster.alarms, gaps=roster.gaps),
            "total": len(roster.robots),
            "elsewhere": True,
        }
        texts: dict[str, dict[str, Text]] = {row.robot_id: {"at": row.at} for row in listed}
        texts[PAGE] = {"sentence": sentence, "more": more}
        pieces = {f"strip-{row.robot_id}": piece("monitor/strip_item.html", {"row": row}, language, row.state) for row in listed}
        pieces["attention"] = drawn("monitor/attention.html", attention, language)
        picture = Picture(texts, pieces, {"strip": [f"strip-{row.robot_id}" for row in listed]})
        return Page({"sentence": sentence, "rows": listed, "more": more, "version": picture.version, **attention}, picture)


def trail_paths(trail: Trail | None, drawing: plan.Drawing, now: float) -> list[str]:
    """Three paths, oldest first. Neighbours share a point, so that no gap shows where there is none."""
    parts: list[list[str]] = [[], [], []]
    before: tuple[int, str] | None = None
    for step in trail.steps if trail is not None else ():
        part = 2 - max(0, min(2, int((now - step.at) / 40)))
        spot = drawing.spot(step.x_m, step.y_m)
        point = f"{spot.x:g} {spot.y:g}"
        if before is None or step.hole:
            parts[part].append(f"M{point}")
        elif before[0] != part:
            parts[part].append(f"M{before[1]}L{point}")
        else:
            parts[part].append(f"L{point}")
        before = (part, point)
    return ["".join(path) for path in parts]


def _picture(
    context: Mapping[str, Any],
    listed: Sequence[Row],
    marks: Sequence[tuple[Entry, Row, words.Mark]],
    steps: Mapping[str, list[list[float]]],
    language: str,
) -> Picture:
    texts: dict[str, dict[str, Text]] = {row.robot_id: dict(row.texts) for row in listed}
    for entry, row, mark in marks:
        texts[row.robot_id] |= {"off": mark.off, "spot": [mark.x, mark.y, mark.heading_deg], "hole": entry.hole_s}
    texts[PAGE] = {
        "sentence": context["sentence"],
        "title": f"{context['sentence']} · {_('Robots en vivo')} · Croody",
        "at": context["newest"],
        "list_note": context["list_note"],
        "plan_note": context["plan_note"],
    }
    drawing = context["drawing"]
    frame = digest([bool(context["total"]), drawing is not None, bool(context["places"])])
    floor = digest([repr(drawing), context["site"].pk if context["site"] else None, context["crowded"], context["dots"]])
    whole = {"structure": piece("monitor/structure.html", context, language, frame)}
    parts = {"attention": drawn("monitor/attention.html", context, language)}
    if context["total"]:
        parts |= {name: drawn(f"monitor/{name}.html", context, language, "structure") for name in ("tabs", "pages")}
        told = digest([[row.robot_id, row.state] for row in context["nowhere"]])
        parts["nowhere"] = piece("monitor/nowhere.html", context, language, told, "structure")
    if drawing is not None:
        parts["plan-figure"] = piece("monitor/plan.html", context, language, floor, "structure")
    for one, (_entry, row, mark) in zip(context["marks"], marks, strict=True):
        # Where its name has room a browser sees for itself.
        shape = f"{row.state} {bool(mark.off)}"
        parts[f"mark-{row.robot_id}"] = piece("monitor/mark.html", one, language, shape, "plan-figure")
    for row in listed:
        parts[f"robot-{row.robot_id}"] = piece("monitor/row.html", {"row": row}, language, row.shape, "structure")
    lists = {"rows": [f"robot-{row.robot_id}" for row in listed]}
    if drawing is not None:
        lists["robots"] = [f"mark-{row.robot_id}" for _entry, row, _mark in marks]
    return Picture(texts, whole | parts, lists, {"places": context["places"]}, {"trails": steps})


def _troubled(roster: Roster) -> Iterable[str]:
    return (robot.robot_id for robot in roster.robots if robot.state in TROUBLED)


def _plan(sites: Sequence[Site], asked: Selection, here: Sequence[Entry]) -> tuple[Site | None, plan.Drawing | None]:
    """The site that is asked for, else the first one with something to draw: a plan, or robots that say where they are in metres."""
    for site in sites:
        if asked.site and site.slug != asked.site:
            continue
        at_site = [(e.x_m, e.y_m) for e in here if e.site == site.slug and e.x_m is not None and e.y_m is not None]
        if not asked.site and not at_site and not any(entry.site == site.slug for entry in here):
            continue
        drawing = plan.draw(site.plan or {}, at_site)
        if drawing is not None:
            return site, drawing
    return None, None


def _marks(at_site: Sequence[Entry], drawing: plan.Drawing, rows: Rows) -> list[tuple[Entry, Row, words.Mark]]:
    found = []
    for entry in at_site:
        mark = words.mark(entry, drawing, rows.language)
        if mark is not None:
            found.append((entry, rows.of(entry), mark))
    # Who asks for somebody is drawn last: above the others.
    return sorted(found, key=lambda one: one[0].state in TROUBLED)


def _steps(paths: Mapping[str, Trail], drawing: plan.Drawing | None) -> dict[str, list[list[float]]]:
    """Trails for the browser, in units of the drawing: unix seconds, x, y, and a fourth number for a hole."""
    if drawing is None:
        return {}
    found: dict[str, list[list[float]]] = {}
    for robot_id, trail in paths.items():
        spots = [(step, drawing.spot(step.x_m, step.y_m)) for step in trail.steps]
        found[robot_id] = [[round(step.at, 2), spot.x, spot.y, *([1] if step.hole else [])] for step, spot in spots]
    return found


def _tabs(roster: Roster, asked: Selection, language: str) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    for robot in roster.robots:
        counts[robot.site] = counts.get(robot.site, 0) + 1
    tabs = [
        {"name": site.name, "count": formats.number(counts.get(site.slug, 0), 0, language), "current": asked.site == site.slug}
        | {"address": asked.address(site=site.slug)}
        for site in roster.sites
    ]
    if len(roster.sites) == 1 and counts.get(roster.sites[0].slug) == len(roster.robots):
        # All of them are there: nothing to choose, and the plan says where.
        return []
    everywhere = {"name": _("Todos"), "count": formats.number(len(roster.robots), 0, language), "current": not asked.site}
    return [everywhere | {"address": asked.address(site="")}, *tabs]


def _states(asked: Selection) -> list[dict[str, Any]]:
    """What the list can be narrowed to."""
    told = [(TROUBLE, _("Piden atención")), *((state.value, str(word)) for state, word in words.WORDS.items())]
    return [{"value": value, "word": word, "current": asked.state == value} for value, word in told]


def _plan_note(site: Site | None, roster: Roster, marks: Sequence[tuple[Entry, Row, words.Mark]], dots: bool, language: str) -> str:
    if site is None:
        return ""
    parts = [_("%(site)s, plano en metros") % {"site": site.name}]
    if not dots:
        parts.append(_("estela de 2 min"))
    elsewhere = sum(robot.site == site.slug for robot in roster.robots) - len(marks)
    off = sum(bool(mark.off) for _entry, _row, mark in marks)
    if off:
        parts.append(ngettext("%(count)s fuera del plano", "%(count)s fuera del plano", off) % {"count": formats.number(off, 0, language)})
    if elsewhere > 0 and len(roster.robots) > PAGE_SIZE:
        text = ngettext("%(count)s en otra página", "%(count)s en otras páginas", elsewhere)
        parts.append(text % {"count": formats.number(elsewhere, 0, language)})
    return "; ".join(parts)


def _list_note(roster: Roster, shown: Shown, asked: Selection, language: str) -> str:
    parts = []
    if asked.filters or asked.site:
        numbers = {"count": formats.number(shown.total, 0, language), "total": formats.number(len(roster.robots), 0, language)}
        parts.append(_("%(count)s de %(total)s") % numbers)
    if shown.pages > 1:
        numbers = {"page": formats.number(shown.page, 0, language), "pages": formats.number(shown.pages, 0, language)}
        parts.append(_("página %(page)s de %(pages)s") % numbers)
    parts += filter(None, [words.aside(roster.counts(), language), _("primero los que piden atención")])
    return " · ".join(parts)


def _nowhere_note(nowhere: Sequence[Row], language: str) -> str:
    if not nowhere:
        return ""
    text = ngettext("%(count)s robot no la informa", "%(count)s robots no la informan", len(nowhere))
    return text % {"count": formats.number(len(nowhere), 0, language)}
