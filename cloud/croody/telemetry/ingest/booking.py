"""One transaction: locks the ledger rows a request touches, judges every unit, writes records, ledger, letters, presence.

The order of locks is the same for everybody (the bridge's row, ledger rows sorted, then usage, totals, letters, presence), so two
relays with overlapping streams wait for each other and never in a ring.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import F

from croody.telemetry import store
from croody.telemetry.ingest import ledger, letters, vehicles
from croody.telemetry.ingest.intake import Batch, Buried, Intake, Key, One, Row, Unit
from croody.telemetry.ingest.letters import Letter
from croody.telemetry.ingest.repeats import Repeats
from croody.telemetry.ingest.stream_order import arrange, spread
from croody.telemetry.ingest.usage import LETTER_WORK, RANGES_A_RECORD, STREAM_WORK, Account, Work
from croody.telemetry.models import StreamTotal
from croody.telemetry.store import deliveries
from croody.telemetry.store.base import Held, Span, Store, place_of
from croody.telemetry.store.letters import write_letters
from croody.telemetry.store.presence import write_presence
from croody.telemetry.store.usage import note_opened, streams_left
from croody_contract import ranges
from croody_contract.messages import Ack, Refused
from croody_contract.ranges import EMPTY, Ranges
from croody_contract.relay import PresenceItem, RobotAck
from croody_contract.topics import PLAIN_STREAMS

#: What the head of a stream said, and whether it has spoken live.
_Head = tuple[str | None, int | None, bool]
_REMEMBERED = 50_000


class Heads:
    """Ledger rows that are known to be there, with what is booked of their heads: saves looks, decides nothing."""

    def __init__(self) -> None:
        self._heads: dict[tuple[str, Key], _Head] = {}
        self._lock = threading.Lock()

    def get(self, alias: str, key: Key) -> _Head | None:
        """What is remembered, None for nothing."""
        return self._heads.get((alias, key))

    def learn(self, alias: str, heads: dict[Key, _Head]) -> None:
        """Remember what a commit has booked."""
        with self._lock:
            if len(self._heads) + len(heads) > _REMEMBERED:
                self._heads.clear()
            self._heads.update({(alias, key): head for key, head in heads.items()})

    def forget(self) -> None:
        """Look again: rows went away, as when a database was restored."""
        with self._lock:
            self._heads.clear()


_heads = Heads()


class LedgerGone(RuntimeError):
    """A ledger row that was there is gone: the database was put back or cleared meanwhile. A second try looks again."""


@dataclass(slots=True)
class Booked:
    """What one commit accounted for. `readings`: rows of the streams that the cloud numbers, with their ids where these were asked for."""

    acks: list[RobotAck] = field(default_factory=list)
    readings: list[tuple[Row, int | None]] = field(default_factory=list)
    work: Work = field(default_factory=Work)


@dataclass(frozen=True, slots=True)
class Way:
    """How to book.

    Args:
        revive: dead letters that are played again: their keys may come back.
        told: of the streams that the cloud numbers, those of which the ids of new rows are told.
        careful: see `Store.write`.
        account: what robots may open; None for no limit.
    """

    revive: bool = False
    told: Collection[str] = ()
    careful: bool = False
    account: Account | None = None


USUAL: Final = Way()


def book(intake: Intake, presence: Sequence[PresenceItem], *, now: datetime, alias: str, way: Way = USUAL) -> Booked:
    """Book everything, or nothing.

    Args:
        intake: what came.
        presence: what was said about being there, by robots that exist.
        now: receipt time.
        alias: the database.
        way: how.

    Raises:
        django.db.Error: nothing was done.
        vehicles.Overtaken: nothing was done.
    """
    if not (intake.units or intake.plain.rows or intake.letters or presence or intake.remembered):
        return Booked()
    try:
        return _book(intake, presence, now, alias, way)
    except LedgerGone:
        _heads.forget()
        return _book(intake, presence, now, alias, way)


def _book(intake: Intake, presence: Sequence[PresenceItem], now: datetime, alias: str, way: Way) -> Booked:
    with store.turn(alias), transaction.atomic(using=alias):
        books = _Books(store.of(alias), alias, now, way)
        intake = _without_repeats(intake, now, alias)
        if intake.units or intake.plain.rows:
            for unit in books.open(intake):
                books.take(unit)
        booked = books.close(intake.letters)
        if presence:
            write_presence(presence, now, alias)
        if intake.remembered:
            vehicles.write(intake.remembered, now, alias)
    _heads.learn(alias, books.learnt)
    return booked


def _without_repeats(intake: Intake, now: datetime, alias: str) -> Intake:
    """Leave out the plain readings that a bridge brings a second time, and note what it brings. Its row is the first lock of all."""
    sender = intake.sender
    if sender is None or not any(intake.plain.came):
        return intake
    repeats = Repeats(deliveries.lock(sender, now, alias), sender.floor, partial(deliveries.marks, sender.session, now, alias))
    again = repeats.among(intake.plain.came)
    deliveries.write(sender, *repeats.noted(), now, alias)
    return replace(intake, plain=intake.plain.without(again)) if again else intake


class _Books:
    """The state of one transaction."""

    def __init__(self, store_: Store, alias: str, now: datetime, way: Way) -> None:
        self._store = store_
        self._alias = alias
        self._now = now
        self._way = way
        self._held: dict[Key, Held] = {}
        self._before: dict[Key, ledger.Entry] = {}
        self._hashes: dict[Key, dict[int, str]] = {}
        #: What is inserted by this transaction: of a stream that comes twice in it, the hashes of the first time.
        self._brought: dict[Key, list[list[One]]] = {}
        self._rows: list[Row] = []
        #: Rows of the streams that the cloud numbers, in the order they came.
        self._plain: list[Row] = []
        self._letters: list[Letter] = []
        self._unfolded: list[Key] = []
        self._stored: dict[Key, Ranges] = {}
        self._dead: dict[Key, Ranges] = {}
        #: What tombstones name, all of it at once: a long row is worked through once.
        self._named: dict[Key, list[tuple[int, int]]] = {}
        self._work = Work()
        self.learnt: dict[Key, _Head] = {}

    def open(self, intake: Intake) -> list[Unit]:
        """Lock what the units touch, put new streams in their place, read the hashes of what may be repeats. Gives what is to be taken."""
        units, self._plain = intake.units, intake.plain.rows
        # Streams are few beside their readings, and a set of what is the same text again and again is made fast.
        plain = {(row.robot_id, row.stream) for row in self._plain}
        heads, keys = self._touched(units)
        keys |= plain
        make = sorted(key for key in keys if _heads.get(self._alias, key) is None)
        if refused := self._beyond(make, {unit.key for unit in units}):
            units = [one for unit in units if (one := self._without(unit, refused)) is not None]
            heads, keys = self._touched(units)
            keys |= plain
            make = [key for key in make if key in keys]
        stirred = {key[0] for key in make} | {key[0] for key in heads}
        if stirred:
            keys |= self._store.streams_of(stirred)
        self._held = self._store.lock(sorted(keys), make, self._now)
        if len(self._held) < len(keys):
            raise LedgerGone(f"{len(keys) - len(self._held)} ledger rows are gone")
        self._before = {key: held.entry for key, held in self._held.items()}
        for key in {unit.key for unit in units} | plain:
            self._unfold(self._held[key])
        for key in plain:
            self._held[key].changed = self._held[key].heard = True
        for robot_id in sorted(stirred):
            self._arrange(robot_id, [unit for key, unit in heads.items() if key[0] == robot_id])
        for key in make:
            self.learnt.setdefault(key, (self._held[key].prev, self._held[key].prev_last, False))
            if self._held[key].new:
                self._work.add(key[0], STREAM_WORK)
                self._work.opened[key[0]] = self._work.opened.get(key[0], 0) + 1
        if long := self._long():
            units = [one for unit in units if (one := self._without_long(unit, long)) is not None]
        spans = [span for unit in units if isinstance(unit, Batch) for span in self._repeats(unit)]
        if spans:
            for (robot_id, stream, seq), digest in self._store.hashes(spans).items():
                self._hashes.setdefault((robot_id, stream), {})[seq] = digest
        return units

    def _touched(self, units: Sequence[Unit]) -> tuple[dict[Key, Batch], set[Key]]:
        """Of which streams the heads are news, and all that the units speak of."""
        heads: dict[Key, Batch] = {}
        for unit in units:
            if isinstance(unit, Batch) and self._is_news(unit) and not (unit.historical and unit.key in heads):
                heads[unit.key] = unit
        keys = {unit.key for unit in units}
        keys |= {(unit.key[0], unit.prev) for unit in heads.values() if unit.prev is not None}
        for unit in units:
            if isinstance(unit, Batch):
                keys |= {(unit.key[0], stream) for stream, _ in unit.buries}
        return heads, keys

    def _beyond(self, make: Sequence[Key], speaking: Collection[Key]) -> set[Key]:
        """Streams that are new, and more than their robot may open today: those that are only spoken of go first."""
        account = self._way.account
        if account is None or not make:
            return set()
        left = streams_left({key[0] for key in make}, account.quotas.streams, self._now, self._alias)
        counts: dict[str, int] = {}
        for robot_id, _ in make:
            counts[robot_id] = counts.get(robot_id, 0) + 1
        if all(count <= left[robot_id] for robot_id, count in counts.items()):
            return set()
        new = [key for key in make if key[1] not in PLAIN_STREAMS]
        new = sorted(set(new) - self._store.present(new), key=lambda key: (key not in speaking, key))
        refused = set()
        for key in new:
            left[key[0]] -= 1
            if left[key[0]] < 0:
                refused.add(key)
        return refused

    def _without(self, unit: Unit, refused: Collection[Key]) -> Unit | None:
        """What is left of a unit when these streams may not be opened."""
        text = "its robot has opened more streams today than it may (CROODY_QUOTA_STREAMS)"
        if unit.key in refused:
            self._refuse(unit, f"stream {unit.key[1]}: {text}")
            return None
        if not isinstance(unit, Batch):
            return unit
        if (unit.key[0], unit.prev) in refused:
            unit = replace(unit, prev=None, prev_last=None)
        return _without_targets(unit, {stream for robot_id, stream in refused if robot_id == unit.key[0]}, text)

    def _long(self) -> set[Key]:
        """Ledger rows that take no more."""
        account = self._way.account
        return set() if account is None else {key for key, held in self._held.items() if _length(held.entry) > account.quotas.ranges}

    def _without_long(self, unit: Unit, long: Collection[Key]) -> Unit | None:
        """What is left of a unit when these rows take no more."""
        text = "its account in the ledger has more ranges than it may (CROODY_QUOTA_RANGES)"
        if not isinstance(unit, Batch):
            return unit
        if unit.key in long:
            self._refuse(unit, f"stream {unit.key[1]}: {text}", self._held[unit.key].entry.have)
            return None
        return _without_targets(unit, {stream for robot_id, stream in long if robot_id == unit.key[0]}, text)

    def _refuse(self, unit: Unit, detail: str, have: Ranges = EMPTY) -> None:
        """Acknowledge what is not stored as dead without a word in the ledger: its robot lets go of it, and its letters tell why."""
        if isinstance(unit, Batch) and unit.ones:
            first, last = unit.ones[0].seq, unit.ones[-1].seq
            stored = ranges.intersect(((first, last),), have)
            self._acknowledge(unit.key, stored, ranges.subtract(((first, last),), stored))
            if stored != ((first, last),):
                self._letters += letters.of_records(*unit.key, first, [one.raw for one in unit.ones], "quota", detail, unit.topic)
        elif isinstance(unit, Buried):
            self._acknowledge(unit.key, EMPTY, unit.span)
            self._letters += unit.letters

    def _is_news(self, unit: Batch) -> bool:
        head = _heads.get(self._alias, unit.key)
        if head is None or not (unit.historical or head[2]):
            return True
        return unit.prev is not None and (unit.prev, unit.prev_last) != head[:2]

    def _repeats(self, unit: Batch) -> list[Span]:
        if not unit.ones:
            return []
        have, start = self._held[unit.key].entry.have, unit.ones[0].seq
        if not have or start > have[-1][1]:
            return []
        return [(*unit.key, first, last) for first, last in ranges.intersect(((start, unit.ones[-1].seq),), have)]

    def _arrange(self, robot_id: str, heads: Sequence[Batch]) -> None:
        """Book what heads say, and number the robot's streams anew where the order changed."""
        mine = {key[1]: held for key, held in self._held.items() if key[0] == robot_id and held.folded_at is None}
        order = [name for name, held in sorted(mine.items(), key=lambda pair: (pair[1].place, pair[1].id)) if not held.new]
        prev_of: dict[str, str | None] = {name: held.prev for name, held in mine.items()}
        for unit in heads:
            name = unit.key[1]
            held = self._held[unit.key]
            self._learn(unit, held)
            if held.folded_at is None:
                order = arrange(order, prev_of, name, held.prev, historical=unit.historical)
                prev_of[name] = held.prev
        order = [name for name in order if name in mine]
        for name in sorted(set(mine) - set(order)):
            order = arrange(order, prev_of, name, None, historical=name not in PLAIN_STREAMS)
        for name, place in spread(order, {name: held.place for name, held in mine.items() if not held.new}).items():
            if mine[name].place != place:
                mine[name].place = place
                mine[name].changed = True

    def _learn(self, unit: Batch, held: Held) -> None:
        """Book what one head says: what was before, and where that ended."""
        if held.prev is None and unit.prev is not None:
            held.prev, held.prev_last = unit.prev, unit.prev_last
            held.changed = True
        if unit.prev is not None and unit.prev_last is not None:
            before = self._held[(unit.key[0], unit.prev)]
            before.entry = ledger.known(before.entry, unit.prev_last)
        old = _heads.get(self._alias, unit.key)
        said = (unit.prev, unit.prev_last) if unit.prev is not None or old is None else old[:2]
        self.learnt[unit.key] = (*said, not unit.historical or (old is not None and old[2]))

    def take(self, unit: Unit) -> None:
        """Judge one unit under the lock."""
        held = self._held[unit.key]
        held.changed = held.heard = True
        match unit:
            case Batch():
                self._take_batch(unit, held)
            case Buried():
                held.entry, stored, dead = ledger.bury(held.entry, unit.span)
                self._acknowledge(unit.key, stored, dead)
                self._letters += [letter for letter in unit.letters if dead]

    def _take_batch(self, unit: Batch, held: Held) -> None:
        if not unit.ones:
            return
        first, last = unit.ones[0].seq, unit.ones[-1].seq
        news = ledger.news(held.entry, first, last) if unit.sound and not self._way.revive else None
        if news is None:
            self._judge(unit, held, first, last)
            return
        # Nearly all batches: everything in them is new and fits.
        held.entry = news
        self._acknowledge(unit.key, ((first, last),), EMPTY)
        self._insert(unit.key, unit.ones, held)
        for named in unit.buries:
            self._bury(unit.key[0], named)

    def _judge(self, unit: Batch, held: Held, first: int, last: int) -> None:
        """Judge records one by one."""
        entry = ledger.revive(held.entry, ((first, last),)) if self._way.revive else held.entry
        hashes = self._hashes.setdefault(unit.key, {})
        for ones in self._brought.get(unit.key, ()):
            hashes.update((one.seq, one.hash) for one in ones)
        judged = ledger.judge(entry, [ledger.Arrival(one.seq, one.hash, one.row is not None) for one in unit.ones], hashes)
        held.entry = judged.entry
        self._acknowledge(unit.key, judged.stored, judged.dead)
        new = [one for one, what in zip(unit.ones, judged.whats, strict=True) if what == "insert"]
        self._insert(unit.key, new, held)
        for one in new:
            if one.buries is not None:
                self._bury(unit.key[0], one.buries)
        self._letters += [
            _letter(unit, one, what) for one, what in zip(unit.ones, judged.whats, strict=True) if what not in ("insert", "repeat")
        ]

    def _insert(self, key: Key, ones: list[One], held: Held) -> None:
        self._brought.setdefault(key, []).append(ones)
        rows = [one.row for one in ones if one.row is not None]
        self._rows += rows
        newest = next((row for row in reversed(rows) if row.kind == "reading"), None)
        if newest is not None and (held.latest_seq is None or newest.seq > held.latest_seq):
            # By seq, never by the clock.
            held.latest_seq, held.newest = newest.seq, newest

    def _number(self) -> list[Row]:
        """Rows of the streams that the cloud numbers, with the next numbers: what is received last is the newest."""
        newest: dict[Key, Row] = {}
        readings: dict[Key, Row] = {}
        for row in self._plain:
            key = row.robot_id, row.stream
            before = newest.get(key)
            row.seq = 1 + (before.seq if before is not None else self._held[key].entry.known_last)
            newest[key] = row
            if row.kind == "reading":
                readings[key] = row
        for key, row in newest.items():
            held = self._held[key]
            held.entry = ledger.news(held.entry, held.entry.known_last + 1, row.seq) or held.entry
            if key in readings:
                held.latest_seq, held.newest = readings[key].seq, readings[key]
        self._rows += self._plain
        return self._plain

    def _bury(self, robot_id: str, named: tuple[str, Ranges]) -> None:
        self._named.setdefault((robot_id, named[0]), []).extend(named[1])

    def _acknowledge(self, key: Key, stored: Ranges, dead: Ranges) -> None:
        self._stored[key] = ranges.union(self._stored.get(key, EMPTY), stored)
        self._dead[key] = ranges.union(self._dead.get(key, EMPTY), dead)

    def close(self, placeless: Iterable[Letter]) -> Booked:
        """Write everything."""
        plain = self._number()
        for key, named in self._named.items():
            self._held[key].entry = ledger.drop(self._held[key].entry, ranges.normalise(named))
        for key, held in self._held.items():
            before = self._before[key]
            if held.entry != before or held.new:
                held.changed = True
                held.missing_since = _missing_since(held.missing_since, before, held.entry, self._now)
                self._unfold(held)
            if held.changed:
                self._work.weights[key] = length = _length(held.entry)
                self._work.add(key[0], length / RANGES_A_RECORD)
        for letter in self._letters:
            self._work.add(letter.robot_id, LETTER_WORK)
        changed = [held for _, held in sorted(self._held.items()) if held.changed]
        ids = self._store.write(self._rows, changed, self._now, self._way.told, careful=self._way.careful) if self._rows or changed else {}
        if self._way.account is not None:
            note_opened(self._work.opened, self._way.account.quotas.streams, self._now, self._alias)
        self._take_from_totals()
        write_letters([*self._letters, *placeless], self._now, self._alias)
        return Booked(
            acks=[
                RobotAck(key[0], Ack(key[1], list(self._stored[key]), list(self._dead[key])))
                for key in self._stored
                if self._stored[key] or self._dead[key]
            ],
            readings=[(row, ids.get(place_of(row)) if self._way.told else None) for row in plain],
            work=self._work,
        )

    def _unfold(self, held: Held) -> None:
        """A stream that was counted as finished speaks, or is spoken of: it counts by itself again."""
        if held.folded_at is not None:
            held.folded_at = None
            held.changed = True
            self._unfolded.append((held.robot_id, held.stream))

    def _take_from_totals(self) -> None:
        for key in sorted(self._unfolded):
            before = self._before[key]
            lacks = ledger.missing(before)
            StreamTotal.objects.using(self._alias).filter(robot_id=key[0]).update(
                streams=F("streams") - 1,
                stored=F("stored") - ranges.count(before.have),
                dead=F("dead") - ranges.count(before.dead),
                dropped=F("dropped") - ranges.count(before.dropped),
                missing=F("missing") - ranges.count(lacks),
                gaps=F("gaps") - len(lacks),
            )


