"""What becomes of a reading: cells, names, scale, and how often. Time is a number."""

from math import inf, nan
from typing import Any, cast

import pytest

from croody_contract.messages import Event, MetricInfo, Position, Reading, check_record
from croody_edge.outbox.encoding import checked
from croody_edge.sources.shape import EVENTS_A_MINUTE, MOST_LEFT_OUT, Label, MetricShape, Report, Shaper, described


def shaped(data: dict[str, Any], report: Report = Report(), **metrics: MetricShape) -> dict[str, Any]:  # noqa: B008 - frozen
    found = Shaper(report, metrics).offer(Reading(data=data), 0.0)
    return {} if found is None else dict(cast(Reading, found).data)


NONSENSE = {
    "nan": nan,
    "inf": inf,
    "huge": 10**400,
    "wide": 2**63,
    "list": [1],
    "none": None,
    "nul": "a\x00b",
    "half": "\ud800",
    "long": "x" * 2000,
    "bytes": b"1",
}


def test_a_bad_cell_costs_the_cell_and_never_the_row_and_is_said_once() -> None:
    shaper = Shaper(Report(), {})
    for _ in range(3):
        found = shaper.offer(Reading(data={**NONSENSE, "": 1, "x" * 65: 1, "good": 1.5, "on": True, "word": "hi"}), 0.0)
        assert isinstance(found, Reading)
        assert found.data == {"good": 1.5, "on": True, "word": "hi"}
        checked(found)
    said = {one.metric: one.why for one in shaper.left_out}
    assert len(shaper.left_out) == len(NONSENSE) + 2
    assert (said["nan"], said["huge"], said["list"], said["nul"]) == ("cell.no_number", "cell.too_large", "cell.bad_type", "cell.bad_text")


def test_a_device_that_makes_up_names_for_ever_is_said_to_so_often_and_a_reading_stays_narrow_enough() -> None:
    shaper = Shaper(Report(), {})
    found = cast(Reading, shaper.offer(Reading(data={f"m{number}": number for number in range(400)}), 0.0))
    assert len(found.data) == 256
    check_record(found)
    for number in range(400):
        shaper.offer(Reading(data={f"bad{number}": nan}), 0.0)
    assert len(shaper.left_out) == MOST_LEFT_OUT


def test_a_place_that_is_none_and_a_word_that_is_too_long_are_left_out() -> None:
    nowhere = Reading(data={"a": 1}, position=Position(lat=123.0, lng=0.0), status="x" * 65)
    assert Shaper(Report(), {}).offer(nowhere, 0.0) == Reading(data={"a": 1})
    high = Reading(data={}, position=Position(lat=1.0, lng=2.0, alt=nan))
    assert Shaper(Report(), {}).offer(high, 0.0) == Reading(data={}, position=Position(lat=1.0, lng=2.0))


def test_names_scale_and_decimals_are_data() -> None:
    table = {"oil_temp_c": MetricShape(source="oil", scale=0.1, offset=-40, decimals=1), "serial": MetricShape(drop=True)}
    assert shaped({"oil": 653, "serial": "A1", "force": 2}, Report(prefix="press_"), **table) == {"oil_temp_c": 25.3, "press_force": 2}
    assert shaped({"oil": 653, "x": 1, "xy": 2, "z": 3}, Report(only=["x*"]), **table) == {"oil_temp_c": 25.3, "x": 1, "xy": 2}
    assert shaped({"oil": "hot", "on": True}, **table) == {"oil_temp_c": "hot", "on": True}
    assert shaped({"oil": 10**308}, big=MetricShape(source="oil", scale=1e300)) == {}


def test_on_change_a_reading_goes_up_when_something_left_its_deadband_or_it_is_time() -> None:
    shaper = Shaper(Report(on_change=True, at_least_every_s=10), {"t": MetricShape(deadband=0.5)})

    def sent(at: float, **data: Any) -> bool:
        return shaper.offer(Reading(data=data), at) is not None

    assert sent(0, t=20.0, on=False)
    assert not sent(1, t=20.4, on=False)
    assert sent(2, t=20.4, on=True), "a switch has no deadband"
    assert not sent(3, t=20.8, on=True)
    assert not sent(4, t=20.9, on=True), "the deadband is around what was sent, so a slow drift is seen"
    assert sent(5, t=20.95, on=True)
    assert sent(15, t=20.95, on=True)
    assert sent(16, t=20.95), "one that is gone is a change"


def test_a_move_beyond_the_deadband_is_a_change() -> None:
    shaper = Shaper(Report(on_change=True, position_deadband_m=5), {})
    here = Reading(data={}, position=Position(lat=4.6, lng=-74.0))
    assert shaper.offer(here, 0) is not None
    assert shaper.offer(Reading(data={}, position=Position(lat=4.60002, lng=-74.0)), 1) is None
    assert shaper.offer(Reading(data={}, position=Position(lat=4.6001, lng=-74.0)), 2) is not None


def test_what_comes_faster_than_the_rate_is_put_together_and_goes_when_it_is_time() -> None:
    shaper = Shaper(Report(at_most_per_s=2), {}, partial=True)
    assert shaper.offer(Reading(data={"a": 1}), 0.0) == Reading(data={"a": 1})
    assert shaper.offer(Reading(data={"a": 2}), 0.1) is None
    assert shaper.offer(Reading(data={"b": 3}), 0.2) is None
    assert shaper.due(0.4) is None
    assert shaper.due_in_s(0.4) == pytest.approx(0.1)
    assert shaper.due(0.5) == Reading(data={"a": 2, "b": 3})
    assert shaper.due(9.9) is None
    assert shaper.due_in_s(9.9) is None


def test_events_are_no_way_to_fill_a_disk() -> None:
    shaper = Shaper(Report(), {})
    passed = [shaper.offer(Event(code="fell", detail={"x": nan, "n": 1}), 0.0) for _ in range(EVENTS_A_MINUTE + 5)]
    assert passed[0] == Event(code="fell", detail={"n": 1})
    assert sum(event is not None for event in passed) == EVENTS_A_MINUTE
    assert shaper.events_lost == 5
    assert shaper.offer(Event(code="fell"), 61.0) is not None


def test_what_is_said_of_metrics_is_the_kinds_under_the_sent_names_and_the_tables_goes_before() -> None:
    known = (MetricInfo("oil", unit="K", en="Oil", es="Aceite", decimals=0), MetricInfo("force", unit="N"))
    table = {"oil_temp_c": MetricShape(source="oil", unit="°C"), "lamp": MetricShape(label=Label(es="Luz"), type="switch")}
    assert described(known, Report(prefix="press_"), table) == [
        MetricInfo("oil_temp_c", unit="°C", en="Oil", es="Aceite", decimals=0),
        MetricInfo("press_force", unit="N"),
        MetricInfo("lamp", es="Luz", en="Luz", type="switch"),
    ]
