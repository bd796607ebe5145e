"""Statuses of ROS diagnostics: an event when one turns bad, and again while it is for long."""

from croody_edge.sources.ros.diagnostics import Diagnostics

NOW = 1_790_000_000.0


def status(level: int) -> dict[str, object]:
    return {"status": [{"name": "base: Left motor", "level": level, "message": "hot", "values": []}]}


def test_a_status_that_is_bad_for_days_is_told_every_six_hours_whatever_the_wall_clock_does() -> None:
    heard = Diagnostics()
    events = []
    for minute in range(25 * 60):
        now = NOW + 60.0 * minute - (3 * 86400 if minute > 60 else 0)
        events += heard.take(status(2), now, 60.0 * minute)
    assert [(event.code, event.severity, event.over) for event in events] == [("ros_base_left_motor", "high", False)] * 5
    assert [event.over for event in heard.take(status(0), NOW, 90_000.0)] == [True]
    assert heard.take(status(0), NOW, 900_000.0) == []
    assert len(heard.take(status(1), NOW, 900_001.0)) == 1
    assert heard.take(status(1), NOW, 900_002.0) == []
