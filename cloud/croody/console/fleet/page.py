"""The fleet's page in one language: what its templates need, and the picture that its stream compares. Asks no database.

The same templates make the first answer and the pieces that a stream sends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import override

from croody.alarms import inbox
from croody.alarms.models import Alarm
from croody.console.fleet import spark, words
from croody.console.fleet.roster import Listed, Roster
from croody.console.fleet.selection import TROUBLE, Selection, Shown
from croody.console.frame import words_of_bell
from croody.live.picture import PAGE, Picture, Piece, Text
from croody.live.pieces import Page, digest, drawn, piece, render
from croody.liveness.judge import State
from croody.monitor.entry import Entry
from croody.monitor.gaps import Gaps
from croody.telemetry.read import metrics
from croody.web import formats

#: A fleet of more robots is shown as bars, one a state.
MOST_CELLS: Final = 400
#: Bars are so long together, in units of their drawing.
BARS: Final = 1000
#: Metrics that the head of their column offers.
MOST_METRICS: Final = 20


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the robots of one page, by their id."""

    entries: Mapping[str, Entry]
    reasons: Mapping[str, Alarm]


@dataclass(frozen=True, slots=True)
class Hours:
    """The last hour of one metric, by robot; of those that sent it."""

    metric: str
    lines: Mapping[str, Sequence[float | None]]


class Rows:
    """Rows of one moment in one language, and their HTML: made once however many pages show them."""

    def __init__(self, now: datetime, language: str, gaps: Gaps) -> None:
        self.now = now
        self.language = language
        self._gaps = gaps
        self._made: dict[tuple[str, str, spark.Domain], words.Row] = {}
        self._html: dict[int, str] = {}

    def of(self, robot: Listed, known: Known, hours: Hours, domain: spark.Domain) -> words.Row:
        """The row of a robot."""
        key = (robot.robot_id, hours.metric, domain)
        made = self._made.get(key)
        if made is None:
            entry = known.entries[robot.robot_id]
            sign = self._gaps.sign(robot.robot_id, entry.delivery, self.now.timestamp())
            silent: Sequence[float | None] = [None] * spark.MINUTES if hours.metric in entry.values else []
            line = spark.draw(hours.lines.get(robot.robot_id) or silent, domain)
            told = words.Told(robot, entry, known.reasons.get(robot.robot_id), sign, hours.metric, line)
            made = self._made[key] = words.row(told, self.now, self.language)
        return made

    def html(self, row: words.Row) -> str:
        """Its HTML."""
        key = id(row)
        made = self._html.get(key)
        if made is None:
            made = self._html[key] = render("console/fleet/row.html", {"row": row}, self.language)
        return made


def fleet(roster: Roster, asked: Selection, shown: Shown, known: Known, hours: Hours, rows: Rows) -> Page:
    """The page.

    Args:
        roster: all robots of whoever looks.
        asked: what the address says.
        shown: the robots of this page.
        known: what is known of these.
        hours: the metric of the small lines.
        rows: their words, shared with other pages.
    """
    language = rows.language
    with override(language):
        domain = spark.domain(hours.lines.values())
        robots = [robot for robot in shown.robots if robot.robot_id in known.entries]
        listed = [rows.of(robot, known, hours, domain) for robot in robots]
        groups = [
            _group("attention", _("Piden atención"), listed, shown.troubled, language),
            _group("well", _("Al día"), listed, shown.total - shown.troubled, language),
        ]
        if asked.sort:
            groups = [{"id": "", "words": "", "rows": listed}]
        sentence = words.sentence(roster, language)
        context: dict[str, Any] = {
            "sentence": sentence,
            "aside": words.aside(roster, [known.entries[robot.robot_id] for robot in robots], language),
            "total": len(roster.robots),
            "asked": asked,
            "shown": shown,
            "groups": [group for group in groups if group["rows"]],
            "chips": _chips(roster, asked, language),
            "cells": _cells(roster) if len(roster.robots) <= MOST_CELLS else [],
            "bars": _bars(roster, language) if len(roster.robots) > MOST_CELLS else [],
            "sites": roster.sites if len(roster.sites) > 1 else (),
            "organisations": roster.organisations if len(roster.organisations) > 1 else (),
            "tags": roster.tags(),
            "metric": hours.metric,
            "metric_label": words.metric_label(hours.metric, language) if hours.metric else "",
            "metrics": _metrics([known.entries[robot.robot_id].values for robot in robots], language),
            "sorts": _sorts(asked),
            "only_starred": asked.address(starred="1"),
            "unstarred": asked.address(starred=""),
            "clear": Selection(sort=asked.sort, metric=asked.metric).address(),
            "previous": asked.address(page=shown.page - 1) if shown.page > 1 else "",
            "next": asked.address(page=shown.page + 1) if shown.page < shown.pages else "",
            "note": _note(roster, shown, asked, language),
            **bell(roster, language),
        }
        return Page(context, _picture(context, roster, rows))


def bell(roster: Roster, language: str) -> dict[str, Any]:
    """How many alarms wait for somebody, by the worst: what the navigation shows."""
    return words_of_bell(inbox.Counts(roster.alarms, critical_new=roster.urgent), language)


