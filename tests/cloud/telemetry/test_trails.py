"""A robot's newest readings are what a plain query finds, whatever lies between them, and on whatever days."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from croody_contract.messages import Event
from tests.cloud.telemetry.helpers import NOON, reading, told

Send = Callable[..., dict[str, Any]]
LIMIT = 5
#: (stream, how many numbers are left out before, days back, seconds back of each record, and whether it is a reading, historical)
BATCHES = st.lists(
    st.tuples(
        st.sampled_from(["stream-a", "stream-b"]),
        st.integers(0, 2),
        st.integers(0, 20),
        st.lists(st.tuples(st.integers(0, 90_000), st.booleans()), min_size=1, max_size=8),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def plainly(robot_id: str) -> list[int]:
    """Ids of the newest readings, oldest first, by a query that a person would write."""
    from croody.telemetry.models import Record, Stream

    place = dict(Stream.objects.filter(robot_id=robot_id).values_list("stream", "place"))
    rows = Record.objects.filter(robot_id=robot_id, kind="reading").values_list("pk", "stream", "seq")
    return [pk for pk, _, _ in sorted(rows, key=lambda row: (place[row[1]], row[2]))][-LIMIT:]


def asked(robot_id: str) -> list[int]:
    from croody.telemetry.read import queries

    robots = told(queries.live([robot_id], LIMIT, now=NOON))["robots"]
    return [row["id"] for row in robots[0]["trail"]] if robots else []


def cleared() -> None:
    from croody.telemetry.ingest import booking
    from croody.telemetry.models import Record, Stream

    Record.objects.all().delete()
    Stream.objects.all().delete()
    booking._heads.forget()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, late=st.booleans())
def test_a_trail_is_what_a_plain_query_finds(fleet: SimpleNamespace, send: Send, batches: list[Any], late: bool):
    """After every batch; and at the end the numbers that were left out come late."""
    cleared()
    last = {"stream-a": 0, "stream-b": 0}
    holes: list[tuple[str, int]] = []
    for stream, gap, days, records, historical in batches:
        first = last[stream] + gap + 1
        holes += [(stream, seq) for seq in range(last[stream] + 1, first)]
        moments = [NOON - timedelta(days=days, seconds=back) for back, _ in records]
        made = [reading(1.0, at) if is_reading else Event(code="x") for at, (_, is_reading) in zip(moments, records, strict=True)]
        send(first, made, stream=stream, historical=historical)
        last[stream] = first + len(records) - 1
        assert asked("rover-1") == plainly("rover-1")
        assert asked("rover-1") == plainly("rover-1"), "from what is kept"
    for stream, seq in holes if late else []:
        send(seq, [reading(2.0, NOON - timedelta(days=3))], stream=stream, historical=True)
        assert asked("rover-1") == plainly("rover-1")


def test_what_lies_on_far_days_is_found_and_other_days_are_not_looked_at(fleet: SimpleNamespace, send: Send, telemetry: str):
    """Of thirty days two are asked, and all of them only for the robot whose readings lie further back."""
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    for day in range(28, -1, -1):
        send(29 - day, [reading(1.0, NOON - timedelta(days=day))], robot_id="rover-2")
    send(1, [reading(1.0, NOON - timedelta(seconds=back)) for back in range(30, 0, -1)])
    with CaptureQueriesContext(connections[telemetry]) as captured:
        assert asked("rover-1") == plainly("rover-1")
    if connections[telemetry].vendor == "postgresql":
        statement = next(one["sql"] for one in captured if "string_agg" in one["sql"])
        with connections[telemetry].cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert 1 <= plan.count("telemetry_record_2") <= 20, plan
    assert asked("rover-2") == plainly("rover-2")


def test_who_asks_again_reads_only_what_is_new(fleet: SimpleNamespace, send: Send, telemetry: str):
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    def looks() -> int:
        with CaptureQueriesContext(connections[telemetry]) as captured:
            assert asked("rover-1") == plainly("rover-1")
        return sum("FROM telemetry_record r" in one["sql"] or "JOIN telemetry_record r" in one["sql"] for one in captured)

    for seq in range(1, 21):
        send(seq, [reading(float(seq), NOON)])
    assert looks() == 1
    assert looks() == 0
    send(21, [reading(21.0, NOON), reading(22.0, NOON)])
    assert looks() == 1
    assert looks() == 0
    send(24, [reading(24.0, NOON)])
    assert looks() > 0
    send(23, [reading(23.0, NOON)], historical=True)
    assert looks() > 0, "what came late lies between"
    assert looks() == 0
    send(26, [reading(26.0, NOON)])
    assert looks() > 0
    send(25, [reading(25.0, NOON)], historical=True)
    send(27, [reading(27.0, NOON)])
    assert looks() > 0, "something came late, and something new"


def test_what_is_kept_is_bounded_in_bytes_and_in_time(fleet: SimpleNamespace, send: Send):
    from croody.telemetry.models import Record
    from croody.telemetry.read.newest import stored_of
    from croody.telemetry.read.trail_cache import LIFE_S, Kept

    for robot_id in ("rover-1", "rover-2", "carlos-1"):
        send(1, [reading(1.0, NOON, environment="x" * 60)] * 10, robot_id=robot_id)
    now = [0.0]
    kept = Kept(4000, lambda: now[0])
    robots = ["rover-1", "rover-2", "carlos-1"]
    assert {robot_id: len(rows) for robot_id, rows in kept.trails(stored_of(robots), LIMIT).items()} == dict.fromkeys(robots, LIMIT)
    assert 0 < kept._bytes <= 4000
    assert kept._bytes == sum(one.size() for one in kept._trails.values())
    assert 1 <= len(kept._trails) < 3
    (_, held, _), _ = next(iter(kept._trails.items()))
    Record.objects.all().delete()
    assert len(kept.trails(stored_of([held]), LIMIT)[held]) == LIMIT
    now[0] = LIFE_S + 1
    assert held not in kept.trails(stored_of([held]), LIMIT), "retention took its rows away"