def _length(entry: ledger.Entry) -> int:
    return len(entry.have) + len(entry.dead) + len(entry.dropped)


def _without_targets(unit: Batch, targets: Collection[str], text: str) -> Batch:
    """The same batch, its tombstones for these streams refused."""
    if not targets or all(stream not in targets for stream, _ in unit.buries):
        return unit
    ones = [
        msgspec.structs.replace(one, row=None, buries=None, why=Refused("quota", f"tombstone: stream {one.buries[0]}: {text}"))
        if one.buries is not None and one.buries[0] in targets
        else one
        for one in unit.ones
    ]
    return replace(unit, ones=ones, sound=False, buries=[one.buries for one in ones if one.buries is not None])


def _letter(unit: Batch, one: One, what: str) -> Letter:
    robot_id, stream = unit.key
    if what == "conflict":
        reason, detail = "conflict", f"seq {one.seq}: is stored with other bytes: two robots, or a restored copy, share one identity"
    elif what == "dead_before":
        reason, detail = "dead_before", f"seq {one.seq}: was dead-lettered before; a robot never changes what it queued"
    else:
        reason, detail = (one.why.reason, str(one.why)) if one.why is not None else ("refused", "")
    made = letters.make(robot_id, reason, detail, unit.topic, one.raw)
    return letters.place(made, stream, one.seq, one.seq)


def _missing_since(since: datetime | None, before: ledger.Entry, after: ledger.Entry, now: datetime) -> datetime | None:
    """A drain that makes progress is no gap: the clock starts again whenever something that was missing comes."""
    lacks = ledger.missing(after)
    if not lacks:
        return None
    lacked = ledger.missing(before)
    return now if since is None or ranges.subtract(lacked, lacks) else since