def _picture(context: Mapping[str, Any], roster: Roster, rows: Rows) -> Picture:
    language = rows.language
    listed: list[words.Row] = [row for group in context["groups"] for row in group["rows"]]
    texts: dict[str, Mapping[str, Text]] = {row.robot_id: row.texts for row in listed}
    urgent = f"({roster.urgent}) " if roster.urgent else ""
    texts[PAGE] = {
        "sentence": context["sentence"],
        "title": f"{urgent}{context['sentence']} · {_('Flota')} · Croody",
        "critical": roster.urgent,
        "aside": context["aside"],
        "note": context["note"],
        **{f"count-{group['id']}": group["count"] for group in context["groups"] if group["id"]},
    }
    frame = digest([bool(context["total"]), bool(context["bars"]), context["metric"], [one.slug for one in context["sites"]]])
    pieces = {"structure": piece("console/fleet/structure.html", context, language, frame)}
    for place in ("rail", "bar"):
        pieces[f"bell-{place}"] = drawn("console/bell.html", {**context, "place": place}, language)
    lists: dict[str, list[str]] = {}
    if context["total"]:
        pieces |= {name: drawn(f"console/fleet/{name}.html", context, language, "structure") for name in ("chips", "pages", "none", "bars")}
        lists["rows"] = []
    for group in context["groups"]:
        if group["id"]:
            lists["rows"].append(group["id"])
            told = {"group": group, "metric": context["metric"]}
            pieces[group["id"]] = piece("console/fleet/group.html", told, language, context["metric"] and "line", "structure")
        for row in group["rows"]:
            lists["rows"].append(f"robot-{row.robot_id}")
            pieces[f"robot-{row.robot_id}"] = Piece(row.shape, partial(rows.html, row), "structure")
    if context["cells"]:
        lists["strip"] = [f"cell-{cell['robot_id']}" for cell in context["cells"]]
        for cell in context["cells"]:
            shape = f"{cell['state']} {cell['troubled']}"
            pieces[f"cell-{cell['robot_id']}"] = piece("console/fleet/cell.html", {"cell": cell}, language, shape, "structure")
    return Picture(texts, pieces, lists)


def _group(name: str, said: str, listed: Sequence[words.Row], count: int, language: str) -> dict[str, Any]:
    """Rows of one part of the list, and how many it has on all pages."""
    found = [row for row in listed if row.troubled == (name == "attention")]
    return {"id": f"group-{name}", "words": said, "rows": found, "count": formats.number(count, 0, language)}


def _cells(roster: Roster) -> list[dict[str, Any]]:
    """One a robot, in the order of the list."""
    return [
        {"robot_id": robot.robot_id, "state": robot.state.value, "word": words.STATES[robot.state], "troubled": robot.troubled}
        for robot in roster.robots
    ]


def _bars(roster: Roster, language: str) -> list[dict[str, Any]]:
    """One a state, as long as its share; so long at least that it is seen."""
    counts = roster.counts()
    total = len(roster.robots)
    widths = {state: max(6.0, BARS * counts[state] / total) for state in words.STATES if counts[state]}
    scale = BARS / sum(widths.values())
    bars, x = [], 0.0
    for state, width in widths.items():
        count = formats.number(counts[state], 0, language)
        bars.append({"state": state.value, "word": words.STATES[state], "count": count, "x": x, "width": max(1.0, width * scale - 2)})
        x += width * scale
    return bars


def _chips(roster: Roster, asked: Selection, language: str) -> list[dict[str, Any]]:
    """All, who asks for somebody, and every state that some robot is in."""
    every = {"state": "", "word": _("Todos"), "count": formats.number(len(roster.robots), 0, language)}
    chips: list[dict[str, Any]] = [every]
    if roster.troubled:
        chips.append({"state": TROUBLE, "word": _("Piden atención"), "count": formats.number(roster.troubled, 0, language)})
    chips += [{"state": state.value, "word": word, "count": count} for state, word, count in words.chips(roster.counts(), language)]
    if asked.state and asked.state not in {chip["state"] for chip in chips}:
        word = _("Piden atención") if asked.state == TROUBLE else words.STATES[State(asked.state)]
        chips.append({"state": asked.state, "word": word, "count": "0"})
    return [chip | {"current": asked.state == chip["state"], "address": asked.address(state=chip["state"])} for chip in chips]


def _sorts(asked: Selection) -> dict[str, dict[str, str]]:
    """What the heads of columns lead to, and which of them orders the list."""
    directions = {"": "descending", "name": "ascending", "age": "descending", "alerts": "descending"}
    return {
        name or "state": {"address": asked.address(sort=name), "now": directions[name] if asked.sort == name else ""} for name in directions
    }


def _metrics(values: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, str]]:
    """Metrics that the small lines can show: those of most robots."""
    offered = sorted(spark.offered(values).items(), key=lambda one: (-one[1], one[0]))[:MOST_METRICS]
    return sorted(
        ({"name": name, "label": metrics.describe(name).label(language)} for name, _count in offered), key=lambda one: one["label"]
    )


def _note(roster: Roster, shown: Shown, asked: Selection, language: str) -> str:
    parts = []
    if asked.filters:
        numbers = {"count": formats.number(shown.total, 0, language), "total": formats.number(len(roster.robots), 0, language)}
        parts.append(_("%(count)s de %(total)s") % numbers)
    if shown.pages > 1:
        numbers = {"page": formats.number(shown.page, 0, language), "pages": formats.number(shown.pages, 0, language)}
        parts.append(_("página %(page)s de %(pages)s") % numbers)
    orders = {
        "": _("Orden: primero los que piden atención, luego por nombre"),
        "name": _("Orden: por nombre"),
        "age": _("Orden: primero los que llevan más tiempo en silencio"),
        "alerts": _("Orden: primero los de más alertas"),
    }
    return " · ".join([*parts, orders[asked.sort]])
