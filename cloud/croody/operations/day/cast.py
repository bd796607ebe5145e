"""Who is in the day: sites with their plans, robots, people. Pure; plain values, no database.

What pages find hard is among it: an id of 64 characters, metric names in several scripts, a robot that never spoke.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

Gait = Literal["plan", "map", "still"]
#: As long as an id may be.
LONG_ID: Final = "inspector-de-estanterias-altas-con-camara-termica-y-brazo-00042x"
#: Of metrics that no table describes: name -> value. Any script, as long as a name may be, words beside numbers.
ODD: Final[dict[str, float | int | bool | str]] = {
    "температура_обмотки_c": 41.5,
    "湿度_pct": 58,
    "ضغط_kpa": 101.3,
    "Überdruck_kpa": 1.25,
    "δόνηση": 0.031,
    "presion_del_circuito_hidraulico_secundario_del_brazo_izquierdo_k": 812.0,
    "contador_de_ciclos": 9_007_199_254_740_991,
    "pinza_cerrada": True,
    "firmware": "v12.4.1-rc3+compilado.de.madrugada.con.parches.locales." + "abc123" * 12,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A site. `plan` is empty where a place on Earth is all that is known."""

    slug: str
    name: str
    lat: float
    lng: float
    plan: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Member:
    """A robot of the day. `gait`: how it moves. `rests`: from so many minutes before the end to so many it is switched off."""

    robot_id: str
    kind: str
    site: str
    gait: Gait
    label: str = ""
    shared: bool = False
    rests: tuple[int, int] = (0, 0)
    plain: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `organisation` is a slug."""

    username: str
    first_name: str
    last_name: str
    role: str
    organisation: str

    @property
    def email(self) -> str:
        """An address that no mail ever leaves for: the domain is reserved."""
        return f"{self.username}@example.org"


NEIGHBOURS: Final = ("Talleres Río", "talleres-rio")
ROWS: Final = 9


def _plan() -> dict[str, Any]:
    """A warehouse of 60 x 36 m: two rows of racks, docks on the west wall, a door to the south."""
    racks = [
        {"name": f"{row}{number}", "x_m": 9.0 + 5.4 * (number - 1), "y_m": top, "w_m": 2.2, "h_m": 12.0}
        for row, top in (("N", 3.5), ("S", 19.5))
        for number in range(1, ROWS + 1)
    ]
    docks = [{"name": f"C{number}", "x_m": 0.8, "y_m": 3.0 + 3.0 * (number - 1), "w_m": 3.0, "h_m": 2.2} for number in range(1, 11)]
    return {
        "name": "Bodega Norte",
        "slug": "bodega-norte",
        "width_m": 60,
        "height_m": 36,
        "origin": {"lat": 4.7012, "lng": -74.1146, "alt": 2548},
        "walls": [[0, 0, 60, 0], [60, 0, 60, 36], [60, 36, 34, 36], [28, 36, 0, 36], [0, 36, 0, 0]],
        "doors": [[28, 36, 34, 36]],
        "racks": racks,
        "docks": docks,
        "labels": [{"text": "Carga", "x_m": 0.8, "y_m": 2.4}, {"text": "Muelle", "x_m": 31, "y_m": 35.2}],
    }


SITES: Final = (
    Place("bodega-norte", "Bodega Norte", 4.7012, -74.1146, _plan()),
    Place("patio-puerto", "Patio del Puerto", 10.3903, -75.5268),
)
NEVER_SPOKE: Final = "norte-23"
PLAIN: Final = "patio-13"


def members() -> list[Member]:
    """The forty."""
    found = []
    for number in range(1, 23):
        # Half of the fleet rests at night.
        rests = (1190 - 7 * number, 700 - 4 * number) if number % 2 else (0, 0)
        tags = (*(("turno de día",) if number % 2 else ()), *(("pesado",) if number % 5 == 0 else ()))
        label = {4: "Montacargas del muelle", 12: "Recogedor rápido"}.get(number, "")
        found.append(Member(f"norte-{number:02d}", "rover", "bodega-norte", "plan", label, shared=number <= 4, rests=rests, tags=tags))
    found.append(Member(NEVER_SPOKE, "rover", "bodega-norte", "plan", "Nuevo, todavía en su caja"))
    found.append(Member(LONG_ID, "inspector", "bodega-norte", "plan", tags=("inspección", "cámara térmica")))
    found += [Member(f"brazo-{number:02d}", "arm", "bodega-norte", "still") for number in (1, 2)]
    found.append(Member("servidor-norte", "host", "bodega-norte", "still", "Computador de la bodega"))
    for number in range(1, 13):
        rests = (1240 - 5 * number, 720 - 6 * number) if number % 2 == 0 else (0, 0)
        found.append(Member(f"patio-{number:02d}", "tractor", "patio-puerto", "map", rests=rests))
    found.append(Member(PLAIN, "tractor", "patio-puerto", "map", "Cliente MQTT de otra marca", plain=True))
    return found


#: Robots of the neighbours, whom nobody of the demo's organisation may see.
FOREIGN: Final = tuple(Member(f"rio-{number:02d}", "rover", "", "still") for number in (1, 2))
PEOPLE: Final = (
    Person("vera", "Vera", "Vargas", "viewer", "demo"),
    Person("omar", "Omar", "Ortega", "operator", "demo"),
    Person("marta", "Marta", "Mejía", "maintainer", "demo"),
    Person("olga", "Olga", "Osorio", "owner", "demo"),
    Person("carlos", "Carlos", "Cruz", "owner", NEIGHBOURS[1]),
    Person("rita", "Rita", "Ríos", "operator", NEIGHBOURS[1]),
)
#: Whose name stands beside robots that were added.
BUYS_ROBOTS: Final = "marta"
