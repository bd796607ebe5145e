"""The fleet's page in one language: what its templates need. Asks no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from croody.alarms.models import Alarm
from croody.console.fleet import words
from croody.console.fleet.roster import Listed, Roster
from croody.console.fleet.selection import TROUBLE, Selection, Shown
from croody.monitor.entry import Entry
from croody.monitor.gaps import Gaps
from croody.web import formats


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the robots of one page, by their id."""

    entries: Mapping[str, Entry]
    reasons: Mapping[str, Alarm]


class Rows:
    """Rows of one moment in one language, made once however many pages show them."""

    def __init__(self, now: datetime, language: str, gaps: Gaps) -> None:
        self.now = now
        self.language = language
        self._gaps = gaps
        self._made: dict[str, words.Row] = {}

    def of(self, robot: Listed, entry: Entry, alarm: Alarm | None) -> words.Row:
        """The row of a robot."""
        made = self._made.get(robot.robot_id)
        if made is None:
            sign = self._gaps.sign(robot.robot_id, entry.delivery, self.now.timestamp())
            made = self._made[robot.robot_id] = words.row(robot, entry, alarm, self.now, self.language, sign)
        return made


def fleet(roster: Roster, asked: Selection, shown: Shown, known: Known, rows: Rows) -> dict[str, Any]:
    """What the template needs."""
    language = rows.language
    listed = [
        rows.of(robot, known.entries[robot.robot_id], known.reasons.get(robot.robot_id))
        for robot in shown.robots
        if robot.robot_id in known.entries
    ]
    groups = [
        {"id": "group-attention", "words": _("Piden atención"), "rows": [row for row in listed if row.troubled]},
        {"id": "group-well", "words": _("Al día"), "rows": [row for row in listed if not row.troubled]},
    ]
    return {
        "sentence": words.sentence(roster, language),
        "aside": words.aside(roster, language),
        "total": len(roster.robots),
        "asked": asked,
        "shown": shown,
        "groups": [group for group in groups if group["rows"]],
        "chips": _chips(roster, asked, language),
        "strip": [{"robot_id": robot.robot_id, "state": robot.state.value, "word": words.STATES[robot.state]} for robot in roster.robots],
        "sites": roster.sites if len(roster.sites) > 1 else (),
        "organisations": roster.organisations if len(roster.organisations) > 1 else (),
        "tags": roster.tags(),
        "clear": Selection().address(),
        "previous": asked.address(page=shown.page - 1) if shown.page > 1 else "",
        "next": asked.address(page=shown.page + 1) if shown.page < shown.pages else "",
        "note": _note(roster, shown, asked, language),
    }


def _chips(roster: Roster, asked: Selection, language: str) -> list[dict[str, Any]]:
    """All, who asks for somebody, and every state that some robot is in."""
    every = {"state": "", "word": _("Todos"), "count": formats.number(len(roster.robots), 0, language)}
    chips: list[dict[str, Any]] = [every]
    if roster.troubled:
        chips.append({"state": TROUBLE, "word": _("Piden atención"), "count": formats.number(roster.troubled, 0, language)})
    chips += [{"state": state.value, "word": word, "count": count} for state, word, count in words.chips(roster.counts(), language)]
    return [chip | {"current": asked.state == chip["state"], "address": asked.address(state=chip["state"])} for chip in chips]


def _note(roster: Roster, shown: Shown, asked: Selection, language: str) -> str:
    parts = []
    if asked.filters:
        numbers = {"count": formats.number(shown.total, 0, language), "total": formats.number(len(roster.robots), 0, language)}
        parts.append(_("%(count)s de %(total)s") % numbers)
    if shown.pages > 1:
        numbers = {"page": formats.number(shown.page, 0, language), "pages": formats.number(shown.pages, 0, language)}
        parts.append(_("página %(page)s de %(pages)s") % numbers)
    parts.append(_("Orden: primero los que piden atención, luego por nombre"))
    return " · ".join(parts)
