"""Events as bytes, listeners that cannot keep up, and a reader that outlives its database."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError

from croody.accounts.caller import ANONYMOUS, Caller
from croody.live import sse
from croody.live.cursor import Place
from croody.live.hub import Feed, Listener
from croody.live.records import RECENT_BYTES, Found, RecordFeed, next_limit
from croody.telemetry.models import Record
from croody.telemetry.read.follow import Follower
from tests.patience import PATIENCE_S


def test_an_event_is_one_line_of_data_whatever_is_in_it():
    text = sse.event("reading", {"name": "two\nlines\r\u2028ñ"}, event_id="7").decode()
    lines = text.split("\n")
    assert lines[:2] == ["id: 7", "event: reading"]
    assert json.loads(lines[2].removeprefix("data: ")) == {"name": "two\nlines\r\u2028ñ"}
    assert lines[3:] == ["", ""]


class Counting(Feed):
    """Gives the next number at each read; `trouble` may raise in its place."""

    period_s = 0.01

    def __init__(self, trouble: Callable[[int], None] = lambda number: None) -> None:
        super().__init__("counting")
        self.number = 0
        self.forgot = 0
        self.trouble = trouble

    def read(self) -> int:
        self.number += 1
        self.trouble(self.number)
        return self.number

    def publish(self, found: int) -> None:
        for listener in list(self.listeners):
            listener.offer(sse.event("number", found))

    def welcome(self, listener: Listener) -> None:
        pass

    def forget(self) -> None:
        self.forgot += 1


async def take(listener: Listener, count: int) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    async for chunk in listener.chunks():
        for text in chunk.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in text.split("\n") if ": " in line)
            if "event" in lines:
                found.append((lines["event"], json.loads(lines["data"])))
        if len(found) >= count:
            break
    return found[:count]


async def test_every_listener_hears_one_reader():
    feed = Counting()
    listeners = [Listener(ANONYMOUS) for _ in range(3)]
    for listener in listeners:
        feed.join(listener)
    heard = await asyncio.gather(*(take(listener, 5) for listener in listeners))
    assert heard == [[("number", number) for number in range(1, 6)]] * 3
    feed.close()


async def test_a_listener_that_cannot_keep_up_is_cut_off_and_costs_the_others_nothing():
    feed = Counting()
    slow, quick = Listener(ANONYMOUS, most=150), Listener(ANONYMOUS)

    async def stuck() -> None:
        async for _ in slow.chunks():
            await asyncio.sleep(3600)

    task = asyncio.create_task(stuck())
    feed.join(slow)
    feed.join(quick)
    assert len(await take(quick, 30)) == 30
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)
    assert slow.cut_off
    feed.close()


def test_a_large_tick_is_no_backlog_and_what_waits_since_the_tick_before_is():
    listener = Listener(ANONYMOUS, most=10)
    listener.offer(b"x" * 100)
    assert not listener.cut_off
    listener.offer(b"y")
    assert listener.cut_off


async def test_what_waited_for_a_busy_listener_is_sent_as_one_chunk():
    listener = Listener(ANONYMOUS)
    for number in range(5):
        listener.offer(sse.event("number", number))
    chunks = listener.chunks()
    assert (await anext(chunks)).count(b"event: number") == 5


async def test_a_database_outage_is_told_once_and_so_is_its_end():
    def trouble(number: int) -> None:
        if 3 <= number <= 5:
            raise OperationalError("server closed the connection")

    feed = Counting(trouble)
    listener = Listener(ANONYMOUS)
    feed.join(listener)
    heard = await asyncio.wait_for(take(listener, 6), PATIENCE_S)
    assert [name for name, _ in heard] == ["number", "number", "state", "state", "number", "number"]
    assert heard[2][1]["database"] == "lost"
    assert heard[2][1]["since"] > 0
    assert heard[3][1]["database"] == "ok"
    assert heard[4][1] == 6
    feed.close()


async def test_who_comes_during_an_outage_is_told_at_once():
    def trouble(number: int) -> None:
        raise OperationalError("no route to host")

    feed = Counting(trouble)
    first = Listener(ANONYMOUS)
    feed.join(first)
    assert (await take(first, 1))[0][1]["database"] == "lost"
    second = Listener(ANONYMOUS)
    feed.join(second)
    assert (await take(second, 1))[0][1]["database"] == "lost"
    feed.close()


async def test_a_mistake_in_the_reader_ends_the_connections_so_that_they_come_back(caplog):
    def trouble(number: int) -> None:
        if number == 2:
            raise ZeroDivisionError

    feed = Counting(trouble)
    listener = Listener(ANONYMOUS)
    feed.join(listener)
    assert await asyncio.wait_for(take(listener, 10), PATIENCE_S) == [("number", 1)]
    assert "the reader died" in caplog.text
    again = Listener(ANONYMOUS)
    feed.join(again)
    assert await asyncio.wait_for(take(again, 1), PATIENCE_S) == [("number", 3)]
    feed.close()


async def test_closing_ends_who_listens_and_lets_nobody_join():
    feed = Counting()
    listener, late = Listener(ANONYMOUS), Listener(ANONYMOUS)
    feed.join(listener)
    await asyncio.sleep(0.1)
    feed.close()
    assert len(await asyncio.wait_for(take(listener, 10_000), PATIENCE_S)) >= 1, "what waited is still sent, then the stream ends"
    feed.join(late)
    assert await asyncio.wait_for(take(late, 1), PATIENCE_S) == []


def rows(*numbers: int, after: Place | None = None, data: str = "") -> Found:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    found = [
        (Record(pk=pk, robot_id=f"rover-{pk % 2 + 1}", stream="s", seq=pk, kind="reading", at=at, data={"n": pk, "data": data}), Place(pk))
        for pk in numbers
    ]
    return Found(found, after or Place(max(numbers)))


def joined(feed: RecordFeed, *listeners: Listener) -> list[bytes]:
    """What waits for each of them, as one chunk."""
    found = [b"".join(listener._waiting) for listener in listeners]
    for listener in listeners:
        listener._waiting.clear()
    return found


def numbers_in(chunk: bytes) -> list[int]:
    return [json.loads(line[6:])["id"] for line in chunk.decode().split("\n") if line.startswith("data: ")]


def test_a_tick_is_one_chunk_shared_by_all_who_see_the_same():
    feed = RecordFeed()
    everything, one = frozenset({"rover-1", "rover-2"}), frozenset({"rover-2"})
    listeners = [Listener(ANONYMOUS, visible=everything) for _ in range(3)]
    team = Listener(Caller("person", user_id=7), visible=one)
    single = Listener(ANONYMOUS, "rover-1", visible=everything)
    feed.listeners = {*listeners, team, single}
    feed.publish(rows(1, 2, 3, 4))
    assert [len(listener._waiting) for listener in listeners] == [1, 1, 1]
    assert listeners[0]._waiting[0] is listeners[1]._waiting[0] is listeners[2]._waiting[0]
    assert list(map(numbers_in, joined(feed, listeners[0], team, single))) == [[1, 2, 3, 4], [1, 3], [2, 4]]


BOTH = frozenset({"rover-1", "rover-2"})


def test_what_a_listener_saw_already_is_not_sent_again_and_then_it_is_as_the_others():
    feed = RecordFeed()
    listener = Listener(ANONYMOUS, visible=BOTH)
    # It saw 1, 2 and 4; the feed stands before all of them.
    listener.place = Place(4, ((3, 3),))
    feed.listeners = {listener}
    for numbers, after in (((1,), Place(1)), ((4,), Place(4, ((2, 3),))), ((2, 3), Place(4)), ((5, 6), Place(6))):
        feed.publish(rows(*numbers, after=after))
    assert numbers_in(joined(feed, listener)[0]) == [3, 5, 6]
    assert listener.place is None


async def test_who_caught_up_joins_from_memory_with_what_came_while_it_read():
    feed = RecordFeed()
    feed.begin_at(Follower(3), 0.0)
    feed.listeners = {Listener(ANONYMOUS)}
    feed.publish(rows(1, 2, 3))
    at = time.monotonic()
    feed.publish(rows(4, 5, 6))
    fresh, behind = (Listener(ANONYMOUS, visible=BOTH) for _ in range(2))
    assert feed.join_from(at, fresh)
    assert feed.join_from(at, behind, Place(5))
    feed.publish(rows(7))
    assert numbers_in(joined(feed, fresh)[0]) == [4, 5, 6, 7]
    assert numbers_in(joined(feed, behind)[0]) == [6, 7]
    feed.close()


async def test_who_read_before_what_memory_holds_reads_again():
    feed = RecordFeed()
    late = Listener(ANONYMOUS, visible=BOTH)
    assert not feed.join_from(time.monotonic(), late), "nobody said where the feed begins"
    before = time.monotonic()
    feed.begin_at(Follower(1), time.monotonic())
    assert not feed.join_from(before, late), "what was committed between is nobody's"
    at = time.monotonic()
    for number in range(2, 8):
        feed.publish(rows(number, data="x" * (RECENT_BYTES // 4)))
    assert not feed.join_from(at, late), "the first of them is forgotten"
    assert late not in feed.listeners
    assert feed.join_from(time.monotonic(), late)
    feed.close()


@pytest.mark.parametrize(("limit", "size", "after"), [(16, 16 * 200, 64), (500, 500 * 200, 500), (16, 16 * 65_536, 4), (2, 2_000_000, 1)])
def test_a_page_of_catching_up_is_bounded_in_bytes(limit: int, size: int, after: int):
    assert next_limit(limit, size) == after
