"""What a hostile robot says: everything that a robot may name, send or be, by kinds. Pure but for dice; knows topics and bodies.

Each kind is an endless source of (topic, body). Every body keeps the grammar of topics: it comes from a robot with its own credential.
"""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from croody_contract.topics import UpAnswer, UpBatch, UpPresence, UpTelemetry, build

Said = tuple[str, bytes]
#: As many records as one batch may hold, and ranges as its record may hold in 64 KiB.
RECORDS: Final = 500
_RANGES: Final = 400


def _batch(robot_id: str, stream: str, first: int, records: list[dict[str, Any]], **head: Any) -> Said:
    body = json.dumps({**head, "records": records}, separators=(",", ":")).encode()
    return build(UpBatch(robot_id, stream, first, first + len(records) - 1)), gzip.compress(body, 1)


def _stream(rng: random.Random) -> str:
    return f"hostile-{rng.getrandbits(64):016x}"


def _starts(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """A start each time: a stream that nobody heard of, and one before it that nobody heard of either."""
    while True:
        born = {"kind": "born", "agent": "hostile", "prev": _stream(rng), "prev_last": rng.randrange(1, 2**53 - 1)}
        yield _batch(robot_id, _stream(rng), 1, [born, {"kind": "reading", "data": {"a": 1}}])


def _targets(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Tombstones, each for a stream that nobody heard of."""
    mine = _stream(rng)
    for first in count(1, RECORDS):
        records = [{"kind": "tombstone", "stream": _stream(rng), "ranges": [[1, 9]], "reason": "thinned"} for _ in range(RECORDS)]
        yield _batch(robot_id, mine, first, records)


def _ranges(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Ranges of one number each, of one stream."""
    mine, target, at = _stream(rng), _stream(rng), 1
    for first in count(1, 130):
        records = []
        for _ in range(130):
            spans = [[seq, seq] for seq in range(at, at + 2 * _RANGES, 2)]
            records.append({"kind": "tombstone", "stream": target, "ranges": spans, "reason": "thinned"})
            at += 2 * _RANGES
        yield _batch(robot_id, mine, first, records)


def _holes(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Every second record is refused: two sets of single numbers, and a letter for each."""
    mine = _stream(rng)
    for first in count(1, RECORDS):
        yield _batch(robot_id, mine, first, [{"kind": "reading", "data": {"a": None if seq % 2 else 1}} for seq in range(RECORDS)])


def _names(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Metrics that nobody heard of, in minutes all over the past month."""
    mine = _stream(rng)
    for first in count(1, 20):
        now = datetime.now(UTC)
        records = [
            {
                "kind": "reading",
                "ts": (now - timedelta(minutes=rng.randrange(40_000))).isoformat(),
                "data": {f"m{rng.getrandbits(40):x}": 1 for _ in range(256)},
            }
            for _ in range(20)
        ]
        yield _batch(robot_id, mine, first, records)


def _codes(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Events, each with a code of its own, and each an alarm."""
    mine = _stream(rng)
    for first in count(1, RECORDS):
        records = [{"kind": "event", "code": f"c{rng.getrandbits(60):x}", "severity": "critical"} for _ in range(RECORDS)]
        yield _batch(robot_id, mine, first, records)


def _sizes(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Four megabytes in a few kilobytes."""
    mine = _stream(rng)
    data = {f"text_{index}": "a" * 1000 for index in range(7)}
    for first in count(1, RECORDS):
        yield _batch(robot_id, mine, first, [{"kind": "reading", "data": data}] * RECORDS)


def _small(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """As many records as there can be in as few bytes."""
    mine = _stream(rng)
    for first in count(1, RECORDS):
        yield _batch(robot_id, mine, first, [{"kind": "reading", "data": {}}] * RECORDS)


def _numbers(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Windows and readings of numbers that overflow what is made of them, and texts that a database refuses."""
    mine = _stream(rng)
    names = ["temp_c", "current_a", "speed_mps", "slope", "air_c"]
    for first in count(1, 40):
        windows: list[dict[str, Any]] = [
            {
                "kind": "window",
                "model": "m\u0000" if rng.random() < 0.5 else "m",
                "score": 1,
                "suspect": True,
                "names": names,
                "features": [[rng.choice((1e308, -1e308, 5e-324, 0)) for _ in names] for _ in range(60)],
            }
            for _ in range(20)
        ]
        readings = [{"kind": "reading", "data": {"big": 1.7e308 * rng.choice((1, -1)), "tiny": 5e-324, "n": 2**63 - 1}} for _ in range(20)]
        yield _batch(robot_id, mine, first, windows + readings)


def _clones(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """The same numbers again and again, with other bytes each time."""
    mine = _stream(rng)
    while True:
        yield _batch(robot_id, mine, 1, [{"kind": "reading", "data": {"a": rng.random()}} for _ in range(100)])


def _words(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Presence, and answers to what was never asked."""
    while True:
        yield build(UpPresence(robot_id)), b'{"state":"%s","queued":9007199254740991}' % rng.choice((b"online", b"offline"))
        yield build(UpAnswer(robot_id, rng.randrange(1, 10**9))), b'{"state":"refused","detail":"%s"}' % (b"x" * 1000)


def _plain(robot_id: str, rng: random.Random) -> Iterator[Said]:
    """Plain readings."""
    while True:
        yield build(UpTelemetry(robot_id)), json.dumps({"data": {"a": rng.random()}}).encode()


KINDS: Final[dict[str, Callable[[str, random.Random], Iterator[Said]]]] = {
    "starts": _starts,
    "targets": _targets,
    "ranges": _ranges,
    "holes": _holes,
    "names": _names,
    "codes": _codes,
    "sizes": _sizes,
    "small": _small,
    "numbers": _numbers,
    "clones": _clones,
    "words": _words,
    "plain": _plain,
}
