"""The promise, tried on any sequence of steps: what publish returned is stored or declared dropped, once, with the same bytes.

Short by default; `HYPOTHESIS_PROFILE=long` runs 2,000 sequences.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.edge_agent.world import Rule, World, before_commit, exact, up_to_last

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EFFORT = settings(
    max_examples=2000 if LONG else 40,
    stateful_step_count=50 if LONG else 30,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
#: Memory, where there is such a place: what is tried here is logic, and a disk's fsync would take most of the time.
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
indices = st.integers(0, 50)


class Promise(RuleBasedStateMachine):
    """Steps in any order, then peace, then the books are compared."""

    limit_bytes = 1 << 30

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="croody-promise-", dir=PLACE))
        self.world = World(self._folder / "edge", exact, limit_bytes=self.limit_bytes)

    @rule(count=st.integers(1, 30))
    def publish(self, count: int) -> None:
        self.world.publish(count)

    @rule(up=st.booleans())
    def connect(self, up: bool) -> None:
        self.world.connect(up)

    @rule(seconds=st.sampled_from([0.0, 0.03, 0.5, 3.0, 30.0]))
    def turn(self, seconds: float) -> None:
        self.world.turn(seconds)

    @rule(index=indices, commits=st.booleans(), keeps=st.booleans())
    def deliver(self, index: int, commits: bool, keeps: bool) -> None:
        self.world.deliver(index, commits=commits, keeps=keeps)

    @rule(index=indices)
    def lose(self, index: int) -> None:
        self.world.lose(index)

    @rule(index=indices, keeps=st.booleans())
    def acknowledge(self, index: int, keeps: bool) -> None:
        self.world.acknowledge(index, keeps=keeps)

    @rule(index=indices)
    def lose_ack(self, index: int) -> None:
        self.world.lose_ack(index)

    @rule()
    def crash(self) -> None:
        self.world.crash()

    @rule()
    def ask_for_missing(self) -> None:
        self.world.ask_for_missing()

    @rule()
    def take_snapshot(self) -> None:
        self.world.take_snapshot()

    @rule()
    def restore_snapshot(self) -> None:
        self.world.restore_snapshot()

    @invariant()
    def honest(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        try:
            self.world.settle()
            self.world.check()
            assert self.world.outbox.pending() == 0
            assert self.world.lost() == []
            assert self.world.doubled_or_changed() == []
            assert self.world.ledger.missing() == {}
        finally:
            self.world.close()
            shutil.rmtree(self._folder)


class PromiseAtTheLimit(Promise):
    """The same in so little space that the past is thinned again and again."""

    limit_bytes = 120_000

    @rule(count=st.integers(20, 60))
    def publish_much(self, count: int) -> None:
        self.world.publish(count, padding=900)


def test_what_was_published_is_stored_or_declared_whatever_happens() -> None:
    run_state_machine_as_test(Promise, settings=EFFORT)


def test_the_same_when_the_outbox_is_at_its_limit() -> None:
    run_state_machine_as_test(PromiseAtTheLimit, settings=EFFORT)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="croody-promise-", dir=PLACE))
    yield made
    shutil.rmtree(made)


def walk(folder: Path, rule_: Rule, seed: int, *, failing: float = 0.1, reorder: bool = True) -> World:
    """An ordinary bad day: two bridges, lost acknowledgements, failing commits, a robot that starts again."""
    random = Random(seed)
    world = World(folder / f"{rule_.__name__}-{seed}", rule_)
    world.connect(True)
    for _ in range(150):
        world.publish(random.randrange(1, 12))
        world.turn(random.choice([0.03, 0.3, 3.0]))
        for _ in range(random.randrange(4)):
            world.deliver(random.randrange(50) if reorder else 0, commits=random.random() > failing, keeps=random.random() < 0.1)
        if random.random() < 0.1:
            world.lose(random.randrange(50))
        for _ in range(random.randrange(3)):
            world.acknowledge(random.randrange(50))
        if random.random() < 0.1:
            world.lose_ack(random.randrange(50))
        if random.random() < 0.05:
            world.connect(not world.wire.up)
        if random.random() < 0.02:
            world.crash()
            world.connect(True)
    world.settle()
    world.close()
    return world


@pytest.mark.parametrize("seed", range(3))
def test_exact_acknowledgements_lose_nothing_on_a_bad_day(folder: Path, seed: int) -> None:
    world = walk(folder, exact, seed)
    assert len(world.witness) > 500
    assert world.lost() == []
    assert world.doubled_or_changed() == []
    assert world.outbox.pending() == 0
    assert world.ledger.missing() == {}


@pytest.mark.parametrize("wrong", [before_commit, up_to_last])
def test_a_wrong_acknowledgement_is_seen_to_lose_readings(folder: Path, wrong: Rule) -> None:
    """The audit can fail: with the two rules that we do not use, it does."""
    assert sum(len(walk(folder, wrong, seed).lost()) for seed in range(3)) > 0


def test_acknowledging_before_the_commit_is_harmless_only_while_every_commit_works(folder: Path) -> None:
    """What makes it wrong is the failing commit, not the order of messages."""
    assert walk(folder, before_commit, 1, failing=0.0).lost() == []
