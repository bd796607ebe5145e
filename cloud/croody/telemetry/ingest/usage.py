"""What each robot used of its quotas, and what of a request is more than its share. Arithmetic alone: `now_s` is an argument.

Two answers. What is too much at once is *held back*: neither booked nor acknowledged, so its robot keeps it and sends it again. What is
too much in a day is *refused*: a dead letter `quota`, acknowledged as dead. The account is this process's own: it costs no database
anything, and a restart forgives. Streams that were opened are counted in the database, by `store/usage.py`.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from croody.quotas import Quotas
from croody.telemetry.ingest import letters
from croody.telemetry.ingest.intake import Batch, Buried, Key, One, Unit
from croody.telemetry.ingest.letters import Letter
from croody_contract.limits import KIB, MIB
from croody_contract.relay import BatchItem

#: Of one robot one request books about so much work, and speaks of so many streams: what others wait for it.
MOST_WORK: Final = 4000
MOST_RECORDS: Final = 4000
MOST_NAMES: Final = 64
#: What costs as much as one record.
BYTES_A_RECORD: Final = 2 * KIB
RANGES_A_RECORD: Final = 5
NEW_RANGES_A_RECORD: Final = 5
#: What a record takes, about, in seconds of a processor.
RECORD_S: Final = 25e-6
#: What costs more: records' worth.
STREAM_WORK: Final = 30.0
LETTER_WORK: Final = 5.0
#: A reading that comes alone, by HTTP: a request and a transaction of its own.
ALONE_WORK: Final = 20.0
#: Of what is no reading something is made right away: a verdict, an alarm, a picture. In the long run some cost more: one job judges them,
#: or keeps them, of all robots in their turn, so of no robot there may be more in a second than the job does.
_KINDS: Final = {"window": 8.0, "event": 4.0, "tombstone": 2.0, "snapshot": 8.0, "evidence": 4.0, "flow": 1.0}
_LATER: Final = {"window": 8.0, "snapshot": 32.0, "evidence": 16.0}
#: Ledger rows with fewer ranges are not worth remembering.
_LIGHT: Final = 500
_DAY_S: Final = 86_400.0
#: A robot that is held back is told of so often, in seconds.
TOLD_EVERY_S: Final = 20.0
_REMEMBERED: Final = 50_000


class Bucket:
    """`rate` flows in every second, up to `burst`. One for each name."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst_s = rate, burst / rate
        #: Name -> when it would be full, if nothing more were taken.
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str, amount: float, now_s: float) -> None:
        """Take `amount`, also more than there is: what comes then has to wait."""
        self._full_at_s[name] = max(self._full_at_s.pop(name, now_s), now_s) + amount / self._rate
        if len(self._full_at_s) > _REMEMBERED:
            self._full_at_s.popitem(last=False)

    def left(self, name: str, now_s: float) -> float:
        """What may be taken now; below 0 when more was taken than there was."""
        return (self._burst_s - max(0.0, self._full_at_s.get(name, now_s) - now_s)) * self._rate


@dataclass(slots=True)
class Work:
    """What booking has found out: what a robot's streams, ranges and letters came to, how many it opened, and how long ledger rows are."""

    spent: dict[str, float] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    weights: dict[Key, int] = field(default_factory=dict)

    def add(self, robot_id: str, amount: float) -> None:
        """So much more."""
        self.spent[robot_id] = self.spent.get(robot_id, 0.0) + amount

    def take_in(self, other: "Work") -> None:
        """What another part of the same request came to, too."""
        for robot_id, amount in other.spent.items():
            self.add(robot_id, amount)
        for robot_id, count in other.opened.items():
            self.opened[robot_id] = self.opened.get(robot_id, 0) + count
        self.weights |= other.weights


