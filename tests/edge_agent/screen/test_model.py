"""The model that ships, really run: it lets a healthy robot be, finds what breaks, and is refused when it is not what its card says."""

import json
import shutil
from collections.abc import Callable, Iterable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from croody_contract import windows
from croody_contract.messages import Event, Reading, Record, Window, check_record
from croody_edge.screen.card import MODELS, SENSORS_CARD, ModelRefused, read
from croody_edge.screen.sensors import SensorScreen
from croody_edge.screen.tflite import Scorer
from croody_edge.sources.sim import SimSource, Site
from tests.edge_agent.doubles import Broker, Cloud, settings, wait_until

Life = tuple[list[float | None], list[tuple[int, Record]]]


def live(scenario: str, seconds: int, *, seed: int, interval_s: float = 1.0, screen: SensorScreen | None = None, number: int = 0) -> Life:
    """Scores and records of one simulated robot under the screen, records with their second."""
    site = Site(seed=seed)
    source = SimSource(site.robot("rover-alice", number, scenario), site, interval_s=interval_s)
    screen = screen or SensorScreen(rng=Random(seed))
    scores: list[float | None] = []
    records: list[tuple[int, Record]] = []
    for turn in range(round(seconds / interval_s)):
        now = 1_000_000.0 + turn * interval_s
        reading = source.read(now)
        assert isinstance(reading, Reading)
        score, made = screen.offer(reading, now)
        scores.append(score)
        records += [(turn, record) for record in made]
    return scores, records


def test_the_model_that_ships_runs_on_this_python_and_is_what_its_card_says() -> None:
    card = read()
    scorer = Scorer(card)
    assert scorer.error(card.check_vector) == pytest.approx(card.check_error, rel=0.25), "other kernels round otherwise, but not by much"
    raw = json.loads(SENSORS_CARD.read_text(encoding="utf-8"))
    assert raw["bytes"] == card.file.stat().st_size <= 24_000
    assert {"data", "split", "metrics", "limits", "licence", "training", "measured_with"} <= set(raw)
    for part in ("train", "stop", "calibrate", "choose"):
        for held_out in ("test", "faults"):
            (a, b), (c, d) = raw["split"][part]["seeds"], raw["split"][held_out]["seeds"]
            assert b < c or d < a, f"{part} and {held_out} share a session"
    assert 0 < scorer.score(card.check_vector) < card.suspect_at


