"""What is learned, from what, and what a file of it must be to be believed."""

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from croody_contract import profiles
from croody_contract.profiles import ANY_MODE, MAX_METRICS, Refused
from croody_edge.screen.learned.learn import Seen, TooFew, learn, settled
from tests.edge_agent.screen.learned import pump


def test_a_profile_says_what_was_seen_by_mode_and_has_one_name_for_one_content() -> None:
    made = pump.profile()
    assert [metric.name for metric in made.metrics] == pump.NAMES
    assert made.modes() == ["resting", "working"]
    assert (made.readings, made.interval_s) == (3600, 1.0)
    flow = made.metrics[0]
    assert flow.levels["resting"].mean == pytest.approx(0.0, abs=0.1)
    assert flow.levels["working"].mean == pytest.approx(40.0, abs=1.0)
    assert flow.levels["resting"].still_s > 90 > flow.levels["working"].still_s
    assert "litres" not in made.joint
    assert set(made.together) == {ANY_MODE, "resting", "working"}
    assert made.name() == profiles.parse(profiles.render(made), "x").name()
    other = msgspec.structs.replace(made, made_at=datetime(2026, 12, 2, tzinfo=UTC))
    assert other.name() != made.name()


def test_too_few_readings_teach_nothing() -> None:
    with pytest.raises(TooFew, match="599 readings, 600 are needed"):
        learn(pump.seen(599), pump.MADE)
    silent = pump.seen(700)
    with pytest.raises(TooFew, match="no number comes in half"):
        learn(silent._replace(values=np.full_like(silent.values, np.nan)), pump.MADE)


def test_a_robot_with_too_many_metrics_has_those_judged_that_it_declared() -> None:
    rng = np.random.default_rng(0)
    names = [f"m{number}" for number in range(40)]
    many = Seen(names, np.arange(700.0), [""] * 700, rng.normal(size=(700, 40)).round(2), np.zeros(700, dtype=bool))
    made = learn(many, pump.MADE, declared=["m39", "m38"])
    assert len(made.metrics) == MAX_METRICS
    assert [metric.name for metric in made.metrics[:3]] == ["m39", "m38", "m0"]
    assert len(made.left_out) == 40 - MAX_METRICS
    assert len(profiles.render(made)) < profiles.MAX_BYTES


def test_a_level_that_still_moves_is_not_settled_and_a_counter_never_is() -> None:
    _, values = pump.rows(3600)
    warming = values.copy()
    warming[:, 3] = np.round(20 + 15 * np.arange(3600) / 3600 + np.sin(np.arange(3600)), 2)
    assert settled(pump.seen())
    assert not settled(pump.seen()._replace(values=warming))


@pytest.mark.parametrize("cut", [0, 1, 100, -2])
def test_a_file_that_is_cut_or_changed_is_refused_with_the_remedy(cut: int) -> None:
    body = profiles.render(pump.profile())
    with pytest.raises(Refused, match=r"p\.json: not a profile that can be used .*--relearn"):
        profiles.parse(body[:cut], "p.json")


def test_a_limit_that_somebody_changed_by_hand_is_refused() -> None:
    body = profiles.render(pump.profile())
    with pytest.raises(Refused, match="does not fit its hash"):
        profiles.parse(body.replace(b'"changes":', b'"changes":1', 1), "p.json")


def test_a_profile_of_another_shape_or_without_finite_limits_is_refused() -> None:
    made = pump.profile()
    together = {mode: msgspec.structs.replace(one, mean=one.mean[1:]) for mode, one in made.together.items()}
    odd = msgspec.structs.replace(made, together=together)
    with pytest.raises(Refused, match="is not of 12 inputs"):
        profiles.parse(profiles.render(odd), "p.json")
    endless = msgspec.structs.replace(made, version=2)
    with pytest.raises(Refused, match="version 2, expected 1"):
        profiles.parse(profiles.render(endless), "p.json")
