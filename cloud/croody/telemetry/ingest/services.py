"""Every write of telemetry. Knows the contract, the ledger and who is a robot; never HTTP or MQTT."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Final

import msgspec
from django.conf import settings
from django.db import DataError, IntegrityError, OperationalError, transaction

from croody.audit.actor import SYSTEM, Actor
from croody.audit.services import record
from croody.commands import services as commands
from croody.fleet.models import Robot
from croody.fleet.queries import known_robots
from croody.telemetry import store
from croody.telemetry.ingest import letters, vehicles
from croody.telemetry.ingest.booking import USUAL, Booked, Way, book
from croody.telemetry.ingest.intake import Buried, Intake, Plain, Reader, Row, Unit, check_speaker
from croody.telemetry.ingest.position import check_place
from croody.telemetry.ingest.repeats import Delivered
from croody.telemetry.ingest.usage import ALONE_WORK, Account
from croody.telemetry.models import DeadLetter
from croody.telemetry.rows import ApiRow, of_row
from croody.telemetry.store import partitions
from croody_contract import batch, messages, ranges
from croody_contract.limits import KIB
from croody_contract.messages import Refused, Telemetry
from croody_contract.nesting import check_depth
from croody_contract.relay import AnswerItem, BatchItem, PresenceItem, Relay, Relayed, Sender

log = logging.getLogger(__name__)
_REFUSED = (DataError, IntegrityError)
_MOST: Final = 2**63 - 1
#: Answers of one robot that are booked of one request.
_ANSWERS: Final = 32
#: How often a relay is read again because another one spoke of the same vehicle meanwhile.
_TRIES: Final = 8
#: What earlier bridges kept of a body without saying that they had cut it, bytes.
_KEPT_BEFORE: Final = 16 * KIB


class HeldBack(Exception):
    """A robot that is over its share for now: nothing was stored; says why, and what to do."""


class NotReplayable(ValueError):
    """A dead letter that cannot be played again; says why. `why`: `replayed`, `conflict`, `cut`, `unknown_robot` or `refused`."""

    def __init__(self, why: str, text: str) -> None:
        super().__init__(text)
        self.why = why


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the records of a letter. `why`: what is wrong with the first that stays dead."""

    stored: int
    dead: int
    why: str = ""


def retention() -> timedelta:
    """How long records are kept."""
    return timedelta(days=settings.ENV.retention_days)


def ingest_relay(relay: Relay, *, now: datetime) -> Relayed:
    """Book everything that the bridge had queued in one transaction, and say exactly what is accounted for.

    A record that the database refuses for a reason nobody foresaw becomes a dead letter alone: it costs neither its batch
    nor another robot's.

    Raises:
        django.db.OperationalError, django.db.InterfaceError, django.db.InternalError: nothing was done (gone, locked, read only).
    """
    now_s = time.monotonic()
    known = known_robots(_robots_of(relay), monotonic_s=now_s)
    presence = [_fitting(item) for item in relay.presence if item.robot_id in known]
    account = account_of()
    held = account.over({item.robot_id for item in relay.batches}, now_s)
    over = sorted(held)
    if held:
        relay = _within(relay, held)
    batches, too_many = account.few(relay.batches)
    if too_many:
        held |= too_many
        relay = msgspec.structs.replace(relay, batches=batches)
    units: list[Unit] = []
    read_s = 0.0

    def read(poison: frozenset[str]) -> Intake:
        nonlocal read_s
        begun_s = time.thread_time()
        intake = Reader(now, retention(), known, poison).read(relay)
        if relay.vehicles:
            vehicles.read(intake, relay.vehicles, now, poison, settings.TELEMETRY_DB)
        read_s += time.thread_time() - begun_s
        more: set[str] = set()
        if relay.batches or relay.dead:
            intake.units, more = account.fit(intake.units)
            units[:] = intake.units
        if held or more:
            intake.letters += account.told(held | more, now_s)
        return intake

    booked = _again(lambda: _book(read, presence, now, Way(account=account)))
    account.spend(units, booked.work, read_s, now_s)
    for item in _few(relay.answers):
        _answer(item, now)
    return Relayed(booked.acks, over)


def ingest_one(telemetry: Telemetry, robot_id: str, stream: str, *, now: datetime) -> ApiRow:
    """Store one reading without a seq of its own. Returns the row as the API shows it.

    Raises:
        HeldBack: its robot is over its share.
        Refused: a value that no type can rule out; names the field.
        django.db.OperationalError, django.db.InterfaceError, django.db.InternalError: nothing was done.
    """
    if telemetry.position is None:
        check_place(telemetry.data)
    account, now_s, body = account_of(), time.monotonic(), messages.encode(telemetry)
    if account.over((robot_id,), now_s):
        book(Intake([], account.told((robot_id,), now_s)), [], now=now, alias=settings.TELEMETRY_DB)
        raise HeldBack(_over(robot_id, account))
    account.spend_alone(robot_id, len(body), now_s)
    digest = batch.payload_hash(body)

    def read(poison: frozenset[str]) -> Intake:
        return _of_one(Reader(now, retention(), (robot_id,), poison).plain(telemetry, (robot_id, stream), digest))

    row, record_id = _book(read, [], now, Way(told=(stream,))).readings[0]
    return of_row(row, record_id)


