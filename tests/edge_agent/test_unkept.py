"""An outbox that takes nothing: what came waits and is tried again, nothing is taken for safe that is in no outbox, and rules go on."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from croody_contract.messages import Event, Reading, Record, decode_record
from croody_edge.agent import Agent
from croody_edge.local.life import Life
from croody_edge.local.rules.keeper import Memory, Rules
from croody_edge.local.rules.rule import Rule
from croody_edge.outbox.queue import Outbox
from croody_edge.sources.rack import Configured
from tests.edge_agent.doubles import Counting, reading, settings, wait_until
from tests.edge_agent.outbox.test_queue import EVERYTHING, NOW

LIMIT = 400_000


class Lines:
    """Reads what another program left behind, and remembers how much of it is safe."""

    interval_s = 0.01
    catches_up = True

    def __init__(self) -> None:
        self.at = self.safe = 0

    def read(self, now: float) -> list[Reading]:
        self.at += 10
        return [reading(number) for number in range(self.at - 9, self.at + 1)]

    def place(self) -> object:
        return self.at

    def kept(self, place: object) -> None:
        assert isinstance(place, int)
        self.safe = place

    def close(self) -> None:
        pass


@pytest.fixture
def made(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Agent]:
    agent = Agent(settings(tmp_path / "edge", outbox_limit_bytes=LIMIT), request.param, None)
    agent.start()
    yield agent
    agent.stop(0.0)


def outbox(agent: Agent) -> Outbox:
    assert agent._outbox is not None
    return agent._outbox


def fill(agent: Agent, body: int = 20_000) -> None:
    """With what may never be thinned, until not even the reserve has room."""
    ballast = Event(code="ballast", detail={str(n): "x" * 1000 for n in range(body // 1000)})
    with suppress(OSError):
        while True:
            agent.publish(ballast)


def empty(agent: Agent) -> list[object]:
    """Make room. Returns what lay there."""
    batch, found = outbox(agent).read(0, EVERYTHING, 10_000, 10**9, NOW), list[object]()
    while batch is not None:
        found += [decode_record(body) for body in batch.bodies]
        outbox(agent).remove(((batch.first_key, batch.last_key),), NOW)
        batch = outbox(agent).read(0, EVERYTHING, 10_000, 10**9, NOW)
    return found


def numbers(found: list[object]) -> list[int]:
    return [int(record.data["n"]) for record in found if isinstance(record, Reading)]


LINES = Lines()


@pytest.mark.parametrize("made", [[Configured("log", lambda: LINES, catches_up=True)]], indirect=True)
def test_lines_of_a_file_that_the_outbox_refuses_are_not_taken_for_read(made: Agent) -> None:
    fill(made)
    assert wait_until(lambda: made.tick(NOW) is not None and LINES.at > 300), "it is read on until too many wait"
    safe = LINES.safe
    there = empty(made)
    assert max(numbers(there), default=0) >= safe, "no line is safe that is in no outbox"
    assert wait_until(lambda: made.tick(NOW) is not None and not made._unkept and LINES.safe > safe)
    there += empty(made)
    assert numbers(there) == list(range(1, len(numbers(there)) + 1)), "each once, in its order"


@pytest.mark.parametrize("made", [Counting(0.001)], indirect=True)
def test_readings_wait_for_room_and_are_seen_on_board_meanwhile(made: Agent) -> None:
    fill(made)
    assert wait_until(lambda: made.tick(NOW) is not None and float(made.state().values.get("n", 0)) > 20)
    assert [fault.code for fault in made.state().faults] == ["outbox_refused"]
    there = empty(made)
    assert wait_until(lambda: made.tick(NOW) is not None and not made._unkept)
    there += empty(made)
    assert numbers(there) == list(range(1, len(numbers(there)) + 1))
    (told,) = [record for record in there if isinstance(record, Event) and record.code == "outbox_refused"]
    assert told.detail["count"] == 0, "none was lost"


@pytest.mark.parametrize("made", [Counting(0.0001)], indirect=True)
def test_what_cannot_wait_either_is_counted(made: Agent) -> None:
    fill(made)
    assert wait_until(lambda: made.tick(NOW) is not None and float(made.state().values.get("n", 0)) > 1500)
    empty(made)
    assert wait_until(lambda: made.tick(NOW) is not None and not made._unkept)
    came, there = int(made.state().values["n"]), empty(made)
    (told,) = [record for record in there if isinstance(record, Event) and record.code == "outbox_refused"]
    kept = numbers(there)
    assert int(told.detail["count"]) == len(set(range(1, came + 1)) - set(kept)) > 0


class Seen:
    """A screen that only counts."""

    note = ""
    kept_at = seen = 0

    def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
        self.seen += 1
        return None, []

    def kept(self) -> None:
        self.kept_at = self.seen


def test_a_rule_acts_while_the_outbox_is_full_and_is_told_when_its_event_is_in_it(tmp_path: Path) -> None:
    rules, screen = {"many": Rule(metric="n", above=50)}, Seen()
    life = Life("rover-alice", Rules(rules, tmp_path, 0.0), tmp_path / "rules.toml")
    agent = Agent(settings(tmp_path / "edge", outbox_limit_bytes=LIMIT), Counting(0.001), screen, life=life)
    agent.start()
    fill(agent)
    assert wait_until(lambda: agent.tick(NOW) is not None and life.holds()["many"])
    before = screen.kept_at
    assert wait_until(lambda: agent.tick(NOW) is not None and screen.seen > before + 50)
    assert screen.kept_at == before
    assert Rules(rules, tmp_path, 0.0).memory["many"] == Memory(code="many"), "killed here, it begins again"
    there = empty(agent)
    assert wait_until(lambda: agent.tick(NOW) is not None and not agent._unkept)
    there += empty(agent)
    assert [record.over for record in there if isinstance(record, Event) and record.code == "many"] == [False]
    assert screen.kept_at == screen.seen
    assert Rules(rules, tmp_path, 0.0).memory["many"].told
    agent.stop(0.0)


class Pairs(Counting):
    """A reading and an event at a time."""

    def read(self, now: float) -> list[Reading | Event]:  # type: ignore[override]
        self.count += 1
        return [reading(self.count), Event(code="beside", detail={"n": self.count})]


def test_an_event_beside_a_reading_finds_the_reserve_and_the_cloud_hears_what_lasts_while_it_does(tmp_path: Path) -> None:
    passed = [0.0]
    clocks = {"clock": lambda: NOW, "monotonic": lambda: time.monotonic() + passed[0]}
    agent = Agent(settings(tmp_path / "edge", outbox_limit_bytes=LIMIT), Pairs(0.01), None, **clocks)
    agent.start()
    queue = outbox(agent)._queue
    assert queue is not None
    while queue.store.used_bytes() <= LIMIT:
        agent.publish(Event(code="ballast", detail={"x": "x" * 1000}))
    assert wait_until(lambda: agent.tick(NOW) is not None and agent.state().faults)
    passed[0] = 11
    assert wait_until(lambda: agent.tick(NOW) is not None and agent._faults._now["outbox_refused", ""].told)
    there = empty(agent)
    events = [record for record in there if isinstance(record, Event) and not record.over]
    assert {one.detail["n"] for one in events if one.code == "beside"} - set(numbers(there)), "the readings beside them wait"
    assert [one.detail["count"] for one in events if one.code == "outbox_refused"] == [0]
    agent.stop(0.0)
    assert [one.code for one in empty_again(tmp_path) if isinstance(one, Event) and one.over] == ["outbox_refused"]


def empty_again(folder: Path) -> list[object]:
    again = Agent(settings(folder / "edge"), Counting(), None)
    again.start()
    there = empty(again)
    again.stop(0.0)
    return there
