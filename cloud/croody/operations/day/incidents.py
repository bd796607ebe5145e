"""What befalls the robots of the day, in minutes before its end. Pure tables; what follows from them is the services' doing.

A spell is something that lasts; an event is something that a robot says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from croody.operations.day import cast

What = Literal["silent", "lost", "missing", "thinned", "off", "mute", "bad", "clock", "hot", "no_dock", "blocked", "odd"]
ASKED_AGAIN_MIN: Final = 14.0


@dataclass(frozen=True, slots=True)
class Spell:
    """From `begin` minutes before the end until `end`; 0 goes on beyond it.

    silent: not heard, and sent later as backlog. lost: did not arrive, and was sent again
    `ASKED_AGAIN_MIN` after. missing: has not come yet. thinned: dropped by the robot,
    which says so. off: a goodbye. mute: there, without readings. bad: values that break the rules. clock: a clock of 1970.
    odd: windows of the sensors that screening suspects.
    """

    robot_id: str
    what: What
    begin: float
    end: float

    def holds(self, minute: float) -> bool:
        """At so many minutes before the end. The day may go on, to minutes below 0."""
        return minute <= self.begin and (minute > self.end or self.end == 0)


@dataclass(frozen=True, slots=True)
class Said:
    """An event of a robot."""

    minute: float
    robot_id: str
    code: str
    severity: Literal["low", "medium", "high", "critical"] = "low"
    detail: Mapping[str, Any] = field(default_factory=dict)
    over: bool = False


#: The yard loses its network for a quarter of an hour.
_YARD: Final = tuple(Spell(f"patio-{number:02d}", "silent", 300, 285) for number in range(1, 13))
SPELLS: Final = (
    *_YARD,
    Spell("norte-04", "hot", 43, 0),
    Spell("norte-02", "no_dock", 200, 0),
    Spell("norte-09", "silent", 52, 0),
    Spell("norte-06", "lost", 190, 184),
    Spell("norte-13", "missing", 11, 4),
    Spell("norte-15", "thinned", 430, 400),
    Spell("norte-18", "off", 80, 0),
    Spell("patio-10", "off", 600, 545),
    Spell("norte-14", "mute", 5, 0),
    Spell("patio-07", "bad", 96, 93),
    Spell("patio-11", "clock", 905, 895),
    Spell("brazo-01", "blocked", 240, 232),
    Spell("brazo-01", "blocked", 702, 697),
    Spell("norte-08", "silent", 830, 822),
    Spell("norte-20", "odd", 66, 56),
    Spell("norte-12", "odd", 7, 0),
)
EVENTS: Final = (
    Said(701.5, "brazo-01", "protective_stop", "high", {"joint": 2, "torque_nm": 74.2}),
    Said(696, "brazo-01", "protective_stop", over=True),
    Said(520, "servidor-norte", "outbox_corrupt", "high", {"lost_at_most": 3}),
    Said(402, "norte-15", "outbox_refused", detail={"count": 58}),
    Said(330, "patio-02", "model_refused", "medium", {"model": "sensors-12.tflite"}),
    Said(318, "patio-02", "model_refused", over=True),
    Said(239.5, "brazo-01", "protective_stop", "critical", {"joint": 4, "torque_nm": 91.0}),
    Said(231, "brazo-01", "protective_stop", over=True),
    Said(210, "norte-16", "wheel_worn", "medium", {"wheel": "rear_left", "distance_km": 412.6}),
    Said(45, "norte-04", "config_changed", detail={"max_load_kg": 180, "before_kg": 120}),
    Said(31, "norte-04", "motor_overheated", "critical", {"motor_temp_c": 80.4, "limit_c": 80}),
    Said(26, "norte-04", "speed_limited", detail={"speed_mps": 0.4}),
    Said(14, "norte-02", "battery_low", "medium", {"battery_pct": 9.0}),
    Said(9, "norte-22", "source_failed", "low", {"sensor": "lidar_rear"}),
)
#: Robots whose windows are screened: their usual is known, cleared windows are sampled.
SCREENED: Final = ("norte-20", "norte-12", "norte-05")
#: One window in so many readings, and in so many while they are odd.
SCREENED_EVERY: Final = 20
ODD_EVERY: Final = 2
#: Minute at which two robots of one name are heard, and which.
CONFLICT: Final = (140.0, "patio-08")
#: Minute at which a robot that nobody made is heard, and its name.
STRANGER: Final = (155.0, "intruso-7")
Verb = Literal["close", "acknowledge", "assign", "snooze", "false", "comment", "maintain", "note"]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does to a robot, or to its open alarm of a kind.

    Args:
        text: what is said; of `assign`, to whom it is given.
        minutes: how long it holds.
    """

    minute: float
    who: str
    verb: Verb
    robot_id: str
    kind: str = ""
    text: str = ""
    minutes: float = 0.0


#: The shift of the people.
ACTS: Final = (
    Act(480, "omar", "close", "servidor-norte", "outbox_corrupt"),
    Act(238, "omar", "acknowledge", "brazo-01", "protective_stop"),
    Act(235, "omar", "comment", "brazo-01", "protective_stop", "Una caja mal puesta frenó el eje 4. Se retiró."),
    Act(204, "omar", "acknowledge", "norte-16", "wheel_worn"),
    Act(203, "omar", "snooze", "norte-16", "wheel_worn", minutes=480),
    Act(118, "omar", "close", "patio-08", "conflict"),
    Act(62, "omar", "false", "norte-20", "anomaly", minutes=3 * 24 * 60),
    Act(60, "marta", "maintain", "norte-17", text="Cambio de escobillas", minutes=150),
    Act(28, "omar", "acknowledge", "norte-04", "motor_overheated"),
    Act(24, "omar", "assign", "norte-04", "motor_overheated", "marta"),
    Act(22, "marta", "comment", "norte-04", "motor_overheated", "Voy para allá; que no lleve más de 120 kg."),
    Act(12, "omar", "note", "norte-02", text="El muelle C2 no carga: enchufe flojo. Avisado a mantenimiento."),
)


def resting(member: cast.Member) -> tuple[Spell, ...]:
    """The night of a robot that has one."""
    begin, end = member.rests
    return (Spell(member.robot_id, "off", begin, end),) if begin > end else ()


def of(member: cast.Member) -> tuple[Spell, ...]:
    """All spells of one robot."""
    return (*resting(member), *(spell for spell in SPELLS if spell.robot_id == member.robot_id))