def replay(letter: DeadLetter, *, now: datetime, actor: Actor = SYSTEM) -> Replayed:
    """Judge a dead letter again, as when its robot is known now or a rule has changed. What still breaks a rule stays dead.

    Raises:
        NotReplayable: its bytes were cut, its key is held by another record, or it has been played already.
        django.db.OperationalError, django.db.InterfaceError, django.db.InternalError: nothing was done.
    """
    if letter.replayed_at is not None:
        raise NotReplayable("replayed", f"letter {letter.pk}: was replayed at {letter.replayed_at.isoformat()}")
    if letter.reason == "conflict":
        raise NotReplayable("conflict", f"letter {letter.pk}: its key is held by a record with other bytes, and stays so")
    body = bytes(letter.body)
    if batch.payload_hash(body) != letter.hash or (len(body) == _KEPT_BEFORE and not _is_whole(body)):
        raise _cut(letter, body)
    known = known_robots({letter.robot_id}, monotonic_s=time.monotonic())
    if letter.robot_id not in known:
        raise NotReplayable("unknown_robot", f"letter {letter.pk}: there is still no robot {letter.robot_id or '(none)'}: make it first")
    reader = Reader(now, retention(), known)
    intake = _read_letter(letter, body, reader)
    partitions.ensure(intake.days())
    alias = settings.TELEMETRY_DB
    with store.turn(alias), transaction.atomic(using=alias):
        booked = book(intake, [], now=now, alias=alias, way=Way(revive=True, careful=True))
        stored = len(booked.readings) + sum(ranges.count(tuple(robot_ack.ack.stored)) for robot_ack in booked.acks)
        dead = sum(ranges.count(tuple(robot_ack.ack.dead)) for robot_ack in booked.acks)
        if dead == 0:
            DeadLetter.objects.using(alias).filter(pk=letter.pk).update(replayed_at=now)
    # Telemetry may have a database of its own, so the entry comes after the commit.
    organisation_id = Robot.objects.filter(pk=letter.robot_id).values_list("organisation_id", flat=True).first()
    told = {"robot": letter.robot_id, "reason": letter.reason, "stored": stored, "dead": dead}
    record(actor, "replay", "dead_letter", str(letter.pk), organisation_id=organisation_id, after=told, now=now)
    return Replayed(stored, dead, _why_dead(letter, now, alias) if dead else "")


def _why_dead(letter: DeadLetter, now: datetime, alias: str) -> str:
    """What the letters that were written just now say of its records."""
    found = DeadLetter.objects.using(alias).filter(robot_id=letter.robot_id, stream=letter.stream, received_at=now)
    found = found.filter(first__gte=letter.first, last__lte=letter.last).order_by("first", "-pk")
    return found.values_list("detail", flat=True).first() or ""


