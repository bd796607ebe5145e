"""What the charts of a robot draw: lanes, the state and event lane, holes and what was filled later. Facts and words, no drawing.

Numbers are in the unit that people read; the browser draws them and writes the one under the cursor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from croody.console.robot import facts
from croody.console.robot.limits import Limits, limits_of
from croody.console.robot.log import Item
from croody.console.robot.log import page as log
from croody.console.robot.selection import FEW, Asked
from croody.console.robot.words import lines as log_lines
from croody.console.robot.words import tiles
from croody.fleet.models import Robot
from croody.monitor.entry import PLACE
from croody.telemetry.read import metrics
from croody.telemetry.read.day_cells import Hole, holes_of, late_of
from croody.telemetry.read.metric_infos import said_by_robot
from croody.telemetry.read.series import MOST_LINES, Line, Series, series
from croody.web import formats

#: Buckets of a chart that nobody asked to be finer.
BUCKETS: Final = 360
#: Flags in the event lane, and alarms of which the time is coloured.
MOST_FLAGS: Final = 40
MOST_SPANS: Final = 50
#: So many times the usual distance of two readings is a hole.
_HOLE: Final = 2.5
#: Where fewer than one in so many differ, it is shorter to name them.
_FEW_OTHER: Final = 3


@dataclass(frozen=True, slots=True)
class Lane:
    """How one metric is drawn and called."""

    metric: str
    label: str
    unit: str
    decimals: int

    @classmethod
    def of(cls, name: str, language: str, said: metrics.Said) -> "Lane":
        """As the robot says, or from the catalogue of metrics."""
        known = metrics.describe(name, said)
        return cls(name, known.label(language), known.unit, known.decimals)


def chosen(asked: Asked, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Which metrics are drawn: those asked for, else the first ones that are numbers."""
    return asked.metrics or tuple(facts.numeric({name: value for name, value in values.items() if name not in PLACE}))[:FEW]


def sentences() -> dict[str, str]:
    """What the browser says with numbers in it."""
    return {
        "failed": _("No se pudo cargar. Lo anterior es de hace %(age)s."),
        "label": _("%(what)s: de %(low)s a %(high)s, al final %(last)s"),
    }


def drawn(robot: Robot, names: Sequence[str], asked: Asked, interval_s: float | None, *, now: datetime, language: str) -> dict[str, Any]:
    """Everything that `robot.js` draws, as JSON.

    Raises:
        Refused: the range cannot be asked for.
    """
    start, end = asked.span(now)
    found = series([robot.pk], list(names)[:MOST_LINES], start, end, now=now, buckets=BUCKETS)
    silent = silences(found, interval_s, min(end, now))
    limits, said = limits_of(robot), said_by_robot(robot.pk)
    gaps = [hole for hole in holes_of(robot.pk, now) if hole.end >= start and hole.start <= end]
    return {
        "start": start.timestamp(),
        "end": end.timestamp(),
        "step": found.step_s,
        "live": asked.live,
        "note": note(found, language),
        "first": found.at[0],
        "count": len(found.at),
        "lanes": [_lane(line, limits, language, said) for line in found.lines],
        "holes": [[first, last, _asked_again(first, last, gaps)] for first, last in silent],
        "late": _late(robot.pk, found),
        "spans": spans(robot.pk, start, end, now, language),
        "flags": flags(robot.pk, start, end, language),
    }


def silences(found: Series, interval_s: float | None, until: datetime) -> list[tuple[float, float]]:
    """From when until when nothing came of any metric: for more than 2.5 times what lies between two readings, and more than a bucket.

    What lies between them is what the robot says, or what is seen here, whichever is longer: many robots say nothing of it.
    """
    counts = {at: max(line.count[index] for line in found.lines) for index, at in enumerate(found.at)} if found.lines else {}
    heard = [at for at, count in counts.items() if count]
    if not heard:
        return []
    apart = median([after - before for before, after in pairwise(heard)] or [found.step_s])
    seen = apart / max(1.0, median([counts[at] for at in heard]))
    least = max(_HOLE * max(interval_s or 0.0, seen), 1.5 * found.step_s)
    return [(before + found.step_s, after) for before, after in pairwise([*heard, until.timestamp()]) if after - before > least]


