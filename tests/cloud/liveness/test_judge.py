"""The one judgement of whether a robot is there."""

from datetime import UTC, datetime, timedelta

import pytest

from croody.liveness.judge import Signs, State, deaf, state

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


CASES = [
    ("never seen", Signs(), State.UNKNOWN),
    ("never seen, however long we listen", Signs(listening_since=ago(9999)), State.UNKNOWN),
    ("plain, just heard", Signs(heard_at=ago(1)), State.ONLINE),
    ("plain, moving", Signs(heard_at=ago(1), status="moving"), State.MOVING),
    ("plain, a minute and a bit", Signs(heard_at=ago(61)), State.STALE),
    ("plain, over five minutes", Signs(heard_at=ago(301)), State.OFFLINE),
    ("agent, heard 10 s ago", Signs(heard_at=ago(10), presence="online", presence_at=ago(20)), State.ONLINE),
    ("agent, no reading for 16 s", Signs(heard_at=ago(16), presence="online", presence_at=ago(2)), State.STALE),
    ("agent that reads once a minute", Signs(heard_at=ago(50), presence="online", presence_at=ago(2), interval_s=60), State.ONLINE),
    (
        "agent that reads once an hour, alive",
        Signs(heard_at=ago(3500), presence="online", presence_at=ago(2), interval_s=3600),
        State.ONLINE,
    ),
    (
        "agent that reads once an hour, silent",
        Signs(heard_at=ago(3500), presence="online", presence_at=ago(91), interval_s=3600),
        State.OFFLINE,
    ),
    ("agent, three heartbeats missed", Signs(heard_at=ago(91), presence="online", presence_at=ago(95)), State.OFFLINE),
    ("agent that is lost", Signs(heard_at=ago(20), presence="offline", presence_at=ago(6)), State.OFFLINE),
    ("agent that said goodbye and is off", Signs(heard_at=ago(20), presence="off", presence_at=ago(6)), State.OFF),
    ("off since yesterday", Signs(heard_at=ago(90_000), presence="off", presence_at=ago(90_000)), State.OFF),
    ("off, and its last records came after it", Signs(heard_at=ago(985), presence="off", presence_at=ago(1000)), State.OFF),
    ("off, and goes on sending", Signs(heard_at=ago(1), presence="off", presence_at=ago(1000)), State.ONLINE),
    ("a will that came a moment ago", Signs(heard_at=ago(4), presence="offline", presence_at=ago(3)), State.ONLINE),
    ("a will that came after the robot was back", Signs(heard_at=ago(1), presence="offline", presence_at=ago(8)), State.ONLINE),
    ("seen by presence alone", Signs(presence="online", presence_at=ago(1)), State.UNKNOWN),
    (
        "the bridge was deaf until just now",
        Signs(heard_at=ago(500), presence="online", presence_at=ago(500), listening_since=ago(3)),
        State.ONLINE,
    ),
    (
        "silent although we listen",
        Signs(heard_at=ago(500), presence="online", presence_at=ago(500), listening_since=ago(120)),
        State.OFFLINE,
    ),
    ("faulted goes before offline", Signs(heard_at=ago(500), faulted=True), State.FAULTED),
    ("maintenance goes before faulted", Signs(faulted=True, maintenance_until=ago(-60)), State.MAINTENANCE),
    ("maintenance past its end falls back", Signs(heard_at=ago(1), maintenance_until=ago(1)), State.ONLINE),
    ("quarantine goes before all", Signs(faulted=True, maintenance_until=ago(-60), quarantined_until=ago(-60)), State.QUARANTINED),
]


@pytest.mark.parametrize(("signs", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_first_state_that_holds_is_shown(signs, expected):
    assert state(NOW, signs) is expected


def test_the_cloud_is_deaf_when_no_bridge_asked_for_seven_seconds_and_never_before_the_first():
    assert not deaf(NOW, None)
    assert not deaf(NOW, ago(7))
    assert deaf(NOW, ago(8))
