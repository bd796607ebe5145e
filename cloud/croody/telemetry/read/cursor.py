"""How far somebody has read a robot's readings, who reads them page by page from the newest on; as ids of records in an address."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from croody.telemetry.models import Record, Stream
from croody.web.address import whole
from croody_contract.messages import Refused
from croody_contract.topics import PLAIN_STREAMS

#: A cursor names at most so many readings, so that it fits into an address.
MOST_IDS: Final = 200
#: Of no cursor: greater than the place of any stream.
_LAST_PLACE: Final = 1e300


@dataclass(slots=True)
class Cursor:
    """Everything of one robot down to here was read. `upto`: of each stream that was begun, the numbers below are left."""

    place: float = _LAST_PLACE
    upto: dict[str, int] = field(default_factory=dict)

    def left(self, streams: Iterable[tuple[tuple[str, str], int]]) -> list[tuple[tuple[str, str], int]]:
        """Of (robot, stream) and its last number, in order: the same, but below this cursor."""
        return [(key, min(last, self.upto.get(key[1], last + 1) - 1)) for key, last in streams]


#: Nothing was read yet.
UNREAD: Final = Cursor()


def parsed(cursor: str) -> list[int]:
    """The ids of a cursor, as `named` wrote them.

    Raises:
        Refused: not ours.
    """
    ids = [whole(part) for part in cursor.split(".")] if cursor else []
    if len(ids) > MOST_IDS or None in ids:
        raise Refused("bad_value", "before: not a cursor of ours: take it from the Link header of the page before, or begin without it")
    return [number for number in ids if number is not None]


def named(ids: Collection[int]) -> str:
    """The cursor, empty where it would be too long."""
    return ".".join(map(str, sorted(ids))) if len(ids) <= MOST_IDS else ""


def cursors_of(ids: Collection[int], robot_ids: Collection[str]) -> Mapping[str, Cursor]:
    """The cursors of the readings with these ids, by robot.

    Raises:
        Refused: one of them is gone, or of a robot that is not among these.
    """
    if not ids:
        return {}
    wanted = frozenset(robot_ids)
    rows = [row for row in Record.objects.filter(pk__in=ids).values_list("robot_id", "stream", "seq") if row[0] in wanted]
    if len(rows) != len(ids):
        raise Refused("bad_value", "before: names readings that are past retention by now: begin again without it")
    streams = Stream.objects.filter(robot_id__in={row[0] for row in rows}, stream__in={row[1] for row in rows})
    places = {(robot_id, stream): place for robot_id, stream, place in streams.values_list("robot_id", "stream", "place")}
    found: dict[str, Cursor] = defaultdict(Cursor)
    for robot_id, stream, seq in rows:
        cursor = found[robot_id]
        cursor.upto[stream] = seq
        if stream not in PLAIN_STREAMS:
            cursor.place = places.get((robot_id, stream), cursor.place)
    return found
