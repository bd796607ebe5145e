"""Asks the ledger for what the pages about deliveries show. Bounded, however often a robot started; words nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from croody.accounts.caller import Caller
from croody.commands.models import Outgoing
from croody.fleet.access import Action, robots
from croody.fleet.models import Robot
from croody.liveness.judge import State
from croody.liveness.signs import states_of
from croody.monitor.facts import natural
from croody.telemetry.models import DeadLetter, Stream
from croody.telemetry.read import day_cells, queries
from croody.telemetry.read.delivery import Delivered, delivered
from croody.telemetry.read.events import Told, told

#: Robots on a page of the list, dead letters on one of a robot's.
PAGE: Final = 100
LETTERS: Final = 50
#: Streams of a robot that ended which are listed, the newest.
_FOLDED: Final = 20
#: Requests of a robot that are looked at, the newest.
_REQUESTS: Final = 100
#: Of what a robot told beside readings so many are looked through for tombstones.
_TOLD: Final = 200


@dataclass(frozen=True, slots=True)
class Listed:
    """A robot and what became of everything it numbered."""

    robot_id: str
    label: str
    sums: Delivered

    @property
    def expected(self) -> int:
        """How many numbers it gave."""
        return self.sums.stored + self.sums.dead + self.sums.dropped + self.sums.missing


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole that may still be filled, and how far that is. `stalled_since`: nothing of its stream came since."""

    hole: day_cells.Hole
    stalled_since: datetime | None
    request: Outgoing | None


@dataclass(frozen=True, slots=True)
class Lost:
    """Numbers that will never come, and why, where the robot's own word for it is among the newest that it told."""

    hole: day_cells.Hole
    reason: str
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class One:
    """What the page of one robot shows. `streams` is as `queries.streams` has them, newest first."""

    robot: Robot
    sums: Delivered
    state: State
    gaps: tuple[Gap, ...]
    lost: tuple[Lost, ...]
    streams: tuple[dict[str, Any], ...]
    letters: tuple[DeadLetter, ...]
    more_letters: bool


def listed(caller: Caller) -> list[Listed]:
    """All robots that somebody works with, those that lack most first, then by name as people count."""
    rows = list(robots(caller, Action.INSPECT).values_list("robot_id", "label"))
    sums = delivered([robot_id for robot_id, _label in rows])
    found = [Listed(robot_id, label, sums.get(robot_id, Delivered())) for robot_id, label in rows]
    return sorted(found, key=lambda one: (-one.sums.missing, -one.sums.dead, -one.sums.dropped, natural(one.robot_id)))


def one(robot: Robot, before: int, now: datetime) -> One:
    """Of one robot. `before`: only dead letters with a smaller number."""
    holes = day_cells.holes_of(robot.pk, now)
    letters = DeadLetter.objects.filter(robot_id=robot.pk, pk__lt=before).defer("body").order_by("-pk")
    shown = list(letters[: LETTERS + 1])
    return One(
        robot=robot,
        sums=delivered([robot.pk]).get(robot.pk, Delivered()),
        state=states_of([robot.pk], now=now)[robot.pk],
        gaps=_gaps(robot.pk, [hole for hole in holes if not hole.lost]),
        lost=_lost(robot.pk, [hole for hole in holes if hole.lost], now),
        streams=tuple(reversed(queries.streams([robot.pk], folded_most=_FOLDED))),
        letters=tuple(shown[:LETTERS]),
        more_letters=len(shown) > LETTERS,
    )


def _gaps(robot_id: str, holes: list[day_cells.Hole]) -> tuple[Gap, ...]:
    streams = {hole.stream for hole in holes}
    stalled = dict(Stream.objects.filter(robot_id=robot_id, stream__in=streams).values_list("stream", "missing_since"))
    newest: dict[str, Outgoing] = {}
    for request in Outgoing.objects.filter(robot_id=robot_id, kind="resend").order_by("-expires_at")[:_REQUESTS] if streams else ():
        newest.setdefault(str(request.payload.get("stream", "")), request)
    return tuple(Gap(hole, stalled.get(hole.stream), newest.get(hole.stream)) for hole in holes)


def _lost(robot_id: str, holes: list[day_cells.Hole], now: datetime) -> tuple[Lost, ...]:
    tombstones = [row for row in told(robot_id, until=now, limit=_TOLD) if row.kind == "tombstone"] if holes else []
    return tuple(_why(hole, tombstones) for hole in holes)


def _why(hole: day_cells.Hole, tombstones: list[Told]) -> Lost:
    for row in tombstones:
        if row.data.get("stream") == hole.stream and any(first <= hole.last and hole.first <= last for first, last in _spans(row)):
            return Lost(hole, str(row.data.get("reason", "")), row.at)
    return Lost(hole, "", None)


def _spans(row: Told) -> list[tuple[int, int]]:
    return [(int(pair[0]), int(pair[1])) for pair in row.data.get("ranges", [])]
