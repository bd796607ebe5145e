"""The short form of the fault matrix (`make chaos` is the long one), and that it fails when an acknowledgement lies."""

import dataclasses

import pytest

from tools.chaos import matrix, table
from tools.chaos.arena import Arena
from tools.chaos.faults import FAULTS

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(180)]
BY_NAME = {fault.name: fault for fault in FAULTS}
SHORT = (
    "broker-killed",
    "bridge-killed",
    "telemetry-killed",
    "simulator-killed",
    "database-down",
    "link-flapping",
    "repeated-reordered",
    "poison",
    "outbox-copied-running",
    "clocks-1970-2029",
    "plain-bridge-killed",
    "plain-broker-killed",
    "plain-telemetry-killed",
    "plain-worker-killed",
    "plain-telemetry-stalled",
    "plain-overload",
)


@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_and_nothing_doubled(arena: Arena, name: str) -> None:
    (row,) = matrix.play(arena, [BY_NAME[name]], 1, 1, lambda row: print(f"\n{table.head()}\n{table.line(row)}"))
    if row.skipped:
        pytest.skip(row.skipped)
    assert row.faults == []
    assert (row.lost, row.doubled) == (0, 0)
    assert row.published > 50


def test_a_robot_at_its_worst_costs_the_others_nothing_and_none_of_its_own_readings(arena: Arena, monkeypatch: pytest.MonkeyPatch):
    """The short form: a few seconds, and room for a machine that has other things to do. `HOSTILE_S=600` is the long one."""
    monkeypatch.setenv("HOSTILE_S", "15")
    monkeypatch.setenv("SLACK", "8")
    (row,) = matrix.play(arena, [BY_NAME["robot-hostile"]], 1, 1, lambda row: print(f"\n{table.head()}\n{table.line(row)}"))
    assert row.faults == []
    assert (row.lost, row.doubled) == (0, 0)


# What follows loses readings for good on purpose, in the one Croody of all: it comes last.
@pytest.mark.parametrize(("mutation", "name"), [("before-the-commit", "telemetry-killed"), ("up-to-last", "batches-swallowed")])
def test_the_matrix_fails_when_something_acknowledges(arena: Arena, meddle, mutation: str, name: str) -> None:
    meddler = meddle(mutation)
    fault = dataclasses.replace(BY_NAME[name], recovers_within_s=5, settles_within_s=20, grace_s=1)
    (row,) = matrix.play(arena, [fault], 1, 1, lambda row: print(f"\n{table.head()}\n{table.line(row)}"))
    assert meddler.meddled > 0
    assert not row.good
    assert row.lost > 0
    assert any("are lost" in sentence for sentence in row.faults)
