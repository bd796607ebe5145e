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
