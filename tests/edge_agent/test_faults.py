"""What is wrong is told when it is over, and what lasts before: with `over` the alarm that it made ends."""

from croody_contract.messages import Event
from croody_edge.faults import Faults


class Told:
    def __init__(self) -> None:
        self.now, self.events = 1000.0, list[Event]()
        self.faults = Faults("rover-alice", self.events.append, lambda: self.now)

    def fail(self, about: str, at: float) -> None:
        self.now = at
        self.faults.raised("source_failed", "medium", "gone", about=about, lasts_s=10)

    def end(self, about: str, at: float) -> None:
        self.now = at
        self.faults.cleared("source_failed", about=about)

    def said(self) -> list[tuple[object, str, bool]]:
        return [(event.detail["source"], event.severity, event.over) for event in self.events]


def test_what_lasts_is_told_once_while_it_does_and_its_end_is_an_end() -> None:
    told = Told()
    for at in range(0, 60, 5):
        told.fail("press", at)
    assert told.said() == [("press", "medium", False)]
    told.end("press", 70)
    told.end("press", 80)
    assert told.said() == [("press", "medium", False), ("press", "medium", True)]


def test_what_is_short_is_told_when_it_is_over() -> None:
    told = Told()
    told.fail("press", 0)
    told.end("press", 5)
    assert told.said() == [("press", "medium", False)]


def test_the_alarm_of_a_robot_goes_on_while_one_of_its_sources_is_away() -> None:
    told = Told()
    for at in (0, 10):
        told.fail("press", at)
        told.fail("gps", at)
    told.end("press", 20)
    assert told.said()[2:] == [("press", "low", False)]
    told.end("gps", 30)
    assert told.said()[3:] == [("gps", "medium", True)]


def test_what_cannot_be_kept_for_the_cloud_is_told_later() -> None:
    full = True
    events: list[Event] = []

    def tell(event: Event) -> None:
        if full:
            raise OSError("full")
        events.append(event)

    now = [0.0]
    faults = Faults("rover-alice", tell, lambda: now[0])
    for now[0] in (0.0, 20.0):
        faults.raised("source_failed", "medium", "gone", about="press", lasts_s=10)
    assert events == []
    full = False
    faults.raised("source_failed", "medium", "gone", about="press", lasts_s=10)
    faults.cleared("source_failed", about="press")
    assert [event.over for event in events] == [False, True]


def test_what_lasts_for_days_is_told_every_six_hours_whatever_the_wall_clock_does() -> None:
    events: list[Event] = []
    unix, mono = [1_790_000_000.0], [0.0]
    faults = Faults("rover-alice", events.append, lambda: unix[0], lambda: mono[0])
    for minute in range(25 * 60):
        mono[0] = 60.0 * minute
        unix[0] += 60.0 if minute != 60 else -3 * 86400.0
        faults.raised("source_failed", "medium", "gone", about="press", lasts_s=10)
        faults.raised("outbox_refused", "medium", "full", about="")
    assert [(event.code, event.over) for event in events] == [("source_failed", False)] * 5
    faults.cleared("source_failed", about="press")
    assert events[-1].over
