"""A site's plan as something to draw. Pure: metres in, SVG user units out; no word, no colour.

Every drawing is `WIDTH` units wide whatever its site measures, so that the style sheet can size type and marks by the
width on screen. `Drawing.spot` puts a robot on it: one that is beyond the floor stands at its edge.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, floor, hypot
from statistics import median
from typing import Any, Final

from croody.monitor.entry import as_metres
from croody.web.formats import MINUS, NBSP

WIDTH: Final = 1000
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 22.0, 18.0, 52.0
#: No floor is longer than so many times its width: it would be drawn as a line, or as tall as a tower.
_LONGEST: Final = 20
#: A rack of more shelves is drawn without the lines between them.
_MOST_SHELVES: Final = 60
#: Distances between grid lines that read well, in metres.
_STEPS: Final = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
#: A grid without a plan is at most so long; who is farther from the others stands at its edge, in metres.
_LONGEST_GRID_M: Final = 1000.0
#: So far beyond the floor a robot still stands on its rim, in metres: walls are drawn, not measured.
_RIM_M: Final = 0.25


@dataclass(frozen=True, slots=True)
class Line:
    """From one point to another."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rack or a dock with its name and, in a rack, the lines between its shelves."""

    x: float
    y: float
    w: float
    h: float
    name: str
    shelves: tuple[Line, ...] = ()

    @property
    def cx(self) -> float:
        """Middle of the upper edge."""
        return self.x + self.w / 2


@dataclass(frozen=True, slots=True)
class Text:
    """A word or a number at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a robot stands on the drawing. `off_m`: how far beyond the floor it says it is; then this is the edge nearest to it."""

    x: float
    y: float
    off_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything of a plan but its robots. The floor begins at (`x0_m`, `y0_m`)."""

    height: float
    scale: float
    left: float
    top: float
    area: Box
    grid: tuple[Line, ...]
    walls: tuple[Line, ...]
    racks: tuple[Box, ...]
    docks: tuple[Box, ...]
    labels: tuple[Text, ...]
    along_x: tuple[Text, ...]
    along_y: tuple[Text, ...]
    bare: bool
    x0_m: float = 0.0
    y0_m: float = 0.0

    @property
    def bottom(self) -> float:
        """Where the numbers along x begin."""
        return self.area.y + self.area.h

    def place(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Metres -> units, to a tenth."""
        return round(self.left + (x_m - self.x0_m) * self.scale, 1), round(self.top + (y_m - self.y0_m) * self.scale, 1)

    def spot(self, x_m: float, y_m: float) -> Spot:
        """Where a robot stands."""
        width_m, height_m = self.area.w / self.scale, self.area.h / self.scale
        inside_x = max(self.x0_m, min(self.x0_m + width_m, x_m))
        inside_y = max(self.y0_m, min(self.y0_m + height_m, y_m))
        off_m = hypot(x_m - inside_x, y_m - inside_y)
        return Spot(*self.place(inside_x, inside_y), off_m if off_m > _RIM_M else 0.0)


def draw(plan: Mapping[str, Any], robots: Iterable[tuple[float, float]] = ()) -> Drawing | None:
    """The plan, or, where there is none, a grid around where robots are; None where there is nothing to go by.

    A plan is somebody's JSON: what in it cannot be read is left out, and never costs the rest.
    """
    width_m, height_m = as_metres(plan.get("width_m")), as_metres(plan.get("height_m"))
    bare = not width_m or not height_m or min(width_m, height_m) < 1 or max(width_m, height_m) > _LONGEST * min(width_m, height_m)
    x0_m = y0_m = 0.0
    if bare:
        seen = list(robots)
        if not seen:
            return None
        x0_m, width_m = _extent([x for x, _ in seen], 10.0)
        y0_m, height_m = _extent([y for _, y in seen], 5.0)
        height_m = max(height_m, width_m / _LONGEST)
        width_m = max(width_m, height_m / _LONGEST)
    assert width_m
    assert height_m
    scale = (WIDTH - _LEFT - _RIGHT) / width_m
    frame = _Frame(scale, x0_m, y0_m)
    step = _step(width_m, 9)
    numbered = _step(width_m, 5)
    x1_m, y1_m = x0_m + width_m, y0_m + height_m
    return Drawing(
        height=round(_TOP + height_m * scale + _BOTTOM, 1),
        scale=scale,
        left=_LEFT,
        top=_TOP,
        area=Box(_LEFT, _TOP, frame.length(width_m), frame.length(height_m), ""),
        grid=tuple(frame.line(x, y0_m, x, y1_m) for x in _ticks(x0_m, x1_m, step))
        + tuple(frame.line(x0_m, y, x1_m, y) for y in _ticks(y0_m, y1_m, step)),
        walls=tuple(frame.line(*wall) for wall in _walls(plan.get("walls"))),
        racks=tuple(frame.box(box, shelves=True) for box in _boxes(plan.get("racks"))),
        docks=tuple(frame.box(box, shelves=False) for box in _boxes(plan.get("docks"))),
        labels=tuple(_labels(plan.get("labels"), frame)),
        along_x=tuple(_axis(x0_m, x1_m, numbered, frame.x)),
        along_y=tuple(Text(0, frame.y(y), _metres(y)) for y in (y0_m, *_ticks(y0_m, y1_m, numbered)) if y1_m - y > numbered * 0.1),
        bare=bool(bare),
        x0_m=x0_m,
        y0_m=y0_m,
    )