def _is_whole(body: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(batch.inflate(body), type=msgspec.Raw))
    except (Refused, msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def _cut(letter: DeadLetter, body: bytes) -> NotReplayable:
    return NotReplayable(
        "cut",
        f"letter {letter.pk}: only the first {len(body)} bytes of its body were kept, the most that is kept of what cannot be read: mend "
        "what its detail says, have the robot send it again, and discard this letter",
    )


def _read_letter(letter: DeadLetter, body: bytes, reader: Reader) -> Intake:
    try:
        if letter.first == 0:
            check_depth(body)
            telemetry = messages.decode_telemetry(body)
            check_speaker(telemetry, letter.robot_id)
            return _of_one(reader.plain(telemetry, (letter.robot_id, "mqtt"), letter.hash))
        count = letter.last - letter.first + 1
        records = [msgspec.Raw(body)]
        head = batch.Head()
        if count > 1 or body.startswith((b'{"records"', b'{"prev', b"\x1f\x8b")):
            unpacked = batch.unpack(body, count)
            records, head = unpacked.records, unpacked
        if count == 1:
            # What came with others was looked at by the bridge; what is alone may be here because of this very rule.
            check_depth(bytes(records[0]))
    except Refused as why:
        raise NotReplayable("refused", f"letter {letter.pk}: {why}") from why
    item = BatchItem(letter.robot_id, letter.stream, letter.first, records, head.prev, head.prev_last, historical=True)
    return reader.read(Relay(batches=[item]))


def _book(read: Callable[[frozenset[str]], Intake], presence: list[PresenceItem], now: datetime, way: Way = USUAL) -> Booked:
    alias = settings.TELEMETRY_DB
    intake = read(frozenset())
    days = intake.days()
    partitions.ensure(days)
    try:
        return book(intake, presence, now=now, alias=alias, way=way)
    except _REFUSED as error:
        log.warning("the database refused a request (%s): looking for the record that it cannot take", error)
    partitions.forget()
    partitions.ensure(days)
    intake, way = read(_find_poison(intake, alias)), replace(way, careful=True)
    try:
        return book(intake, presence, now=now, alias=alias, way=way)
    except _REFUSED:
        log.exception("the database refused a request again: booking its parts one by one")
    return _book_each(intake, presence, now, alias, way)


def _again(book_: Callable[[], Booked]) -> Booked:
    """Try until no other relay speaks of the same vehicles meanwhile.

    Raises:
        OperationalError: they always do; nothing was done.
    """
    for _ in range(_TRIES):
        try:
            return book_()
        except vehicles.Overtaken as error:
            log.info("%s: read again", error)
    raise OperationalError("vehicles: others speak of the same ones all the time; nothing was done, send it again")


def _find_poison(intake: Intake, alias: str) -> frozenset[str]:
    """Hashes of the records that the database does not take even alone; nothing is left of the trial."""
    found = set()
    trial = store.of(alias)
    with transaction.atomic(using=alias):
        for row in intake.rows():
            try:
                with transaction.atomic(using=alias):
                    trial.write([row], [], row.received_at)
            except _REFUSED as error:
                log.warning("record %s of stream %s of robot %s: the database refused it: %s", row.seq, row.stream, row.robot_id, error)
                found.add(row.hash)
        transaction.set_rollback(True, using=alias)
    return frozenset(found)


def _book_each(intake: Intake, presence: list[PresenceItem], now: datetime, alias: str, way: Way) -> Booked:
    """The last resort: each unit in a transaction of its own, and one that still fails is buried whole."""
    booked = Booked()
    parts = [Intake([unit], sender=intake.sender) for unit in intake.units] + [Intake([], [letter]) for letter in intake.letters]
    parts += [_of_one(row, came, intake.sender) for row, came in zip(intake.plain.rows, intake.plain.came, strict=True)]
    for part in parts:
        try:
            done = book(part, [], now=now, alias=alias, way=way)
        except _REFUSED:
            if part.letters:
                raise
            done = book(_buried(part), [], now=now, alias=alias)
        booked.acks += done.acks
        booked.readings += done.readings
        booked.work.take_in(done.work)
    book(Intake(), presence, now=now, alias=alias)
    return booked


def _of_one(row: Row, came: Delivered | None = None, sender: Sender | None = None) -> Intake:
    """One reading without stream and seq."""
    return Intake(sender=sender, plain=Plain([row], [came]))


def _buried(part: Intake) -> Intake:
    """What is booked of one unit, or of one plain reading, that the database does not take."""
    detail = "the database refused it; the log of that time says why"
    if not part.units:
        return Intake(
            [], [letters.make(row.robot_id, "database_refused", detail, "", msgspec.json.encode(row.data)) for row in part.rows()]
        )
    unit = part.units[0]
    if isinstance(unit, Buried):
        return Intake([Buried(unit.key, unit.span, [])])
    first, last = unit.ones[0].seq, unit.ones[-1].seq
    found = letters.of_records(*unit.key, first, [one.raw for one in unit.ones], "database_refused", detail, unit.topic)
    return Intake([Buried(unit.key, ((first, last),), list(found))])


@cache
def account_of() -> Account:
    """What robots used of their quotas, in this process."""
    return Account(settings.ENV.quotas)


def _over(robot_id: str, account: Account) -> str:
    return (
        f"robot_id: {robot_id} sends more than {account.quotas.work} records' worth of work a second, of which a reading by HTTP is "
        f"{ALONE_WORK:.0f}, or than {account.quotas.mib} MiB a day: nothing was stored: send the same again after "
        "Retry-After seconds, and slower"
    )


def _within(relay: Relay, over: Collection[str]) -> Relay:
    """Without the batches of robots that are over their share, and what else of theirs nobody waits for."""
    return msgspec.structs.replace(
        relay,
        batches=[item for item in relay.batches if item.robot_id not in over],
        dead=[item for item in relay.dead if item.number or item.robot_id not in over],
        answers=[item for item in relay.answers if item.robot_id not in over],
    )


def _few(answers: Sequence[AnswerItem]) -> list[AnswerItem]:
    """The last few answers of each robot: it answers again what it is asked again."""
    found: dict[str, list[AnswerItem]] = {}
    for item in answers:
        found.setdefault(item.robot_id, []).append(item)
    return [item for mine in found.values() for item in mine[-_ANSWERS:]]


def _robots_of(relay: Relay) -> set[str]:
    found = {item.robot_id for item in relay.batches}
    found |= {item.robot_id for item in relay.plain}
    found |= {item.robot_id for item in relay.presence}
    return {letters.clean(robot_id, 64) for robot_id in found}


def _fitting(item: PresenceItem) -> PresenceItem:
    """A count that no database column holds is only a count."""
    presence = msgspec.structs.replace(item.presence, queued=min(item.presence.queued, _MOST))
    return PresenceItem(item.robot_id, presence)


def _answer(item: AnswerItem, now: datetime) -> None:
    if 1 <= item.outgoing_id <= _MOST:
        said = msgspec.structs.replace(item.answer, detail=letters.clean(item.answer.detail, 1024))
        commands.answer(letters.clean(item.robot_id, 64), item.outgoing_id, said, now=now)
