"""What a store does, whichever database is below."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, Self

from django.db.backends.base.base import BaseDatabaseWrapper

from croody.telemetry.ingest.intake import Key, Row
from croody.telemetry.ingest.ledger import Entry

#: (robot_id, stream, first, last)
Span = tuple[str, str, int, int]
#: (robot_id, stream, seq)
Place = tuple[str, str, int]
#: Of one robot, so many open streams are looked at when a new one is put in its place; older ones keep theirs, as folded ones do.
NEWEST: Final = 32


@dataclass(slots=True)
class Held:
    """A ledger row under its lock. `new`: this transaction made it."""

    id: int
    robot_id: str
    stream: str
    place: float
    prev: str | None
    prev_last: int | None
    entry: Entry
    #: The account as it was read: what of it did not change is not written.
    was: Entry
    missing_since: datetime | None
    latest_seq: int | None
    folded_at: datetime | None
    new: bool = False
    #: The newest reading when this transaction brought it.
    newest: Row | None = None
    #: Something came now; `changed` is also said of rows that others spoke of.
    heard: bool = False
    changed: bool = False

    @classmethod
    def of(cls, row: Sequence[Any], entry: Entry, rest: Sequence[Any], *, new: bool) -> Self:
        """From columns as the lock statements read them: `row` is id ... prev_last, `rest` missing_since, latest_seq, folded_at."""
        record_id, robot_id, stream, place, prev, prev_last = row[:6]
        missing_since, latest_seq, folded_at = rest
        return cls(
            id=record_id,
            robot_id=robot_id,
            stream=stream,
            place=place,
            prev=prev,
            prev_last=prev_last,
            entry=entry,
            was=entry,
            missing_since=missing_since,
            latest_seq=latest_seq,
            folded_at=folded_at,
            new=new,
        )


class Store(Protocol):
    """SQL of one database."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None: ...

    def streams_of(self, robot_ids: Collection[str]) -> set[Key]:
        """Keys of the `NEWEST` of their ledger rows that are not folded; until the end of the transaction nobody else makes one."""

    def present(self, keys: Sequence[Key]) -> set[Key]:
        """Those of which there is a ledger row."""

    def lock(self, keys: Sequence[Key], make: Sequence[Key], now: datetime) -> dict[Key, Held]:
        """Make the rows of `make` that are not there, then lock those of `keys`; both in sorted order, so nobody waits in a ring."""

    def hashes(self, spans: Sequence[Span]) -> Mapping[Place, str]:
        """Hashes of the records that are stored within these spans."""

    def write(
        self, rows: Sequence[Row], ledger: Sequence[Held], now: datetime, told: Collection[str] = (), *, careful: bool = False
    ) -> Mapping[Place, int]:
        """Insert records and change ledger rows. Returns the ids of (at least) the rows in the streams `told`.

        `careful`: a row that is there although the ledger does not know of it is passed over, and refuses nothing.
        """


def place_of(row: Row) -> Place:
    """Its key."""
    return row.robot_id, row.stream, row.seq


def ids_of(rows: Sequence[Row], ids: Sequence[int], newest: Sequence[Row], told: Collection[str]) -> dict[Place, int]:
    """Of rows and their ids those that are told of: in the streams `told`, and of `newest` those that are among them."""
    by_row = dict(zip(map(id, rows), ids, strict=True))
    wanted = [row for row in newest if id(row) in by_row]
    if told:
        wanted += [row for row in rows if row.stream in told]
    return {place_of(row): by_row[id(row)] for row in wanted}
