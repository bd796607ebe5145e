"""Metric names in both languages."""

import pytest

from croody.telemetry.read import metrics


@pytest.mark.parametrize("metric", metrics.METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_has_a_name_in_both_languages(metric):
    assert metric.label("es")
    assert metric.label("en")
    assert metric.decimals >= 0
    assert metric.factor > 0


def test_a_metric_that_nobody_described_is_named_after_itself_with_the_unit_of_its_ending():
    metric = metrics.describe("gripper_force_n_pct")
    assert (metric.label("es"), metric.unit) == ("Gripper force n", "%")
    assert metrics.describe("wheel_speed_mps").unit == "m/s"
    assert metrics.describe("_c").unit == ""


def test_what_screening_on_board_looks_at_has_a_name_in_the_catalogue():
    from croody_contract.windows import FEATURES

    assert set(FEATURES) - metrics.METRICS.keys() == set()


def test_the_sources_that_ship_speak_only_metrics_of_the_catalogue():
    from datetime import UTC, datetime

    from croody_edge.sources.host import HostSource

    host = HostSource()
    for _ in range(2):
        reading = host.read(datetime.now(UTC).timestamp())
        assert reading is not None
        assert {name for name in reading.data if name not in metrics.METRICS} == set()


def test_a_robot_that_is_not_screened_has_a_note_in_the_readers_language():
    metric = metrics.describe("screening")
    assert (metric.label("es"), metric.said("readings_too_slow", "es")) == ("Sin revisión a bordo", "lecturas lentas")
    assert (metric.label("en"), metric.said("readings_too_slow", "en")) == ("Not screened on board", "slow readings")
    assert metric.said("something else", "en") == "something else"