def test_a_healthy_robot_gets_a_score_every_second_and_no_suspicion() -> None:
    scores, records = live("calm", 3600, seed=611)
    assert scores[: windows.WINDOW_ROWS] == [None] * windows.WINDOW_ROWS
    known = [score for score in scores[windows.WINDOW_ROWS :] if score is not None]
    assert len(known) == 3600 - windows.WINDOW_ROWS
    assert all(0 <= score <= 1 for score in known)
    assert sorted(known)[len(known) // 2] < 0.15, "an ordinary window looks ordinary"
    found = [record for _, record in records if isinstance(record, Window)]
    assert len(found) == len(records), "no event"
    assert not any(window.suspect for window in found)
    assert 10 <= len(found) <= 70, "about one in a hundred is sampled"
    for window in found:
        check_record(window)
        assert window.sampled
        assert window.names == list(windows.FEATURES)
        assert len(window.features) == windows.WINDOW_ROWS


@pytest.mark.parametrize(("scenario", "within_s"), [("bearing", 300), ("wheel", 60), ("battery", 150)])
def test_what_breaks_is_suspect_while_it_lasts(scenario: str, within_s: int) -> None:
    found = 0
    for seed in (621, 622, 623, 624):
        _, records = live(scenario, 500, seed=seed)
        suspects = [second for second, record in records if isinstance(record, Window) and record.suspect]
        assert not [second for second in suspects if second < 90], "nothing is broken before 90 s"
        found += any(90 <= second <= 90 + within_s for second in suspects)
        assert all(later - earlier >= 30 for earlier, later in pairwise(suspects))
    assert found >= 3, f"only {found} of 4 were found in time"


@pytest.mark.parametrize("interval_s", [0.1, 0.5, 1.5])
def test_a_robot_that_reads_faster_or_a_little_slower_is_screened_once_a_second_or_so(interval_s: float) -> None:
    scores, records = live("calm", 300, seed=631, interval_s=interval_s)
    known = [score for score in scores if score is not None]
    assert 150 < len(known) < 300
    assert not any(isinstance(record, Event) or (isinstance(record, Window) and record.suspect) for _, record in records)


def codes(records: list[tuple[int, Record]]) -> list[tuple[str, object]]:
    return [(record.code, record.detail.get("reason")) for _, record in records if isinstance(record, Event)]


def test_a_robot_whose_sensors_the_model_does_not_know_is_said_to_be_unscreened_once() -> None:
    screen, records = SensorScreen(), []
    for second in range(600):
        score, made = screen.offer(Reading(data={"cpu_pct": 12.0, "TEMP": 20.0}), 1000.0 + second)
        assert score is None
        records += [(second, record) for record in made]
    assert codes(records) == [("screening_stopped", "sensors_unknown")]
    event = records[0][1]
    assert isinstance(event, Event)
    check_record(event)
    assert event.severity == "low"
    assert "motor_current_a" in str(event.detail["text"])


def test_a_robot_that_reads_too_slowly_is_said_so_once_and_screened_again_when_it_speeds_up() -> None:
    screen = SensorScreen(rng=Random(1))
    _, slow = live("calm", 600, seed=641, interval_s=5.0, screen=screen)
    assert codes(slow) == [("screening_stopped", "readings_too_slow")]
    assert screen.note == "readings_too_slow"
    scores, fast = live("calm", 90, seed=641, screen=screen)
    assert codes(fast) == [("screening_started", None)]
    assert scores[-1] is not None
    assert screen.note == ""


def jittered(pauses_s: Iterable[float], *, seed: int) -> tuple[list[float | None], list[Record], SensorScreen]:
    """Scores and records of a calm robot whose readings come so far apart."""
    site = Site(seed=seed)
    source, screen = SimSource(site.robot("rover-alice", 0, "calm"), site), SensorScreen(rng=Random(seed))
    now, scores, records = 1000.0, [], []
    for pause_s in pauses_s:
        now += pause_s
        reading = source.read(now)
        assert reading is not None
        score, made = screen.offer(reading, now)
        scores.append(score)
        records += made
    return scores, records, screen


@pytest.mark.parametrize("late_s", [1.8, 2.2, 3.6])
def test_one_late_reading_costs_no_score_and_is_nothing_to_speak_of(late_s: float) -> None:
    for seed in range(652, 660):
        scores, records, screen = jittered((late_s if turn % 40 == 30 else 1.0 for turn in range(400)), seed=seed)
        assert all(score is not None for score in scores[windows.WINDOW_ROWS :])
        assert not [record for record in records if isinstance(record, Event) or (isinstance(record, Window) and record.suspect)]
        assert screen.note == ""


def test_a_robot_at_two_seconds_with_jitter_says_once_that_it_is_too_slow_in_eight_minutes_and_in_two_hours() -> None:
    for minutes in (8, 120):
        random = Random(660)
        _, records, screen = jittered((random.choice((1.4, 1.6, 2.0, 2.4, 2.6)) for _ in range(30 * minutes)), seed=660)
        events = [(record.code, record.severity) for record in records if isinstance(record, Event)]
        assert events == [("screening_stopped", "low")]
        assert screen.note == "readings_too_slow"
        assert not [record for record in records if isinstance(record, Window) and record.suspect]


def test_a_short_pause_begins_a_new_window_and_is_nothing_to_speak_of() -> None:
    site = Site(seed=651)
    source, screen = SimSource(site.robot("rover-alice", 0, "calm"), site), SensorScreen(rng=Random(1))
    now, scored = 1000.0, 0
    for second in range(120):
        now += 20.0 if second == 60 else 1.0
        reading = source.read(now)
        assert reading is not None
        score, records = screen.offer(reading, now)
        scored += score is not None
        assert not any(isinstance(record, Event) for record in records)
    assert scored == 120 - 2 * windows.WINDOW_ROWS


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of the folder of models, to break."""
    return Path(shutil.copytree(MODELS, tmp_path / "models"))


def edit(models: Path, **changes: Any) -> None:
    path = models / "sensors.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def flip(models: Path) -> None:
    data = bytearray((models / "sensors.tflite").read_bytes())
    data[len(data) // 2] ^= 0x40
    (models / "sensors.tflite").write_bytes(data)


def truncate(models: Path) -> None:
    data = (models / "sensors.tflite").read_bytes()
    (models / "sensors.tflite").write_bytes(data[: len(data) // 2])


def rubbish(models: Path) -> None:
    """No model at all, under a card that vouches for it."""
    (models / "sensors.tflite").write_bytes(b"not a model" * 500)
    edit(models, sha256=sha256(b"not a model" * 500).hexdigest())


def another(models: Path) -> None:
    """Whole, but it gives other answers than its card says."""
    edit(models, check={"vector": [0.5] * len(windows.INPUTS), "error": 1234.5})


def steps(models: Path) -> None:
    raw = json.loads((models / "sensors.json").read_text(encoding="utf-8"))["calibration"]
    edit(models, calibration={**raw, "error": list(reversed(raw["error"]))})


BROKEN: list[tuple[Callable[[Path], object], str, str]] = [
    (flip, "damaged", "SHA-256 is .* its card says"),
    (truncate, "damaged", "SHA-256"),
    (lambda models: (models / "sensors.tflite").unlink(), "unreadable", "No such file"),
    (lambda models: (models / "sensors.json").unlink(), "unreadable", "No such file"),
    (lambda models: (models / "sensors.json").write_text("{", encoding="utf-8"), "bad_card", "card"),
    (lambda models: (models / "sensors.json").write_text("[]", encoding="utf-8"), "bad_card", "card"),
    (rubbish, "runtime", "cannot run it"),
    (another, "wrong_answer", "its card says 1234.5"),
    (steps, "bad_card", "errors must rise"),
    (lambda models: edit(models, features=["a", "b"]), "mismatch", "features is .* use the model of the same version"),
    (lambda models: edit(models, inputs=list(reversed(windows.INPUTS))), "mismatch", "inputs"),
    (lambda models: edit(models, window_rows=32), "mismatch", "window_rows is 32"),
    (lambda models: edit(models, residual_scale=[0.0] * len(windows.INPUTS)), "bad_card", "residual_scale"),
    (lambda models: edit(models, suspect_at=0), "bad_card", "suspect_at"),
]


@pytest.mark.parametrize(("harm", "reason", "words"), BROKEN)
def test_a_model_that_is_not_what_its_card_says_is_refused_and_the_screen_says_so_once(
    models: Path, harm: Callable[[Path], object], reason: str, words: str
) -> None:
    harm(models)
    with pytest.raises(ModelRefused, match=words) as refused:
        Scorer(read(models / "sensors.json"))
    assert refused.value.reason == reason
    assert str(models) in str(refused.value), "it names the file"
    scores, records = live("calm", 60, seed=661, screen=SensorScreen(models / "sensors.json"))
    assert set(scores) == {None}
    assert codes(records) == [("screening_stopped", f"model_{reason}")]
    event = records[0][1]
    assert isinstance(event, Event)
    assert event.severity == "medium"
    check_record(event)


def test_an_agent_with_a_damaged_model_goes_on_publishing_unscreened_and_tells_the_cloud(
    models: Path, tmp_path: Path, broker: Broker, cloud: Cloud, drive: Callable[..., Any]
) -> None:
    flip(models)
    site = Site(seed=671)
    source = SimSource(site.robot("rover-alice", 0, "calm"), site, interval_s=0.05)
    drive(settings(tmp_path / "edge", broker.address), source, SensorScreen(models / "sensors.json"))
    assert wait_until(lambda: len(cloud.ledger.of(Reading)) > 20)
    assert [(event.code, event.detail["reason"]) for event in cloud.ledger.of(Event)] == [("screening_stopped", "model_damaged")]
    assert not any("screen_score" in reading.data for reading in cloud.ledger.of(Reading))


def test_an_agent_with_the_model_sends_the_score_with_every_reading_and_the_suspect_windows(
    tmp_path: Path, broker: Broker, cloud: Cloud, drive: Callable[..., Any]
) -> None:
    class Hurried(SensorScreen):
        """Sees a second for every reading, so that a fault comes within the test's patience."""

        turn = 0

        def offer(self, reading: Reading, now: float) -> tuple[float | None, list[Record]]:
            self.turn += 1
            return super().offer(reading, 1000.0 + self.turn)

    class Fast(SimSource):
        turn = 0

        def read(self, now: float) -> Reading | None:
            self.turn += 1
            return super().read(1_790_000_000.0 + self.turn)

    site = Site(seed=621)
    source = Fast(site.robot("rover-alice", 0, "wheel"), site, interval_s=0.01)
    drive(settings(tmp_path / "edge", broker.address), source, Hurried(rng=Random(1)))
    assert wait_until(lambda: any(window.suspect for window in cloud.ledger.of(Window)), 15)
    readings = cloud.ledger.of(Reading)
    assert all("screen_score" in reading.data for reading in readings[windows.WINDOW_ROWS :])
    window = next(window for window in cloud.ledger.of(Window) if window.suspect)
    assert window.model == read().name
    assert window.score >= read().suspect_at
