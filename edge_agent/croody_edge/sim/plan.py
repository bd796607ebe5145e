"""The drawing of a site in metres: walls, racks, docks. Knows the file format and nothing of robots.

Axes as on the operator's plan: origin top left, x to the right (east), y downwards (south).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

#: The warehouse that ships with Croody.
BODEGA: Final = Path(__file__).with_name("bodega.json")

Segment = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A named rectangle; `x_m`, `y_m` is its top left corner."""

    name: str
    x_m: float
    y_m: float
    w_m: float
    h_m: float

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the rectangle, metres."""
        return self.x_m + self.w_m / 2, self.y_m + self.h_m / 2


@dataclass(frozen=True, slots=True)
class Plan:
    """A site. `origin_lat`, `origin_lng` (WGS 84 degrees) and `origin_alt_m` belong to the top left corner."""

    name: str
    slug: str
    width_m: float
    height_m: float
    origin_lat: float
    origin_lng: float
    origin_alt_m: float
    walls: tuple[Segment, ...]
    doors: tuple[Segment, ...]
    racks: tuple[Box, ...]
    docks: tuple[Box, ...]


def load(path: Path = BODEGA) -> Plan:
    """Read a plan file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no plan; the message names the file and the field.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return parse(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"plan {path}: {error}: compare it with {BODEGA.name}") from error


def parse(raw: dict[str, Any]) -> Plan:
    """A plan from its JSON.

    Raises:
        KeyError, TypeError, ValueError: a field is missing or of the wrong kind.
    """
    origin = raw["origin"]
    plan = Plan(
        name=str(raw["name"]),
        slug=str(raw["slug"]),
        width_m=float(raw["width_m"]),
        height_m=float(raw["height_m"]),
        origin_lat=float(origin["lat"]),
        origin_lng=float(origin["lng"]),
        origin_alt_m=float(origin.get("alt", 0.0)),
        walls=tuple(_segment(row) for row in raw["walls"]),
        doors=tuple(_segment(row) for row in raw.get("doors", ())),
        racks=tuple(_box(row) for row in raw["racks"]),
        docks=tuple(_box(row) for row in raw["docks"]),
    )
    if plan.width_m <= 0 or plan.height_m <= 0:
        raise ValueError(f"width_m, height_m are {plan.width_m}, {plan.height_m}: both must be above 0")
    if not plan.racks or not plan.docks:
        raise ValueError("racks and docks: a robot needs at least one of each")
    return plan


def _segment(row: list[float]) -> Segment:
    x1, y1, x2, y2 = (float(value) for value in row)
    return x1, y1, x2, y2


def _box(row: dict[str, Any]) -> Box:
    return Box(str(row["name"]), float(row["x_m"]), float(row["y_m"]), float(row["w_m"]), float(row["h_m"]))
