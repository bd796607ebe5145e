"""Screening stops and starts with hysteresis."""

from croody_edge.screen.hysteresis import Standing, looked


def news(scored: str, every_s: float = 1.0) -> list[tuple[int, str]]:
    """What is said of readings of which `x` completed a scored window."""
    standing, said = Standing(), []
    for turn, one in enumerate(scored):
        standing, word = looked(standing, one == "x", 1000.0 + turn * every_s)
        if word is not None:
            said.append((turn, word))
    return said


def test_a_minute_without_a_score_is_a_stop_and_a_minute_of_scores_a_start() -> None:
    assert news("." * 59 + "x" * 10) == []
    assert news("." * 200) == [(60, "stopped")]
    assert news("x" * 10 + "." * 100 + "x" * 100) == [(69, "stopped"), (169, "started")]


def test_what_changes_with_every_other_reading_is_said_once_at_most() -> None:
    assert news("x." * 2000) == []
    assert news("." * 61 + "x." * 2000 + "x" * 59 + ".") == [(60, "stopped")]


def test_one_pause_is_no_stop_however_long_it_is() -> None:
    assert news("xxxx....xxxx", every_s=3600.0) == []
    assert news("x" + "." * 5, every_s=3600.0) == [(5, "stopped")]


def test_a_clock_that_is_set_back_begins_the_minute_anew() -> None:
    standing, _ = looked(Standing(), True, 9000.0)
    for turn in range(59):
        standing, word = looked(standing, False, 1000.0 + turn)
        assert word is None
