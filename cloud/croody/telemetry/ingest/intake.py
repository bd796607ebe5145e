"""What the bridge or an HTTP client sent -> units that can be booked. Pure: knows the contract, no database and no clock.

Everything is judged one by one here: what breaks a rule becomes a unit with its reason, never an exception.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from croody.telemetry.ingest import letters
from croody.telemetry.ingest.clock import believable, effective, in_utc
from croody.telemetry.ingest.letters import Letter
from croody.telemetry.ingest.position import place_in
from croody.telemetry.ingest.repeats import Delivered, delivered
from croody_contract import messages, topics
from croody_contract.batch import check_size, payload_hash
from croody_contract.limits import MAX_RECORD_BYTES, MAX_SEQ
from croody_contract.messages import Reading, Record, Refused, Telemetry, Tombstone
from croody_contract.ranges import Ranges, normalise
from croody_contract.relay import BatchItem, DeadItem, PlainItem, Relay, Sender

if TYPE_CHECKING:
    from croody.telemetry.ingest.vehicles import Remembered

#: (robot_id, stream)
Key = tuple[str, str]
_OWN_COLUMNS: Final = ("kind", "ts")
_NOWHERE: Final = (None, None, None)


class Row(msgspec.Struct, gc=False):
    """A record as the table takes it. Of a plain reading `seq` is 0 until the ledger numbers it; nothing else changes."""

    robot_id: str
    stream: str
    seq: int
    kind: str
    at: datetime
    ts: datetime | None
    received_at: datetime
    clock_wrong: bool
    historical: bool
    hash: str
    data: dict[str, Any]
    lat: float | None = None
    lng: float | None = None
    alt: float | None = None
    environment: str | None = None
    status: str | None = None


def heard_at(row: Row) -> datetime:
    """When a reading counts as said, by the cloud's clock: at its receipt. Backlog was said before, and a robot's clock may say when."""
    return min(row.at, row.received_at) if row.historical else row.received_at


class One(msgspec.Struct, frozen=True, gc=False):
    """One record of a batch: `row` when it fits, else `why`. `buries`: the stream and ranges that a tombstone names."""

    seq: int
    raw: bytes
    hash: str
    row: Row | None = None
    why: Refused | None = None
    buries: tuple[str, Ranges] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one stream in a row, and what its head said. `sound`: each of them fits. `buries`: what its tombstones name.

    `readings`: all of them are readings that fit.
    """

    key: Key
    ones: list[One]
    sound: bool
    buries: list[tuple[str, Ranges]]
    prev: str | None
    prev_last: int | None
    historical: bool
    topic: str
    readings: bool = False


@dataclass(frozen=True, slots=True)
class Buried:
    """A span of a stream that cannot be read, or may not be stored; its letters tell why."""

    key: Key
    span: Ranges
    letters: list[Letter]


@dataclass(frozen=True, slots=True)
class Plain:
    """Readings without stream and seq, of any robots, in the order they came: the ledger numbers them.

    `came[i]`: how a bridge delivered `rows[i]`; None where none has numbered it.
    """

    rows: list[Row] = field(default_factory=list)
    came: list[Delivered | None] = field(default_factory=list)

    def without(self, indices: Collection[int]) -> "Plain":
        """All but these."""
        kept = [index for index in range(len(self.rows)) if index not in indices]
        return Plain([self.rows[index] for index in kept], [self.came[index] for index in kept])


Unit = Batch | Buried


@dataclass(slots=True)
class Intake:
    """What is to be booked in one transaction, in the order it came. `letters` have no place in any stream. `sender`: the bridge."""

    units: list[Unit] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    sender: Sender | None = None
    plain: Plain = field(default_factory=Plain)
    #: What vehicles said last, as this request has it.
    remembered: Sequence["Remembered"] = ()

    def rows(self) -> list[Row]:
        """Every row that may be inserted."""
        found: list[Row] = list(self.plain.rows)
        for unit in self.units:
            if isinstance(unit, Batch):
                found.extend(one.row for one in unit.ones if one.row is not None)
        return found

    def days(self) -> set[date]:
        """The days, in UTC, at which they count."""
        moments = [row.at for row in self.rows()]
        if not moments:
            return set()
        # Nearly always it is one: to look for the ends is less work than to make a date of each.
        first, last = min(moments).date(), max(moments).date()
        return {first} if first == last else {moment.date() for moment in moments}


