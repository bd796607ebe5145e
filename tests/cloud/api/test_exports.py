"""Exports: whole, in an order that goes on behind any row, as CSV and Parquet, and bounded."""

import csv
import io
import json
import time
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.utils import timezone

from croody.alarms.services import raise_alarm
from croody.api.errors import Wrong
from croody.api.files import Column, make
from croody.api.slots import Slots, slots
from tests.cloud.telemetry.helpers import batch

pytestmark = pytest.mark.django_db(databases="__all__")
BEGAN = timezone.now() - timedelta(minutes=10)


@pytest.fixture
def parquet() -> Any:
    """Reads what was written."""
    return pytest.importorskip("pyarrow.parquet", exc_type=ImportError, reason="pyarrow does not load: install requirements/dev.txt anew")


@pytest.fixture
def spoken(team: SimpleNamespace) -> None:
    """Two robots said seven readings each, each second, and an event; received ten minutes ago."""
    from croody.telemetry.ingest import services

    for robot_id in ("rover-1", "rover-2"):
        said: list[dict[str, Any]] = [
            {"kind": "reading", "ts": (BEGAN + timedelta(seconds=number)).isoformat(), "data": {"n": number, "word": "a,b", "on": True}}
            for number in range(7)
        ]
        said.append({"kind": "event", "ts": BEGAN.isoformat(), "code": "hit", "severity": "low"})
        services.ingest_relay(batch(robot_id, "stream-a", 1, said), now=BEGAN)


def ask(**more: Any) -> str:
    span = {"start": (BEGAN - timedelta(hours=1)).isoformat(), "end": (BEGAN + timedelta(hours=1)).isoformat()}
    return urlencode({**span, **more}, doseq=True)


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def hang_up(answer: Any) -> None:
    """As a client does that goes away: the server closes the answer. The test keeps its connection to the database."""
    request_finished.disconnect(close_old_connections)
    try:
        answer.close()
    finally:
        request_finished.connect(close_old_connections)


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(answer).decode())))


def test_a_csv_has_every_reading_once_by_robot_and_time(spoken: None, get: Any):
    rows = table(get(f"/exports/readings?{ask()}"))
    assert [(row["robot_id"], json.loads(row["data"])["n"]) for row in rows] == [
        (robot, number) for robot in ("rover-1", "rover-2") for number in range(7)
    ]
    assert json.loads(rows[0]["data"])["word"] == "a,b"
    assert datetime.fromisoformat(rows[3]["at"]) == BEGAN + timedelta(seconds=3)


@pytest.mark.parametrize("name", ["id", "seq", "lat", "status", "", "x" * 65, "a\x00b", "a\nb"])
def test_a_column_has_a_name_of_its_own(spoken: None, get: Any, name: str):
    answer = get(f"/exports/readings?{ask(metric=['n', name])}")
    assert (answer.status_code, answer.json()["field"]) == (422, "metric")
    rows = content(get(f"/exports/readings?{ask(metric=['n', 'on', 'n'])}")).decode().splitlines()
    assert rows[0].endswith("status,n,on")


def test_metrics_are_columns_of_numbers(spoken: None, get: Any):
    rows = table(get(f"/exports/readings?{ask(robot_id='rover-1', metric=['n', 'word', 'on', 'absent'])}"))
    assert [row["n"] for row in rows] == [f"{number}.0" for number in range(7)]
    assert {(row["word"], row["on"], row["absent"]) for row in rows} == {("", "", "")}
    assert "data" not in rows[0]


def test_who_was_cut_off_goes_on_behind_the_last_row_and_gets_the_rest(spoken: None, get: Any):
    whole = content(get(f"/exports/readings?{ask()}"))
    lines = whole.splitlines(keepends=True)
    for kept in (2, 7, 8, 14):
        last = lines[kept - 1].split(b",")[0].decode()
        rest = content(get(f"/exports/readings?{ask(after=last)}"))
        assert b"".join(lines[:kept]) + rest == whole
    assert content(get(f"/exports/readings?{ask(limit=3)}")) == b"".join(lines[:4])


def test_what_was_received_later_is_not_in_an_export_of_an_earlier_moment(spoken: None, get: Any):
    from croody.telemetry.ingest import services

    now = timezone.now()
    late = {"kind": "reading", "ts": BEGAN.isoformat(), "data": {"n": 99}}
    services.ingest_relay(batch("rover-1", "stream-b", 1, [late]), now=now)
    assert len(table(get(f"/exports/readings?{ask()}"))) == 14
    assert len(table(get(f"/exports/readings?{ask(as_of=(now + timedelta(seconds=1)).isoformat())}"))) == 14 + 1


def test_parquet_has_the_same_rows_with_types(spoken: None, get: Any, parquet: Any):
    answer = get(f"/exports/readings?{ask(format='parquet', metric='n')}")
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    found = parquet.read_table(io.BytesIO(content(answer)))
    assert found.column("n").to_pylist() == [float(number) for number in range(7)] * 2
    assert str(found.schema.field("at").type) == "timestamp[us, tz=UTC]"
    assert found.column("at")[0].as_py() == BEGAN
    empty = get(f"/exports/readings?{ask(format='parquet', start='2020-01-01T00:00:00Z', end='2020-01-02T00:00:00Z')}")
    assert parquet.read_table(io.BytesIO(content(empty))).num_rows == 0