def _extent(along: list[float], least_m: float) -> tuple[float, float]:
    """Where a grid begins and how long it is, in steps of 5 m so that it does not change with every step of a robot."""
    low, high = min(along), max(along)
    if high - low > _LONGEST_GRID_M:
        middle = median(along)
        near = [x for x in along if abs(x - middle) <= _LONGEST_GRID_M / 2]
        low, high = (min(near), max(near)) if near else (along[0], along[0])
    # What is near the origin is shown from there: 0 is where a person begins to count.
    begin = 0.0 if 0 <= low <= max(50.0, high - low) else 5.0 * floor(low / 5 - 0.2)
    length = max(least_m, 5.0 * ceil((high - begin) * (1.1 if begin == 0 else 1.0) / 5 + (0 if begin == 0 else 0.2)))
    return begin, length


class _Frame:
    def __init__(self, scale: float, x0_m: float, y0_m: float) -> None:
        self.scale = scale
        self._x0_m = x0_m
        self._y0_m = y0_m

    def x(self, x_m: float) -> float:
        return round(_LEFT + (x_m - self._x0_m) * self.scale, 1)

    def y(self, y_m: float) -> float:
        return round(_TOP + (y_m - self._y0_m) * self.scale, 1)

    def length(self, m: float) -> float:
        return round(m * self.scale, 1)

    def line(self, x1: float, y1: float, x2: float, y2: float) -> Line:
        return Line(self.x(x1), self.y(y1), self.x(x2), self.y(y2))

    def box(self, raw: Mapping[str, Any], *, shelves: bool) -> Box:
        x, y, w, h = (float(raw[key]) for key in ("x_m", "y_m", "w_m", "h_m"))
        lines: list[Line] = []
        if shelves:
            parts = max(1, round(max(w, h) / 1.5))
            for index in range(1, parts if parts <= _MOST_SHELVES else 1):
                if h >= w:
                    lines.append(self.line(x, y + h * index / parts, x + w, y + h * index / parts))
                else:
                    lines.append(self.line(x + w * index / parts, y, x + w * index / parts, y + h))
        return Box(self.x(x), self.y(y), self.length(w), self.length(h), str(raw.get("name", "")), tuple(lines))


def _step(length_m: float, at_most: int) -> float:
    return next((step for step in _STEPS if length_m / step <= at_most), length_m)


def _ticks(low_m: float, high_m: float, step: float) -> list[float]:
    first = floor(low_m / step) + 1
    return [index * step for index in range(first, ceil(high_m / step)) if low_m < index * step < high_m]


def _axis(low_m: float, high_m: float, step: float, at: Any) -> list[Text]:
    """Numbers along x; the last says the unit, once."""
    ticks = [low_m, *_ticks(low_m, high_m, step)]
    if high_m - ticks[-1] < step * 0.5:
        ticks.pop()
    return [*(Text(at(x), 0, _metres(x)) for x in ticks), Text(at(high_m), 0, f"{_metres(high_m)}{NBSP}m")]


def _metres(value: float) -> str:
    return f"{value:g}".replace("-", MINUS)


def _walls(raw: Any) -> list[tuple[float, float, float, float]]:
    found = []
    for wall in raw if isinstance(raw, list) else ():
        numbers = [as_metres(part) for part in wall] if isinstance(wall, list) else []
        if len(numbers) == 4 and None not in numbers:
            x1, y1, x2, y2 = (number for number in numbers if number is not None)
            found.append((x1, y1, x2, y2))
    return found


def _boxes(raw: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for box in raw if isinstance(raw, list) else ():
        if isinstance(box, dict) and all(as_metres(box.get(key)) is not None for key in ("x_m", "y_m", "w_m", "h_m")):
            found.append(box)
    return found


def _labels(raw: Any, frame: _Frame) -> list[Text]:
    found = []
    for label in raw if isinstance(raw, list) else ():
        if not isinstance(label, dict):
            continue
        x, y = as_metres(label.get("x_m")), as_metres(label.get("y_m"))
        if x is not None and y is not None:
            found.append(Text(frame.x(x), frame.y(y), str(label.get("text", ""))))
    return found
