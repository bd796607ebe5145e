"""A product drawn to scale, by its measures in millimetres: what stands where no photograph is. Pure; the template places the shapes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Any, Final

from croody.shop.models import Product

Kind = Product.Kind


@dataclass(frozen=True, slots=True)
class Shape:
    """A `rect` or a `circle`: SVG attributes in mm, from the upper left corner. `part`: what CSS colours it by."""

    tag: str
    part: str
    at: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drawing:
    """`box`: the SVG's viewBox. Lines of measure run below and to the right, `gap` away, with text of `letters`. All in mm."""

    box: str
    shapes: tuple[Shape, ...]
    width: str
    height: str
    below: str
    beside: str
    text_below: str
    text_beside: str
    letters: str
    tick: str
    middle: str
    centre: str


def of(product: Product, *, measured: bool = False) -> Drawing:
    """Draw it, with room for its measures. What nobody measured is drawn as a square."""
    wide, high = float(product.width_mm or 100), float(product.height_mm or 100)
    span = max(wide, high)
    letters = span * 0.05
    room = letters * 3.4 if measured else 0.0
    draw = _DRAWN.get(product.drawn_as) or _DRAWN.get(product.kind, _part)
    # All drawings have the same shape of frame, so that rows of a list line up.
    frame = max((wide + room) / 4, (high + room) / 3) * 1.06
    left, top = (frame * 4 - wide - room) / 2, (frame * 3 - high - room) / 2
    return Drawing(
        box=" ".join(_mm(one) for one in (-left, -top, frame * 4, frame * 3)),
        shapes=tuple(draw(wide, high)),
        width=_mm(wide),
        height=_mm(high),
        below=_mm(high + room * 0.45),
        beside=_mm(wide + room * 0.45),
        text_below=_mm(high + room * 0.45 + letters * 1.25),
        text_beside=_mm(wide + room * 0.45 + letters * 1.1),
        letters=_mm(letters),
        tick=_mm(letters * 0.35),
        middle=_mm(wide / 2),
        centre=_mm(high / 2),
    )


def _board(wide: float, high: float) -> Iterator[Shape]:
    yield _rect("body", 0, 0, wide, high, 3)
    inset = min(wide, high) * 0.07
    for x in (inset, wide - inset):
        for y in (inset, high - inset):
            yield _circle("hole", x, y, inset * 0.5)
    pins = 20
    step = (wide * 0.6) / pins
    for index in range(pins):
        for row in range(2):
            yield _rect("metal", wide * 0.13 + index * step, high * 0.04 + row * step, step * 0.55, step * 0.55)
    yield _rect("chip", wide * 0.3, high * 0.32, high * 0.3, high * 0.3, 0.6)
    yield _rect("chip", wide * 0.56, high * 0.36, high * 0.2, high * 0.2, 0.6)
    for y in (0.22, 0.52):
        yield _rect("metal", wide * 0.84, high * y, wide * 0.18, high * 0.22, 0.5)
    for x in (0.1, 0.28, 0.44):
        yield _rect("metal", wide * x, high * 0.9, wide * 0.09, high * 0.13, 0.5)


def _robot(wide: float, high: float) -> Iterator[Shape]:
    wheel = high * 0.17
    yield _rect("dark", wide * 0.46, high * 0.02, wide * 0.08, high * 0.3)
    yield _rect("body", wide * 0.2, 0, wide * 0.6, high * 0.34, high * 0.08)
    for x in (0.38, 0.62):
        yield _circle("eye", wide * x, high * 0.17, high * 0.075)
        yield _circle("pupil", wide * x, high * 0.17, high * 0.028)
    yield _rect("body", 0, high * 0.4, wide, high * 0.42, high * 0.05)
    yield _rect("dark", wide * 0.06, high * 0.47, wide * 0.88, high * 0.05, high * 0.02)
    yield _rect("dark", wide * 0.44, high * 0.33, wide * 0.12, high * 0.08)
    for x in (0.2, 0.8):
        yield _circle("dark", wide * x, high - wheel, wheel)
        yield _circle("hole", wide * x, high - wheel, wheel * 0.4)


def _sensor(wide: float, high: float) -> Iterator[Shape]:
    yield _rect("body", 0, 0, wide, high, min(wide, high) * 0.12)
    yield _circle("dark", wide / 2, high * 0.45, min(wide, high) * 0.3)
    yield _circle("eye", wide / 2, high * 0.45, min(wide, high) * 0.16)
    yield _circle("pupil", wide / 2, high * 0.45, min(wide, high) * 0.06)
    for x in (0.1, 0.9):
        yield _circle("hole", wide * x, high * 0.9, min(wide, high) * 0.04)


def _part(wide: float, high: float) -> Iterator[Shape]:
    yield _rect("body", 0, 0, wide, high, min(wide, high) * 0.06)
    for index in range(4):
        yield _rect("dark", wide * (0.08 + index * 0.22), high * 0.14, wide * 0.18, high * 0.72, min(wide, high) * 0.03)
    for x in (0.3, 0.62):
        yield _rect("metal", wide * x, high * -0.05, wide * 0.08, high * 0.08)


def _wheel(wide: float, high: float) -> Iterator[Shape]:
    x, y, radius = wide / 2, high / 2, min(wide, high) / 2
    yield _circle("dark", x, y, radius)
    yield _circle("body", x, y, radius * 0.72)
    for index in range(12):
        turn = index * pi / 6
        yield _circle("metal", x + cos(turn) * radius * 0.86, y + sin(turn) * radius * 0.86, radius * 0.13)
    yield _circle("metal", x, y, radius * 0.26)
    yield _circle("hole", x, y, radius * 0.1)


def _plate(wide: float, high: float) -> Iterator[Shape]:
    yield _rect("body", 0, 0, wide, high, 6)
    yield _rect("hole", wide * 0.2, high * 0.26, wide * 0.6, high * 0.48, 4)
    for x in (0.1, 0.5, 0.9):
        for y in (0.12, 0.88):
            yield _circle("hole", wide * x, high * y, min(wide, high) * 0.04)


def _lidar(wide: float, high: float) -> Iterator[Shape]:
    yield _rect("body", 0, high * 0.62, wide, high * 0.38, high * 0.08)
    yield _rect("dark", wide * 0.06, high * 0.08, wide * 0.88, high * 0.5, high * 0.16)
    yield _rect("chip", wide * 0.06, high * 0.3, wide * 0.88, high * 0.06)
    yield _circle("pupil", wide * 0.5, high * 0.81, high * 0.03)


_DRAWN: Final[Mapping[str, Callable[[float, float], Iterator[Shape]]]] = {
    Kind.BOARD: _board,
    Kind.ROBOT: _robot,
    Kind.SENSOR: _sensor,
    Kind.PART: _part,
    "wheel": _wheel,
    "plate": _plate,
    "lidar": _lidar,
}


def _rect(part: str, x: float, y: float, width: float, height: float, radius: float = 0.0) -> Shape:
    named: dict[str, Any] = {"x": x, "y": y, "width": width, "height": height, "rx": radius}
    return Shape("rect", part, {name: _mm(value) for name, value in named.items()})


def _circle(part: str, x: float, y: float, radius: float) -> Shape:
    return Shape("circle", part, {"cx": _mm(x), "cy": _mm(y), "r": _mm(radius)})


def _mm(value: float) -> str:
    """No more digits than are seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