def test_events_alarms_and_the_audit_log_are_files_too(spoken: None, get: Any):
    number = raise_alarm("rover-1", "conflict", "", "high", {"a": 1}, BEGAN).pk
    events = table(get(f"/exports/events?{ask()}"))
    assert [(row["robot_id"], row["kind"], json.loads(row["data"])["code"]) for row in events] == [
        ("rover-1", "event", "hit"),
        ("rover-2", "event", "hit"),
    ]
    [alarm] = table(get(f"/exports/alarms?{ask()}"))
    assert (alarm["id"], alarm["kind"], alarm["detail"], alarm["false"]) == (str(number), "conflict", '{"a":1}', "false")
    assert table(get(f"/exports/alarms?{ask(after=number)}")) == []
    log = table(get(f"/exports/audit?{ask()}"))
    assert {"add", "make"} <= {row["verb"] for row in log}
    rest = content(get(f"/exports/audit?{ask(after=log[0]['id'])}"))
    assert rest.decode().count("\n") == len(log) - 1


def test_every_export_is_a_parquet_file_too(spoken: None, get: Any, parquet: Any):
    raise_alarm("rover-1", "conflict", "", "high", {"a": 1}, BEGAN)
    for name in ("events", "alarms", "audit"):
        assert parquet.read_table(io.BytesIO(content(get(f"/exports/{name}?{ask(format='parquet')}")))).num_rows > 0


def test_carlos_exports_nothing_of_alices(spoken: None, get: Any):
    assert get(f"/exports/readings?{ask(robot_id='rover-1')}", "carlos").status_code == 404
    assert {row["robot_id"] for row in table(get(f"/exports/readings?{ask()}", "carlos"))} == {"rover-2"}
    assert table(get(f"/exports/events?{ask()}", "carlos")) == []
    assert get(f"/exports/events?{ask(robot_id='rover-2')}", "carlos").status_code == 403
    assert get(f"/exports/audit?{ask(organisation='alices')}", "carlos").status_code == 404
    assert get(f"/exports/alarms?{ask()}", "").status_code == 401


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"start": "2030-01-01T00:00:00Z"}, "start"),
        ({"format": "xlsx"}, "format"),
        ({"after": 99999999}, "after"),
        ({"start": "2026-01-01T00:00:00"}, "start"),
        ({"limit": 0}, "limit"),
    ],
)
def test_a_wrong_export_is_refused_before_it_begins(spoken: None, get: Any, wrong: dict[str, Any], field: str):
    answer = get(f"/exports/readings?{ask(**wrong)}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_one_caller_has_two_at_once_and_gets_the_slot_back_when_it_ends(spoken: None, get: Any):
    first, second = get(f"/exports/readings?{ask()}"), get(f"/exports/readings?{ask()}")
    third = get(f"/exports/readings?{ask()}")
    assert (third.status_code, third.json()["field"]) == (429, "exports")
    assert get(f"/exports/readings?{ask()}", "bob").status_code == 200
    content(first)
    hang_up(second)
    for _ in range(3):
        content(get(f"/exports/readings?{ask()}"))


def test_all_callers_together_have_so_many_and_to_leave_twice_frees_one():
    some = Slots(most_of_one=2, most=3)
    leave = some.take("a")
    some.take("a")
    some.take("b")
    with pytest.raises(Wrong, match="3 of all"):
        some.take("c")
    leave()
    leave()
    some.take("c")
    with pytest.raises(Wrong):
        some.take("c")


@pytest.fixture(autouse=True)
def no_export_is_under_way() -> Any:
    yield
    slots.__init__()  # type: ignore[misc]


def test_a_head_request_takes_no_slot_for_long(spoken: None, client: Any, team: SimpleNamespace):
    for _ in range(4):
        request_finished.disconnect(close_old_connections)
        answer = client.head(f"/api/v1/exports/readings?{ask()}", headers={"X-API-Key": team.keys["alice"]})
        assert (answer.status_code, answer.content) == (200, b"")


def test_a_file_is_made_while_it_is_read(parquet: Any):
    asked: list[int] = []

    def rows() -> Any:
        for number in range(1000):
            asked.append(number)
            yield [(number, "x" * 100)] * 100

    pieces = make("csv", (Column("n", "int"), Column("t", "text")), rows())
    next(pieces), next(pieces)
    assert len(asked) == 1
    groups = make("parquet", (Column("n", "int"), Column("t", "text")), rows())
    next(groups)
    assert len(asked) <= 1 + 201


def test_an_export_ends_when_its_key_is_revoked_or_a_robot_is_no_longer_its_callers(team: SimpleNamespace):
    from croody.accounts.caller import ANONYMOUS, of_user
    from croody.api.exports import ASKED_EVERY_S, _still, _watched
    from croody.fleet.access import Action

    def pages() -> Any:
        yield [(1,)]
        time.sleep(ASKED_EVERY_S + 0.1)
        yield [(2,)]

    alice = of_user(team.alice)
    check = _still(Action.SEE, ["rover-1", "rover-2"])
    check(alice)
    with pytest.raises(ConnectionAbortedError, match="any more"):
        check(ANONYMOUS)
    found = _watched(pages(), alice, check)
    assert next(found) == [(1,)]
    team.ours.memberships.filter(user=team.alice).delete()
    with pytest.raises(ConnectionAbortedError, match="any more"):
        next(found)