def note(found: Series, language: str) -> str:
    """How fine it is: `1 punto = 15 s, de 15 lecturas`."""
    counts = sorted(count for line in found.lines for count in line.count if count)
    step = formats.age(found.step_s)
    if not counts:
        return _("Sin lecturas en este periodo.")
    middle = counts[len(counts) // 2]
    text = ngettext("1 punto = %(step)s, de %(count)s lectura", "1 punto = %(step)s, de %(count)s lecturas", middle)
    return text % {"step": step, "count": formats.number(middle, 0, language)}


def spans(robot_id: str, start: datetime, end: datetime, now: datetime, language: str) -> list[dict[str, Any]]:
    """When alarms that count were open, the gravest drawn last."""
    found = []
    for alarm in facts.alarms_between(robot_id, start, end, MOST_SPANS):
        if alarm.severity == "low":
            continue
        until = min(alarm.resolved_at or now, end)
        text = log_lines.line(Item(alarm.opened_at, "A", alarm=alarm), language).text
        found.append({"from": max(alarm.opened_at, start).timestamp(), "to": until.timestamp(), "severity": alarm.severity, "text": text})
    order = ("medium", "high", "critical")
    return sorted(found, key=lambda span: order.index(span["severity"]))


def flags(robot_id: str, start: datetime, end: datetime, language: str) -> list[dict[str, Any]]:
    """What happened, as letters, the newest of them."""
    items = log(robot_id, end, MOST_FLAGS, since=start).items
    lines = [log_lines.line(item, language) for item in items if not item.over]
    return [{"at": line.at, "letter": line.letter, "severity": line.severity, "text": line.text} for line in reversed(lines)]


def table(found: Series, names: Sequence[str], language: str, said: metrics.Said) -> list[dict[str, Any]]:
    """The same as rows, newest first: when, and of each metric mean, least and greatest as text."""
    rows = []
    known = [metrics.describe(name, said) for name in names]
    for index in range(len(found.at) - 1, -1, -1):
        if not any(line.count[index] for line in found.lines):
            continue
        cells = []
        for metric, line in zip(known, found.lines, strict=True):
            cells.append([tiles.value_text(metric, of[index], language) for of in (line.mean, line.low, line.high)])
        rows.append({"at": datetime.fromtimestamp(found.at[index], found.start.tzinfo), "cells": cells})
    return rows


def _lane(line: Line, limits: Limits, language: str, said: metrics.Said) -> dict[str, Any]:
    known = metrics.describe(line.metric, said)
    drawn_limits = [[known.scaled(one.value), tiles.limit_text(known, one, language)] for one in limits.get(line.metric, ())]
    mean = _scaled(line.mean, known)
    return {
        "metric": line.metric,
        "limits": drawn_limits,
        "mean": mean,
        "low": _edge(line.low, line.mean, mean, known),
        "high": _edge(line.high, line.mean, mean, known),
    }


def _edge(
    values: Sequence[float | None], means: Sequence[float | None], drawn_means: Sequence[float | None], metric: metrics.Metric
) -> Sequence[float | None] | dict[int, float | None]:
    """Least or greatest. Of one reading both are the mean: where few are another value, these are named by their bucket, and no others."""
    rounded = zip(values, means, drawn_means, _scaled(values, metric, finer=0), strict=True)
    edge = [usual if value == middle else shown for value, middle, usual, shown in rounded]
    other = {index: value for index, (value, usual) in enumerate(zip(edge, drawn_means, strict=True)) if value != usual}
    return other if len(other) < len(edge) / _FEW_OTHER else edge


def _scaled(values: Sequence[float | None], metric: metrics.Metric, *, finer: int = 1) -> list[float | None]:
    """In the unit that people read, so many digits finer than they do, and six digits at most: more a chart does not show."""
    described = bool(metric.known or metric.name in metrics.METRICS or metric.unit)
    return [
        None if value is None else float(f"{round(metric.scaled(value), metric.decimals + finer) if described else value:.6g}")
        for value in values
    ]


def _late(robot_id: str, found: Series) -> list[list[int]]:
    """Buckets of which something came late, neighbours as one."""
    step = found.step_s
    there = [at for index, at in enumerate(found.at) if any(line.count[index] for line in found.lines)]
    spans_ = [(at, at + step) for at in there]
    out: list[list[int]] = []
    for index in late_of(robot_id, [(_moment(found, first), _moment(found, last)) for first, last in spans_]):
        first, last = spans_[index]
        if out and out[-1][1] == first:
            out[-1][1] = last
        else:
            out.append([first, last])
    return out


def _moment(found: Series, at: int) -> datetime:
    return datetime.fromtimestamp(at, found.start.tzinfo)


def _asked_again(first: float, last: float, gaps: Sequence[Hole]) -> bool:
    """Whether something that was numbered is missing there."""
    return any(not hole.lost and hole.start.timestamp() <= last and hole.end.timestamp() >= first for hole in gaps)
