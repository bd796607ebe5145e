"""What a robot says of records that it is asked for and does not have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from croody_contract import ranges
from croody_contract.messages import Tombstone
from croody_edge.commands.resend import Doubts
from tests.edge_agent.world import World

LOST = ((3, 5),)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "edge")
    yield world
    world.close()


def drain(world: World) -> None:
    for _ in range(20):
        world.turn(1.0)
        while world.network:
            world.deliver(0)
        while world.acks:
            world.acknowledge(0)
    assert world.outbox.pending() == 0


def reasons(world: World) -> set[str]:
    return {stone.reason for stone in world.ledger.of(Tombstone)}


def test_a_request_that_crossed_the_acknowledgement_declares_nothing_lost(world: World) -> None:
    world.publish(20)
    world.connect(True)
    drain(world)
    assert world.outbox.current is not None
    world.ask(world.outbox.current.id, ((1, 20),))
    drain(world)
    world.settle()
    assert world.answers[-1].detail == "0 sent again, 20 not here, 0 of them declared lost"
    assert reasons(world) == set()


def test_what_was_thinned_is_not_declared_lost_while_its_tombstone_waits(tmp_path: Path) -> None:
    world = World(tmp_path / "edge", limit_bytes=1 << 20)
    world.publish(1500, padding=1000)
    current = world.outbox.current
    assert current is not None
    for _ in range(2):
        # Nothing is delivered between the two requests: the tombstones are still here.
        world.connect(True)
        world.ask(current.id, ((1, current.last),))
        world.turn(60.0)
        world.network.clear()
    assert len(world.answers) == 2
    world.settle()
    assert reasons(world) == {"thinned"}
    assert world.ledger.missing() == {}
    assert world.lost() == []
    world.close()


def test_what_is_asked_for_twice_and_is_not_here_is_declared_lost(world: World) -> None:
    world.publish(3)
    world.connect(True)
    drain(world)
    world.ask("longlost1", LOST)
    drain(world)
    assert reasons(world) == set()
    world.turn(60.0)
    world.ask("longlost1", LOST)
    drain(world)
    assert [(stone.stream, ranges.normalise(stone.ranges), stone.reason) for stone in world.ledger.of(Tombstone)] == [
        ("longlost1", LOST, "unknown")
    ]


def test_two_requests_that_come_together_after_a_cut_are_one() -> None:
    doubts = Doubts()
    assert doubts.certain("one", LOST, end=9, oldest=None, mono_s=0.0) == ()
    assert doubts.certain("one", LOST, end=9, oldest=None, mono_s=0.5) == ()
    assert doubts.certain("one", LOST, end=9, oldest=None, mono_s=60.0) == LOST
    assert doubts.certain("one", LOST, end=9, oldest=None, mono_s=120.0) == (), "declared once, and a tombstone may be on its way"


def test_nothing_is_certain_while_records_of_that_time_wait() -> None:
    doubts = Doubts()
    doubts.certain("one", LOST, end=9, oldest=4, mono_s=0.0)
    assert doubts.certain("one", LOST, end=12, oldest=9, mono_s=60.0) == ()
    assert doubts.certain("one", LOST, end=15, oldest=10, mono_s=120.0) == LOST


def test_only_what_was_asked_for_before_is_certain() -> None:
    doubts = Doubts()
    doubts.certain("one", ((3, 5),), end=9, oldest=None, mono_s=0.0)
    assert doubts.certain("one", ((5, 8),), end=9, oldest=None, mono_s=60.0) == ((5, 5),)
    assert doubts.certain("one", ((6, 8),), end=9, oldest=None, mono_s=120.0) == ((6, 8),)


def test_a_cloud_that_asks_for_ever_new_streams_costs_no_memory() -> None:
    doubts = Doubts()
    for number in range(1000):
        doubts.certain(f"stream{number}", LOST, end=9, oldest=None, mono_s=0.0)
    assert len(doubts._open) == 100