class Account:
    """Of all robots. Safe between threads."""

    def __init__(self, quotas: Quotas) -> None:
        self.quotas = quotas
        self._lock = threading.Lock()
        self._work = Bucket(quotas.work, 5 * quotas.work)
        self._bytes = Bucket(quotas.mib * MIB / _DAY_S, quotas.mib * MIB)
        self._weights: OrderedDict[Key, int] = OrderedDict()
        self._told: OrderedDict[str, float] = OrderedDict()

    def over(self, robots: Collection[str], now_s: float) -> set[str]:
        """Those that have used up their share for now."""
        with self._lock:
            return {robot_id for robot_id in robots if self._work.left(robot_id, now_s) <= 0 or self._bytes.left(robot_id, now_s) <= 0}

    def few(self, batches: Sequence[BatchItem]) -> tuple[list[BatchItem], set[str]]:
        """What of a request is read at all, and the robots of which something is held back: reading has a price, too."""
        counts: dict[str, int] = {}
        out: list[BatchItem] = []
        held: set[str] = set()
        for item in batches:
            counts[item.robot_id] = count = counts.get(item.robot_id, 0) + len(item.records)
            if count <= MOST_RECORDS:
                out.append(item)
            else:
                held.add(item.robot_id)
        return out, held

    def fit(self, units: Sequence[Unit]) -> tuple[list[Unit], set[str]]:
        """What of a request is booked at once, and the robots of which something is held back."""
        out: list[Unit] = []
        held: set[str] = set()
        shares: dict[str, _Share] = {}
        for unit in units:
            share = shares.get(unit.key[0])
            if share is None:
                share = shares[unit.key[0]] = _Share()
            part = self._part(unit, share)
            if part is not unit:
                held.add(unit.key[0])
            if part is not None:
                out.append(part)
        return out, held

    def _part(self, unit: Batch | Buried, share: "_Share") -> Batch | Buried | None:
        """As much of a batch as its robot's share has room for: all of it, its beginning, or nothing."""
        work = self._weights.get(unit.key, 0) / RANGES_A_RECORD
        prev = unit.prev if isinstance(unit, Batch) else None
        if not share.names_fit(unit.key[1], prev) or not share.work_fits(work):
            return None
        if not share.names:
            share.most += work
        share.take(work, unit.key[1], prev)
        if isinstance(unit, Buried):
            return unit
        whole = _price_of(unit)
        if not unit.buries and share.work + whole <= share.most:
            share.work += whole
            return unit
        for index, one in enumerate(unit.ones):
            cost, name = _price(one), None
            if one.buries is not None:
                name, spans = one.buries
                key = (unit.key[0], name)
                cost += len(spans) / NEW_RANGES_A_RECORD + (0 if name in share.names else self._weights.get(key, 0)) / RANGES_A_RECORD
            # One thing that is dear is taken of a request, when it comes first: else it never would be.
            if (share.work + cost > share.most + 1 and share.work > share.most - MOST_WORK * 9 / 10) or not share.names_fit(name):
                return _beginning(unit, index)
            share.take(cost, name)
        return unit

    def spend(self, units: Iterable[Unit], work: Work, read_s: float, now_s: float) -> None:
        """Book what a request has cost its robots. `read_s`: of a processor, for reading it; what takes long is paid by who sent most."""
        sizes: dict[str, int] = {}
        for unit in units:
            if isinstance(unit, Batch):
                robot_id = unit.key[0]
                size = sum([len(one.raw) for one in unit.ones])
                sizes[robot_id] = sizes.get(robot_id, 0) + size
                work.add(robot_id, _price_of(unit) + _later(unit) + size / BYTES_A_RECORD)
        whole = sum(sizes.values())
        for robot_id, size in sizes.items():
            work.add(robot_id, read_s / RECORD_S * size / whole)
        with self._lock:
            for robot_id, amount in work.spent.items():
                self._work.take(robot_id, amount, now_s)
            for robot_id, size in sizes.items():
                self._bytes.take(robot_id, size, now_s)
            for key, weight in work.weights.items():
                self._weights.pop(key, None)
                if weight > _LIGHT:
                    self._weights[key] = weight
            while len(self._weights) > _REMEMBERED:
                self._weights.popitem(last=False)

    def spend_alone(self, robot_id: str, size: int, now_s: float) -> None:
        """Book what one reading of `size` bytes by HTTP has cost its robot."""
        with self._lock:
            self._work.take(robot_id, ALONE_WORK + size / BYTES_A_RECORD, now_s)
            self._bytes.take(robot_id, size, now_s)

    def told(self, held: Iterable[str], now_s: float) -> list[Letter]:
        """A letter for each robot of which something is held back, now and then: it is one letter, counted."""
        out = []
        with self._lock:
            for robot_id in sorted(held):
                if now_s - self._told.get(robot_id, -TOLD_EVERY_S) >= TOLD_EVERY_S:
                    self._told.pop(robot_id, None)
                    self._told[robot_id] = now_s
                    out.append(letters.make(robot_id, "quota", self._sentence(), "", b""))
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        return out

    def _sentence(self) -> str:
        return (
            f"held back, not lost: more than {self.quotas.work} records' worth of work a second, or {self.quotas.mib} MiB a day; "
            "the robot keeps it and sends it again"
        )


@dataclass(slots=True)
class _Share:
    """What one request has taken of one robot."""

    work: float = 0.0
    names: set[str] = field(default_factory=set)
    #: What it may come to. A long row that comes first is paid once a request, so as much of it is taken as of any other: were it counted
    #: on that, nothing of a row of 20,000 ranges would ever be.
    most: float = MOST_WORK

    def work_fits(self, work: float) -> bool:
        """Say whether there is room. The first always has some: a long row would else never be heard again."""
        return not self.names or self.work + work < MOST_WORK

    def names_fit(self, *names: str | None) -> bool:
        """Say whether it may speak of these, too."""
        return len(self.names) + sum(name is not None and name not in self.names for name in names) <= MOST_NAMES

    def take(self, work: float, *names: str | None) -> None:
        """Book them."""
        self.work += work
        self.names.update(name for name in names if name is not None)


def _price_of(unit: Batch) -> float:
    return float(len(unit.ones)) if unit.readings else sum(map(_price, unit.ones))


def _later(unit: Batch) -> float:
    """What a job will still have to do."""
    return 0.0 if unit.readings else sum(_LATER.get(one.row.kind, 0.0) for one in unit.ones if one.row is not None)


def _price(one: One) -> float:
    return 1.0 if one.row is None else _KINDS.get(one.row.kind, 1.0)


def _beginning(unit: Batch, count: int) -> Batch | None:
    if not count:
        return None
    ones = unit.ones[:count]
    sound = all(one.row is not None for one in ones)
    return replace(unit, ones=ones, sound=sound, buries=[one.buries for one in ones if one.buries is not None])
