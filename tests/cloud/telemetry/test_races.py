"""Two relays at once, over and over: no key twice, nothing lost, nobody waits in a ring."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

from django.db import connections

from croody_contract import ranges
from croody_contract.messages import Born, Tombstone
from croody_contract.relay import BatchItem, PlainItem, Relay
from tests.cloud.telemetry.helpers import NOON, raw, reading

ROBOTS = ("rover-1", "rover-2", "carlos-1")
WORKERS = 4


def _run(relays: list[Relay]) -> list[object]:
    from croody.telemetry.ingest import services

    try:
        return [services.ingest_relay(relay, now=NOON).acks for relay in relays]
    finally:
        connections.close_all()


def _in_threads(relays: list[Relay]) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(_run, [relays[index::WORKERS] for index in range(WORKERS)]))


def _warm() -> None:
    """Know the robots and the day beforehand: the default database of the tests is not made for threads."""
    import time

    from croody.fleet.queries import known_robots
    from croody.telemetry.store import partitions

    known_robots._until = dict.fromkeys(ROBOTS, time.monotonic() + 600)
    partitions.ensure(partitions.ahead(NOON))


def test_relays_with_overlapping_ranges_at_once_store_every_key_once(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry.models import Record, Stream

    _warm()
    dice = random.Random(7)
    last = 120
    relays = []
    for _ in range(60):
        items = []
        for robot_id in dice.sample(ROBOTS, 3):
            for stream in dice.sample(["stream-a", "stream-b", "stream-c"], 2):
                first = dice.randint(1, last - 10)
                records = [raw(reading(float(seq), NOON - timedelta(seconds=last - seq))) for seq in range(first, first + 10)]
                items.append(
                    BatchItem(robot_id, stream, first, records, prev=dice.choice([None, "stream-0"]), historical=dice.random() < 0.5)
                )
        relays.append(Relay(batches=items))
    _in_threads(relays)

    rows = list(Record.objects.values_list("robot_id", "stream", "seq", "data"))
    assert len({row[:3] for row in rows}) == len(rows), "no key twice"
    assert all(row[3] == {"TEMP": float(row[2])} for row in rows)
    sent: dict[tuple[str, str], set[int]] = {}
    for relay in relays:
        for item in relay.batches:
            sent.setdefault((item.robot_id, item.stream), set()).update(range(item.first, item.first + 10))
    for key, seqs in sent.items():
        row = Stream.objects.get(robot_id=key[0], stream=key[1])
        assert row.have == ranges.of(seqs), "the ledger and what was sent are the same"
        assert {found[2] for found in rows if found[:2] == key} == seqs, "and so are the rows"


def test_streams_that_are_born_in_many_relays_at_once_have_one_ledger_row_each_and_a_place_in_order(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry.models import Stream

    _warm()
    dice = random.Random(11)
    names = [f"stream-{number:03d}" for number in range(12)]
    items = [
        BatchItem(
            robot_id,
            name,
            1,
            [raw(Born(agent="1", prev=names[index - 1] if index else None, prev_last=2 if index else None)), raw(reading(1.0, NOON))],
            prev=names[index - 1] if index else None,
            prev_last=2 if index else None,
            historical=index < len(names) - 1,
        )
        for robot_id in ROBOTS
        for index, name in enumerate(names)
    ]
    relays = [Relay(batches=dice.sample(items, 5)) for _ in range(40)] + [Relay(batches=[item]) for item in items]
    _in_threads(relays)
    for robot_id in ROBOTS:
        rows = Stream.objects.filter(robot_id=robot_id).order_by("place", "pk")
        assert [row.stream for row in rows] == names
        assert {row.have for row in rows} == {((1, 2),)}


def test_plain_readings_tombstones_and_presence_at_once_neither_collide_nor_deadlock(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry.models import Record, Stream

    _warm()
    dice = random.Random(13)
    relays = []
    for number in range(48):
        robots = dice.sample(ROBOTS, 3)
        tomb = Tombstone(stream=dice.choice(["stream-x", "stream-y"]), ranges=[(1, 5)], reason="thinned")
        relays.append(
            Relay(
                batches=[BatchItem(robot_id, "stream-t", number + 1, [raw(tomb)]) for robot_id in robots],
                plain=[PlainItem(robot_id, raw(b'{"data":{"TEMP":1}}')) for robot_id in robots],
            )
        )
    _in_threads(relays)
    for robot_id in ROBOTS:
        assert list(Record.objects.filter(robot_id=robot_id, stream="mqtt").order_by("seq").values_list("seq", flat=True)) == list(
            range(1, 49)
        )
        assert Stream.objects.get(robot_id=robot_id, stream="stream-t").have == ((1, 48),)
