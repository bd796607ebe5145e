"""`query` page by page: bounded in bytes, nothing twice and nothing left out, however readings lie; on both databases."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from croody.telemetry.ingest import services
from croody.telemetry.models import Record
from croody.telemetry.read import queries
from croody_contract.limits import KIB
from croody_contract.messages import Reading, Refused, Telemetry
from tests.cloud.telemetry.helpers import NOON, batch, count_up


def values(rows: list[Any]) -> list[Any]:
    return [msgspec.json.decode(bytes(row))["data"]["TEMP"] for row in rows]


def walk(robot_ids: list[str], limit: int) -> Iterator[list[Any]]:
    before = ""
    for _ in range(200):
        page = queries.query(robot_ids, limit, before)
        yield values(page.rows)
        before = page.cursor
        if not before:
            return
    pytest.fail("the pages do not end")


def plain(robot_id: str, value: float, at_s: float) -> None:
    services.ingest_one(Telemetry(data={"TEMP": value}), robot_id, "http", now=NOON + timedelta(seconds=at_s))


@pytest.fixture
def mixed(fleet: SimpleNamespace, send: Callable[..., Any]) -> list[str]:
    """Two robots: one with streams of several starts, other records between them and readings without a stream; one quite plain."""
    for start in range(4):
        now = NOON + timedelta(seconds=60 * start)
        records: list[Any] = [*count_up(start * 100 + 1, start * 100 + 10, at=now), *([b'{"kind":"event","code":"x"}'] * 30)]
        send(1, records, stream=f"stream-{start}", now=now)
        send(41, count_up(start * 100 + 11, start * 100 + 20, at=now), stream=f"stream-{start}", now=now)
        plain("rover-1", 1000.0 + start, 60 * start + 30)
        plain("rover-2", 2000.0 + start, 60 * start + 31)
    return ["rover-1", "rover-2"]


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
def test_pages_together_are_what_one_answer_is(mixed: list[str], limit: int):
    for robot_ids in (mixed[:1], mixed):
        whole = values(queries.query(robot_ids, 1000).rows)
        assert len(whole) == 84 + 4 * (len(robot_ids) - 1)
        pages = list(walk(robot_ids, limit))
        assert [value for page in pages for value in page] == whole
        assert {len(page) for page in pages[:-1]} <= {limit}


def test_an_answer_is_bounded_in_bytes_and_goes_on_where_it_ended(fleet: SimpleNamespace):
    fat = {f"metric_{n:02}": "x" * 1000 for n in range(50)}
    readings = [Reading(data={**fat, "TEMP": float(n)}) for n in range(1, 241)]
    for first in range(0, 240, 60):
        services.ingest_relay(batch("rover-1", "stream-a", first + 1, readings[first : first + 60]), now=NOON + timedelta(seconds=first))
    page = queries.query(["rover-1"], 1000)
    assert queries.QUERY_BYTES - 60 * KIB < sum(len(bytes(row)) for row in page.rows) <= queries.QUERY_BYTES
    assert [value for one in walk(["rover-1"], 1000) for value in one] == [float(n) for n in range(240, 0, -1)]


def test_a_cursor_that_is_none_or_names_what_is_gone_or_another_ones_is_refused(mixed: list[str]):
    cursor = queries.query(["rover-2"], 1).cursor
    for wrong, robot_ids in (("x", mixed), ("1" * 30, mixed), (".".join(["1"] * 300), mixed), (cursor, ["rover-1"]), ("987654321", mixed)):
        with pytest.raises(Refused, match=r"^before: "):
            queries.query(robot_ids, 1, wrong)
    Record.objects.filter(robot_id="rover-2").delete()
    with pytest.raises(Refused, match="begin again"):
        queries.query(["rover-2"], 1, cursor)