@dataclass(frozen=True, slots=True)
class Reader:
    """Takes relays apart.

    Args:
        now: receipt time, in UTC.
        retention: how long records are kept.
        known: ids of the robots that exist.
        poison: hashes of records that the database refused before, for a reason nobody foresaw: dead letters now.
    """

    now: datetime
    retention: timedelta
    known: Collection[str]
    poison: Collection[str] = frozenset()

    def read(self, relay: Relay) -> Intake:
        """Units of everything but presence and answers."""
        out = Intake(sender=relay.sender)
        for item in relay.batches:
            self._batch(out, item)
        bodies = [bytes(plain.body) for plain in relay.plain]
        decoded: Sequence[Telemetry | None] = (messages.decode_telemetries(bodies) if _fit(bodies) else None) or [None] * len(bodies)
        self._plains(out, relay.plain, bodies, decoded)
        for dead in relay.dead:
            _dead(out, dead)
        return out

    def _batch(self, out: Intake, item: BatchItem) -> None:
        key, last = (item.robot_id, item.stream), item.first + len(item.records) - 1
        topic = f"{topics.ROOT}/{item.robot_id}/up/batch/{item.stream}/{item.first}-{last}"
        if not _is_place(*key, item.first, last):
            text = "batch: its robot_id, stream or range breaks the grammar of topics"
            out.letters.append(letters.make(item.robot_id, "bad_topic", text, topic, msgspec.json.encode(item)))
            return
        if item.robot_id not in self.known:
            records = [bytes(raw) for raw in item.records]
            text = f"robot_id: there is no robot {item.robot_id}: make it with croody robot add, then replay this letter"
            found = letters.of_records(*key, item.first, records, "unknown_robot", text, topic)
            out.units.append(Buried(key, ((item.first, last),), list(found)))
            return
        raws = [bytes(raw) for raw in item.records]
        decoded = messages.decode_records(raws) if _fit(raws) else None
        readings = self._readings(key, item, raws, decoded) if decoded is not None else None
        if readings is not None:
            out.units.append(Batch(key, readings, True, [], *_said(item, item.prev, item.prev_last), item.historical, topic, readings=True))
            return
        each: Sequence[Record | None] = decoded or [None] * len(raws)
        numbered = enumerate(zip(raws, each, strict=True), start=item.first)
        ones = [self._one(key, seq, raw, item.historical, record) for seq, (raw, record) in numbered]
        prev, prev_last = _head(item, ones)
        sound = all(one.row is not None for one in ones)
        buries = [one.buries for one in ones if one.buries is not None]
        out.units.append(Batch(key, ones, sound, buries, prev, prev_last, item.historical, topic))

    def _readings(self, key: Key, item: BatchItem, raws: Sequence[bytes], records: Sequence[Record]) -> list[One] | None:
        """What `_one` makes of nearly all batches, in one loop: all are readings and fit. None: look at each."""
        if self.poison:
            return None
        (robot_id, stream), historical, now = key, item.historical, self.now
        oldest, newest = believable(now, self.retention)
        out: list[One] = []
        for seq, (raw, record) in enumerate(zip(raws, records, strict=True), start=item.first):
            if type(record) is not Reading:
                return None
            ts = record.ts
            if ts is None or ts.tzinfo is not UTC or not oldest <= ts <= newest:
                return None
            digest, data, environment, status = payload_hash(raw), record.data, record.environment, record.status
            lat, lng, alt = _NOWHERE
            if record.position is not None or "lat" in data or "LAT" in data:
                lat, lng, alt = _coordinates(record)
            row = Row(
                robot_id, stream, seq, "reading", ts, ts, now, False, historical, digest, data, lat, lng, alt, environment, status
            )  # fmt: skip
            out.append(One(seq, raw, digest, row))
        return out

    def _one(self, key: Key, seq: int, raw: bytes, historical: bool, record: Record | None) -> One:
        """One record judged; `record`: what its bytes say where that is known already."""
        digest = payload_hash(raw)
        try:
            if digest in self.poison:
                raise Refused("database_refused", "record: the database refused it; the log of that time says why")
            if record is None:
                check_size(raw)
                record = messages.decode_record(raw)
            ts = in_utc(record.ts) if record.ts is not None else None
            at, wrong = effective(ts, self.now, self.retention)
            if type(record) is not Reading:
                return One(seq, raw, digest, self._other(key, seq, digest, record, (at, ts, wrong), historical), None, _buries(record))
            lat, lng, alt = _coordinates(record)
            words = record.environment, record.status
            data = record.data
            row = Row(*key, seq, "reading", at, ts, self.now, wrong, historical, digest, data, lat, lng, alt, *words)
            return One(seq, raw, digest, row)
        except Refused as why:
            return One(seq, raw, digest, None, why)

    def _other(
        self, key: Key, seq: int, digest: str, record: Record, times: tuple[datetime, datetime | None, bool], historical: bool
    ) -> Row:
        """The row of what is no reading."""
        at, ts, wrong = times
        fields: dict[str, Any] = msgspec.to_builtins(record)
        kind = str(fields["kind"])
        data = {name: value for name, value in fields.items() if name not in _OWN_COLUMNS}
        return Row(*key, seq, kind, at, ts, self.now, wrong, historical, digest, data)

    def _strangers(self, robot_ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Who may not send plain readings: reason and text."""
        found = {}
        for robot_id in robot_ids:
            if not topics.ROBOT_ID.fullmatch(robot_id):
                found[robot_id] = "bad_topic", "robot_id: use 3 to 64 letters, digits, '_' or '-'"
            elif robot_id not in self.known:
                found[robot_id] = "unknown_robot", f"robot_id: there is no robot {robot_id}: make it with croody robot add"
        return found

    def _plains(self, out: Intake, items: Sequence[PlainItem], raws: Sequence[bytes], bodies: Sequence[Telemetry | None]) -> None:
        """What `_plain` makes of each; of nearly all of them without asking, in one loop. `bodies`: what is known of the bytes already."""
        strangers = self._strangers({item.robot_id for item in items})
        asks = bool(self.poison)
        now = self.now
        oldest, newest = believable(now, self.retention)
        rows, came = out.plain.rows, out.plain.came
        for item, raw, body in zip(items, raws, bodies, strict=True):
            robot_id = item.robot_id
            row: Row | None
            if asks or body is None or body.robot_id is not None or body.position is not None or robot_id in strangers:
                row = self._plain(out, item, raw, body, strangers.get(robot_id))
            else:
                data, ts = body.data, body.ts
                if ts is None or ts.tzinfo is not UTC or not oldest <= ts <= newest or "lat" in data or "LAT" in data:
                    row = self._plain(out, item, raw, body, None)
                else:
                    digest = payload_hash(raw)
                    environment, status = body.environment, body.status
                    row = Row(
                        robot_id, "mqtt", 0, "reading", ts, ts, now, False, False, digest, data, None, None, None, environment, status
                    )
            if row is not None:
                rows.append(row)
                came.append(delivered(item, row.hash))

    def _plain(self, out: Intake, item: PlainItem, raw: bytes, body: Telemetry | None, stranger: tuple[str, str] | None) -> Row | None:
        """A plain reading judged; None: its letter tells why. `body`: what its bytes say where that is known already."""
        robot_id = item.robot_id
        try:
            if stranger is not None:
                raise Refused(*stranger)
            if body is None:
                check_size(raw)
                body = messages.decode_telemetry(raw)
            check_speaker(body, robot_id)
            return self.plain(body, (robot_id, "mqtt"), payload_hash(raw))
        except Refused as why:
            topic = f"{topics.ROOT}/{robot_id}/up/telemetry"
            out.letters.append(letters.make(robot_id, why.reason, str(why), topic, raw))
            return None

    def plain(self, body: Telemetry, key: Key, digest: str) -> Row:
        """A checked reading without stream and seq.

        Raises:
            Refused: a `ts` that no database holds, or bytes the database refused before.
        """
        if digest in self.poison:
            raise Refused("database_refused", "body: the database refused it; the log of that time says why")
        (robot_id, stream), now, data, ts = key, self.now, body.data, body.ts
        if ts is not None and ts.tzinfo is not UTC:
            ts = in_utc(ts)
        at, wrong = effective(ts, now, self.retention)
        lat, lng, alt = _coordinates(body)
        return Row(
            robot_id, stream, 0, "reading", at, ts, now, wrong, False, digest, data, lat, lng, alt, body.environment, body.status
        )  # fmt: skip


def check_speaker(body: Telemetry, robot_id: str) -> None:
    """A body may say whose it is, and then it is the topic's robot.

    Raises:
        Refused: it is another.
    """
    if body.robot_id is not None and body.robot_id != robot_id:
        raise Refused("wrong_robot", f"robot_id: the body says {body.robot_id!r}, the topic {robot_id}: leave it out of the body")


def _fit(raws: list[bytes]) -> bool:
    return max(map(len, raws), default=0) <= MAX_RECORD_BYTES


def _head(item: BatchItem, ones: list[One]) -> tuple[str | None, int | None]:
    """The stream before, as the head of the batch says, or else its `born` record."""
    if item.prev is None:
        born = next((one.row for one in ones if one.row is not None and one.row.kind == "born"), None)
        if born is not None:
            return _said(item, born.data.get("prev"), born.data.get("prev_last"))
    return _said(item, item.prev, item.prev_last)


def _said(item: BatchItem, prev: str | None, prev_last: int | None) -> tuple[str | None, int | None]:
    """The stream before, as far as that can be believed."""
    if prev is None or prev == item.stream or not topics.STREAM.fullmatch(prev):
        return None, None
    return prev, prev_last if prev_last is not None and 0 <= prev_last <= MAX_SEQ else None


def _buries(record: Record) -> tuple[str, Ranges] | None:
    return (record.stream, normalise(record.ranges)) if isinstance(record, Tombstone) else None


def _coordinates(reading: Reading | Telemetry) -> tuple[float | None, float | None, float | None]:
    """Where it was measured; nowhere, where its metrics say no place on Earth: nobody waits for an answer who could send another one."""
    position = reading.position
    return (position.lat, position.lng, position.alt) if position is not None else place_in(reading.data)


def _dead(out: Intake, item: DeadItem) -> None:
    letter = letters.make(item.robot_id or "", item.reason, item.detail, item.topic, item.body, item.hash)
    robot_id, stream, first, last = item.robot_id or "", item.stream or "", item.first or 0, item.last or 0
    if _is_place(robot_id, stream, first, last):
        placed = letters.place(letter, stream, first, last)
        out.units.append(Buried((robot_id, stream), ((first, last),), [placed]))
    else:
        out.letters.append(letter)


def _is_place(robot_id: str, stream: str, first: int, last: int) -> bool:
    return bool(topics.ROBOT_ID.fullmatch(robot_id) and topics.STREAM.fullmatch(stream) and 1 <= first <= last <= MAX_SEQ)
