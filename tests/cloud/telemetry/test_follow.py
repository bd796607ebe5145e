"""A follower sees every row once, also one whose transaction commits after rows with greater ids."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from croody.telemetry.read.follow import HOLE_S, Follower
from tests.cloud.telemetry.helpers import NOON, batch, count_up


@given(st.permutations(range(1, 30)), st.integers(1, 6))
def test_whatever_the_order_of_commits_every_id_is_seen_once(commits: list[int], page: int):
    follower, there, seen = Follower(high=0), set[int](), list[int]()
    follower = Follower().after([1], 0.0)
    there.add(1)
    for record_id in commits:
        there.add(record_id)
        holes = {hole for hole, _ in follower.holes}
        new = sorted(one for one in there if one > follower.high)[:page]
        rows = [one for one in there if one in holes] + new
        seen += rows
        follower = follower.after(rows, 1.0)
    while new := sorted(one for one in there if one > follower.high)[:page]:
        seen += new
        follower = follower.after(new, 1.0)
    holes = {hole for hole, _ in follower.holes}
    assert sorted([1, *seen]) == sorted(there)
    assert not holes


def test_a_hole_that_no_transaction_can_fill_any_more_is_forgotten():
    follower = Follower(high=5).after([9], 100.0)
    assert [hole for hole, _ in follower.holes] == [6, 7, 8]
    assert follower.after([7], 101.0).holes == ((6, 100.0), (8, 100.0))
    assert follower.after([], 101.0 + HOLE_S).holes == ()


def test_a_follower_survives_being_written_down():
    follower = Follower(high=5).after([9, 12], 100.0)
    assert Follower.from_json(follower.to_json()) == follower
    assert Follower.from_json({}) == Follower()


@contextmanager
def late_rows(telemetry: str) -> Iterator[Callable[[], None]]:
    """Three rows of another process that hold their ids and are not committed; gives what commits them."""
    connections.settings["late"] = connections.settings[telemetry]
    late = connections["late"]
    try:
        late.set_autocommit(False)
        with late.cursor() as cursor:
            cursor.execute(
                "INSERT INTO telemetry_record (robot_id, stream, seq, kind, at, received_at, clock_wrong, historical, hash, data) "
                "SELECT 'rover-2', 'stream-b', n, 'reading', %s, %s, false, false, '', '{}' FROM generate_series(1, 3) n",
                [NOON, NOON],
            )
        yield late.commit
    finally:
        late.close()
        del connections.settings["late"]


def test_rows_that_commit_late_below_seen_ids_are_seen(telemetry: str, vendor: str, fleet: SimpleNamespace, aliases: dict[str, Any]):
    from croody.telemetry.ingest import services
    from croody.telemetry.read.follow import from_now, records_since

    if vendor == "sqlite":
        pytest.skip("SQLite has one writer: ids commit in their order")
    services.ingest_relay(batch("rover-1", "stream-a", 1, count_up(1, 2)), now=NOON)
    follower = from_now(NOON)
    with late_rows(telemetry) as commit:
        services.ingest_relay(batch("rover-1", "stream-a", 3, count_up(1, 4)[2:]), now=NOON)
        rows, follower = records_since(follower, now=NOON)
        assert [(row.stream, row.seq) for row in rows] == [("stream-a", 3), ("stream-a", 4)]
        commit()
    rows, follower = records_since(follower, now=NOON)
    assert [(row.stream, row.seq) for row in rows] == [("stream-b", 1), ("stream-b", 2), ("stream-b", 3)]
    rows, follower = records_since(follower, now=NOON)
    assert rows == []


def test_who_begins_now_sees_what_commits_late_far_below_the_newest(telemetry: str, vendor: str, fleet: SimpleNamespace):
    from croody.telemetry.ingest import services
    from croody.telemetry.read.follow import from_now, records_since

    if vendor == "sqlite":
        pytest.skip("SQLite has one writer: ids commit in their order")
    services.ingest_relay(batch("rover-1", "stream-a", 1, count_up(1, 1)), now=NOON)
    with late_rows(telemetry) as commit:
        services.ingest_relay(batch("rover-1", "stream-a", 2, count_up(1, 1501)[1:]), now=NOON)
        follower = from_now(NOON)
        commit()
    rows, _ = records_since(follower, now=NOON)
    assert [(row.stream, row.seq) for row in rows] == [("stream-b", 1), ("stream-b", 2), ("stream-b", 3)]


def test_a_follower_reads_a_page_at_a_time_and_nothing_twice(telemetry: str, fleet: SimpleNamespace):
    from croody.telemetry.ingest import services
    from croody.telemetry.read.follow import from_now, records_since

    follower = from_now(NOON)
    services.ingest_relay(batch("rover-1", "stream-a", 1, count_up(1, 25)), now=NOON)
    seen: list[int] = []
    for _ in range(4):
        rows, follower = records_since(follower, now=NOON, limit=10)
        seen += [row.seq for row in rows]
    assert seen == list(range(1, 26))


PLACES = {"robot": "robot_id", "kind": "kind"}


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_a_job_that_looks_at_what_rows_share_stands_where_one_stands_that_reads_every_row(telemetry: str, limit: int):
    """Rows with holes, which are filled in between, in any order, by several robots and of several kinds."""
    from croody.telemetry.read.follow import alike_since, of_kind_since, records_since
    from croody.telemetry.store import partitions

    partitions.ensure([NOON.date()])

    def write(*ids: int) -> None:
        with connections[telemetry].cursor() as cursor:
            cursor.executemany(
                "INSERT INTO telemetry_record (id, robot_id, stream, seq, kind, at, received_at, clock_wrong, historical, hash, data) "
                "VALUES (%s, %s, 's', %s, %s, %s, %s, false, false, '', '{}')",
                [(at, f"rover-{at % 3}", at, "event" if at % 4 == 0 else "reading", str(NOON), str(NOON)) for at in ids],
            )

    one = alike = of_kind = Follower(high=100)
    rows: list[Any] = []
    places: set[tuple[str, str]] = set()
    events: list[int] = []
    for ids in ([101, 102, 105, 106, 110], [104, 112], [103, 107, 108, 113], [], [111, 109], [], [], [], [], [], [], [], [], []):
        write(*ids)
        found, one = records_since(one, now=NOON, limit=limit)
        rows += found
        said, alike, _ = alike_since(alike, PLACES, now=NOON, limit=limit)
        places.update((robot, kind) for robot, kind in said)
        told, of_kind, _ = of_kind_since(of_kind, "event", now=NOON, limit=limit)
        events += told
        assert one == alike == of_kind
    assert sorted(row.pk for row in rows) == list(range(101, 114))
    assert places == {(row.robot_id, row.kind) for row in rows}
    assert sorted(events) == [row.pk for row in sorted(rows, key=lambda row: row.pk) if row.kind == "event"]
