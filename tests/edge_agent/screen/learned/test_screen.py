"""A board learns its robot once, survives a kill at any moment of it, judges from then on, and learns again when a person says so."""

import logging
from pathlib import Path
from random import Random

import pytest

from croody_contract.messages import Event, Reading, Record, Window
from croody_contract.profiles import ANY_MODE
from croody_edge.screen.card import ModelRefused
from croody_edge.screen.decide import Policy
from croody_edge.screen.learned import files, together
from croody_edge.screen.learned.journal import Journal
from croody_edge.screen.learned.rows import Row, Rows
from croody_edge.screen.learned.screen import LearnedScreen
from croody_edge.screen.learned.together import Together
from croody_edge.screen.on_demand import ScreenOnDemand
from croody_edge.screen.sensors import SensorScreen
from tests.edge_agent.screen.learned import pump

NOW = 1_790_000_000.0


class Board:
    """A screen on a folder, and its robot."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder, self.at, self.seed = folder, 0, seed
        self.records: list[Record] = []
        self.scores: list[float | None] = []
        self.begin()

    def begin(self) -> None:
        self.screen = LearnedScreen(self.folder, learn_s=900, rng=Random(1))

    def run(self, seconds: int, *, kept: bool = True, **change: float) -> None:
        modes, values = pump.rows(7200, self.seed)
        for _ in range(seconds):
            data = dict(zip(pump.NAMES, values[self.at % 7200].tolist(), strict=True)) | change
            score, records = self.screen.offer(Reading(data=data, status=modes[self.at % 7200]), NOW + self.at)
            self.scores.append(score)
            self.records += records
            if kept:
                self.screen.kept()
            self.at += 1

    def learn(self) -> None:
        while not (self.folder / files.PROFILE).exists():
            self.run(60)
            thread = getattr(self.screen._stage, "_thread", None)
            if thread is not None:
                thread.join(30)
            assert self.at < 4000, "it never learned"

    def events(self) -> list[tuple[str, bool]]:
        return [(record.code, record.over) for record in self.records if isinstance(record, Event)]


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_it_learns_says_so_and_scores_every_window_from_then_on(board: Board) -> None:
    assert board.screen.note == "learning"
    board.learn()
    assert 900 <= board.at < 3000
    assert board.events() == [("profile_learned", False)]
    assert not (board.folder / files.JOURNAL).exists()
    assert not any(board.scores[:900])
    board.scores.clear()
    board.run(600)
    assert board.screen.note == ""
    assert sum(score is None for score in board.scores) <= 16
    assert max(score for score in board.scores if score is not None) < 0.5
    assert board.events() == [("profile_learned", False)]


def test_a_broken_sensor_is_said_once_and_once_when_it_is_over(board: Board) -> None:
    board.learn()
    board.run(300)
    board.records.clear()
    board.run(120, casing_c=95.0)
    board.run(600)
    said = [one for one in board.events() if one[0] == "sensor_out_of_range"]
    assert said == [("sensor_out_of_range", False), ("sensor_out_of_range", True)]
    event = next(record for record in board.records if isinstance(record, Event) and record.code == "sensor_out_of_range")
    assert (event.severity, event.detail["metric"], event.detail["value"]) == ("medium", "casing_c", 95.0)
    assert 30 < float(event.detail["limit"]) < 60


def test_what_was_wrong_before_a_restart_is_said_to_be_over_after_it(board: Board) -> None:
    board.learn()
    board.run(300)
    board.run(30, casing_c=95.0)
    board.begin()
    board.records.clear()
    board.run(120)
    assert ("sensor_out_of_range", True) in board.events()
    assert files.open_rules(board.folder) == []
    (board.folder / files.OPEN).write_bytes(b'{"x": ')
    assert files.open_rules(board.folder) == []


def test_what_is_wrong_is_remembered_when_it_is_in_the_outbox_and_not_before(board: Board) -> None:
    board.learn()
    board.run(300)
    board.run(30, kept=False, casing_c=95.0)
    assert ("sensor_out_of_range", False) in board.events()
    assert files.open_rules(board.folder) == []
    board.screen.kept()
    assert "out_of_range" in files.open_rules(board.folder)
    board.run(120, kept=False)
    assert ("sensor_out_of_range", True) in board.events()
    assert "out_of_range" in files.open_rules(board.folder), "its end is in no outbox yet"


def test_a_metric_within_its_range_that_no_longer_follows_the_others_makes_suspect_windows(board: Board) -> None:
    board.learn()
    board.run(300)
    board.records.clear()
    modes, _ = pump.rows(7200, 1)
    while modes[board.at] != "working":
        board.run(1)
    board.run(60, pressure_bar=1.9)
    suspect = [record for record in board.records if isinstance(record, Window) and record.suspect]
    assert suspect
    assert set(suspect[0].names) == set(pump.NAMES) - {"litres"}
    assert len(suspect[0].features) == 16
    assert suspect[0].model == (files.read(board.folder) or pump.profile()).name()


@pytest.mark.parametrize("torn", [b"", b"[12", b'[3,"",false,{}]\n{nonsense}\n', b"\x00\x00\x00\n"])
def test_a_kill_while_it_learns_costs_a_minute_at_most(board: Board, torn: bytes) -> None:
    board.run(500)
    path = board.folder / files.JOURNAL
    with path.open("ab") as file:
        file.write(torn)
    board.begin()
    found = Journal(path)
    assert 440 <= found.rows <= 501
    board.learn()
    assert board.at < 3000, "it began from nothing"


def test_a_kill_while_the_profile_is_written_leaves_the_rows(board: Board) -> None:
    board.run(500)
    (board.folder / f".{files.PROFILE}.new").write_bytes(b"half")
    board.begin()
    board.learn()
    assert files.read(board.folder) is not None


def test_it_is_never_learned_again_in_silence_and_again_by_an_act(board: Board, caplog: pytest.LogCaptureFixture) -> None:
    board.learn()
    first = files.read(board.folder)
    board.begin()
    board.run(1500)
    assert files.read(board.folder) == first
    assert not (board.folder / files.JOURNAL).exists()
    assert files.relearn(board.folder)
    with caplog.at_level(logging.INFO, "croody.screen"):
        board.run(120)
    assert "learning what is ordinary" in caplog.text
    assert (board.folder / files.BEFORE).exists()
    assert board.screen.note == "learning"
    board.run(60)
    files.relearn(board.folder)
    board.run(180)
    assert Journal(board.folder / files.JOURNAL).rows < 240, "who asks twice begins twice"


def test_a_damaged_profile_is_refused_with_a_sentence_and_not_replaced(board: Board) -> None:
    board.learn()
    path = board.folder / files.PROFILE
    path.write_bytes(path.read_bytes()[:-10])
    board.begin()
    board.records.clear()
    board.run(200)
    event = board.records[0]
    assert isinstance(event, Event)
    assert (event.code, event.detail["reason"]) == ("screening_stopped", "profile_refused")
    assert "--relearn" in str(event.detail["text"])
    assert board.events() == [("screening_stopped", False)]
    assert board.screen.note == "profile_refused"
    assert not (board.folder / files.JOURNAL).exists()


def test_screening_that_is_off_for_days_is_told_every_six_hours(tmp_path: Path) -> None:
    (tmp_path / files.PROFILE).write_bytes(b"no profile")
    (tmp_path / "sensors.json").write_bytes(b"no card")
    for screen in (LearnedScreen(tmp_path), SensorScreen(tmp_path / "sensors.json")):
        told = [one for minute in range(25 * 60) for one in screen.offer(Reading(data={"temp_c": 20.0}), NOW + 60 * minute)[1]]
        assert [one.code for one in told if isinstance(one, Event)] == ["screening_stopped"] * 5


def test_without_the_graph_each_metric_is_judged_all_the_same(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    board.learn()
    monkeypatch.setattr(together, "SHA256", "0" * 64)
    with pytest.raises(ModelRefused, match="install croody-edge again"):
        Together(pump.profile())
    board.begin()
    board.records.clear()
    board.run(300)
    board.run(30, casing_c=95.0)
    assert board.events()[0] == ("screening_stopped", False)
    assert ("sensor_out_of_range", False) in board.events()


def test_a_full_disk_costs_rows_and_not_memory(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "gone" / "profile.learning")
    row = Row(1.0, ANY_MODE, {"a": 1.0}, False)
    failed = 0
    for _ in range(2000):
        try:
            journal.add(row)
        except FileNotFoundError:
            failed += 1
    assert failed
    assert len(journal._waiting) <= 660


def test_readings_of_several_sources_and_faster_than_a_second_are_rows_of_what_is_new() -> None:
    rows = Rows()
    assert rows.take(Reading(data={"a": 1.0, "on": True, "word": "x"}), NOW) == Row(0.0, "", {"a": 1.0}, False)
    assert rows.take(Reading(data={"b": 2.0}), NOW + 0.4) is None
    assert rows.take(Reading(data={"a": float("nan"), "b": 3}), NOW + 1.0) == Row(1.0, "", {"b": 3.0}, False)
    paused = rows.take(Reading(data={"a": 4.0}, status="docked"), NOW + 500.0)
    assert paused is not None
    assert (paused.mode, paused.paused, paused.t_s < 10) == ("docked", True, True)


def test_the_graph_says_what_numpy_says() -> None:
    import numpy as np

    from croody_edge.screen.learned.inputs import inputs
    from croody_edge.screen.learned.learn import length

    made = pump.profile()
    graph = Together(made)
    _, values = pump.rows(3600)
    window = values[100:116, [pump.NAMES.index(name) for name in made.joint]]
    scale = np.asarray([one.levels[ANY_MODE].spread for one in made.metrics if one.name in made.joint])
    for mode in ("working", "resting", "never seen"):
        one = made.together.get(mode, made.together[ANY_MODE])
        whiten = np.frombuffer(one.whiten, "<f4").reshape(12, 12)
        right = length(inputs(window, scale), np.asarray(one.mean), whiten) / one.limit
        assert graph.score(window, mode) == pytest.approx(min(1.0, 0.5 * float(right)), rel=1e-4)


def test_the_agent_learns_a_robot_that_the_shipped_model_does_not_know_and_beside_it_one_that_it_does(tmp_path: Path) -> None:
    asked: list[bool] = []

    def learned(joint: bool) -> LearnedScreen:
        asked.append(joint)
        return LearnedScreen(tmp_path, joint=joint)

    other = ScreenOnDemand(lambda: None, learned)
    for second in range(10):
        other.offer(Reading(data={"flow_lpm": 3.0}), NOW + second)
    assert (asked, other.note) == ([True], "learning")
    assert Policy().run == 3
