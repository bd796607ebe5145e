"""Each thing that can be wrong with a sensor is found by its own rule, named with its metric, and over when it is over."""

from collections.abc import Callable

import numpy as np
import pytest

from croody_contract.profiles import RULES
from croody_edge.screen.learned.judges import Finding, Judges
from croody_edge.screen.learned.rows import Row
from tests.edge_agent.screen.learned import pump

FLOW, PRESSURE, CURRENT, CASING, LITRES = range(5)
BEGINS, ENDS = 400, 1000


def judge(values: np.ndarray, modes: list[str]) -> list[list[Finding]]:
    judges = Judges(pump.profile())
    return [
        judges.take(Row(float(at), mode, {name: value for name, value in zip(pump.NAMES, line, strict=True) if value == value}, False))
        for at, (mode, line) in enumerate(zip(modes, values.tolist(), strict=True))
    ]


def broken(change: Callable[[np.ndarray], None]) -> list[set[tuple[str, str]]]:
    """What is wrong, row by row, when `change` is made between BEGINS and ENDS of an hour that nothing was learned on."""
    modes, healthy = pump.rows(2200, seed=7)
    values = healthy.copy()
    change(values[BEGINS:ENDS])
    return [{(one.rule, one.metric) for one in found} for found in judge(values, modes)]


def freeze(part: np.ndarray) -> None:
    part[:, CASING] = part[0, CASING]


def drift(part: np.ndarray) -> None:
    part[:, PRESSURE] += np.minimum(1.0, np.arange(len(part)) / 300) * 1.5


def leave(part: np.ndarray) -> None:
    part[:, CASING] = 80.0


def jump(part: np.ndarray) -> None:
    part[:, CASING] += 6.0


def spike(part: np.ndarray) -> None:
    part[20::60, PRESSURE] = 25.0


def lose(part: np.ndarray) -> None:
    part[:, CURRENT] = np.nan


FAULTS = {
    "missing": (lose, "current_a", 15),
    "stuck": (freeze, "casing_c", 70),
    "out_of_range": (leave, "casing_c", 5),
    "jump": (jump, "casing_c", 6),
    "spike": (spike, "pressure_bar", 160),
    "drift": (drift, "pressure_bar", 590),
}


def test_every_rule_has_a_fault_here() -> None:
    assert set(FAULTS) == set(RULES)


@pytest.mark.parametrize("rule", FAULTS)
def test_a_fault_is_found_by_its_rule_on_its_metric_in_time_and_ends(rule: str) -> None:
    change, metric, within = FAULTS[rule]
    found = broken(change)
    assert not any(found[:BEGINS])
    assert any((rule, metric) in one for one in found[BEGINS : BEGINS + within]), found[BEGINS + within]
    assert {name for one in found for _, name in one} == {metric}, "nobody else is named"
    if rule != "jump":  # Going back is a jump as well.
        assert (rule, metric) not in found[-1]


def test_a_healthy_hour_that_nothing_was_learned_on_are_silent() -> None:
    modes, values = pump.rows(3600, seed=9)
    assert not any(judge(values, modes))


def test_a_flow_that_stands_still_while_the_pump_rests_is_not_stuck_and_one_while_it_works_is() -> None:
    modes, healthy = pump.rows(1200, seed=7)
    resting = {one for found in judge(healthy, modes) for one in found}
    assert not resting
    values = healthy.copy()
    start = modes.index("working", 300)
    values[start + 20 : start + 180, FLOW] = 40.0
    found = judge(values, modes)
    assert ("stuck", "flow_lpm") in {(one.rule, one.metric) for row in found for one in row}


def test_what_only_rises_has_no_level_and_is_stuck_when_it_stays() -> None:
    by_name = {metric.name: metric for metric in pump.profile().metrics}
    assert by_name["litres"].wanders
    assert not by_name["casing_c"].wanders


def test_after_a_pause_nothing_is_compared_with_what_was_before_it() -> None:
    modes, values = pump.rows(1200, seed=7)
    judges = Judges(pump.profile())
    for at in range(600):
        judges.take(Row(float(at), modes[at], dict(zip(pump.NAMES, values[at].tolist(), strict=True)), False))
    later = dict(zip(pump.NAMES, values[900].tolist(), strict=True)) | {"casing_c": 37.0}
    assert judges.take(Row(605.0, modes[900], later, True)) == []
    assert all(judges.take(Row(606.0 + more, modes[900], later, False)) == [] for more in range(10))


def test_one_reading_that_is_wild_is_no_fault() -> None:
    modes, healthy = pump.rows(1200, seed=7)
    values = healthy.copy()
    values[700, CASING] = 85.0
    assert not any(judge(values, modes))
