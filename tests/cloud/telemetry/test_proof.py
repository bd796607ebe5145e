"""What became of everything that a robot numbered in a period: each number is in one of four sets."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from croody_contract import ranges
from croody_contract.messages import Born, Tombstone
from tests.cloud.telemetry.helpers import NOON, batch, count_up, reading


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ingest(stream: str, first: int, records: list[object], now: datetime, **head: object) -> None:
    from croody.telemetry.ingest import services

    services.ingest_relay(batch("rover-1", stream, first, records, **head), now=now)


def shown(since: datetime, until: datetime) -> list[tuple[str, int, int, int, int, int, int]]:
    """Stream, first, last, stored, missing, dropped, dead."""
    from croody.telemetry.read.proof import edges, lines

    ends = edges("rover-1", since, until)
    found = list(lines("rover-1", *ends)) if ends is not None else []
    for line in found:
        sets = (line.stored, line.missing, line.dropped, line.dead)
        assert sum(map(ranges.count, sets)) == line.expected
        assert ranges.count(ranges.normalise(pair for one in sets for pair in one)) == line.expected
    return [
        (line.stream, line.first, line.last, *(ranges.count(one) for one in (line.stored, line.missing, line.dropped, line.dead)))
        for line in found
    ]


@pytest.fixture
def history(fleet: SimpleNamespace) -> None:
    """Three starts: the first loses 5 and 6 for good, the second never sends 8 to 10, one record of the third is refused."""
    ingest("stream-first", 1, [Born(agent="1", ts=after(0)), *count_up(2, 4, at=after(4))], after(5))
    ingest(
        "stream-first",
        7,
        [*count_up(7, 9, at=after(9)), Tombstone(stream="stream-first", ranges=[(5, 6)], reason="thinned", ts=after(10))],
        after(10),
    )
    ingest(
        "stream-second",
        1,
        [Born(agent="1", prev="stream-first", prev_last=10, ts=after(20)), *count_up(2, 7, at=after(27))],
        after(27),
        prev="stream-first",
        prev_last=10,
    )
    ingest("stream-second", 11, count_up(11, 12, at=after(32)), after(32))
    born = Born(agent="1", prev="stream-second", prev_last=12, ts=after(40))
    ingest(
        "stream-third",
        1,
        [born, reading(1.0, after(41)), b'{"kind":"reading","data":{"TEMP":null}}', reading(2.0, after(43))],
        after(44),
        prev="stream-second",
        prev_last=12,
    )


def test_everything_is_accounted_for_stream_by_stream(history: None) -> None:
    assert shown(after(-1), after(100)) == [
        ("stream-first", 1, 10, 8, 0, 2, 0),
        ("stream-second", 1, 12, 9, 3, 0, 0),
        ("stream-third", 1, 4, 3, 0, 0, 1),
    ]


def test_a_period_begins_and_ends_at_the_records_whose_time_lies_in_it(history: None) -> None:
    assert shown(after(22), after(41.5)) == [("stream-second", 2, 12, 8, 3, 0, 0), ("stream-third", 1, 2, 2, 0, 0, 0)]
    assert shown(after(41), after(42)) == [("stream-third", 2, 2, 1, 0, 0, 0)]


def test_a_stream_of_which_nothing_came_is_in_it_too(history: None) -> None:
    """Its successor says how far it went."""
    ingest(
        "stream-fifth", 1, [Born(agent="1", prev="stream-fourth", prev_last=7, ts=after(60))], after(60), prev="stream-fourth", prev_last=7
    )
    assert ("stream-fourth", 1, 7, 0, 7, 0, 0) in shown(after(-1), after(100))


def test_a_period_in_which_nothing_is_kept_proves_nothing(history: None) -> None:
    from croody.telemetry.read.proof import edges

    assert edges("rover-1", after(1000), after(2000)) is None
    assert edges("rover-2", after(-1), after(100)) is None


def test_plain_readings_carry_no_number_and_are_in_no_proof(fleet: SimpleNamespace) -> None:
    from croody.telemetry.ingest import services
    from croody.telemetry.read.proof import edges
    from croody_contract.messages import Telemetry

    services.ingest_one(Telemetry(data={"TEMP": 1.0}), "rover-1", "http", now=NOON)
    assert edges("rover-1", after(-10), after(10)) is None


def test_more_streams_than_are_read_together_are_all_in_it(history: None) -> None:
    from croody.telemetry.models import Stream
    from croody.telemetry.read import proof

    second = Stream.objects.get(robot_id="rover-1", stream="stream-second")
    Stream.objects.bulk_create(
        Stream(
            robot_id="rover-1",
            stream=f"s-{n:05}",
            place=second.place,
            have=((1, 2),),
            known_last=2,
            first_received_at=NOON,
            last_received_at=NOON,
        )
        for n in range(2 * proof.PAGE + 3)
    )
    found = shown(after(-1), after(100))
    assert len(found) == len(set(found)) == 2 * proof.PAGE + 6
