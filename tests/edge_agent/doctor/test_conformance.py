"""`croody-edge check-source` finds what is wrong with a source: sources that are wrong in one way each, really run."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import Any

import pytest

from croody_contract.messages import MetricInfo, Reading
from croody_edge.doctor.conformance import check, describe, judge, watch
from croody_edge.sources import HandOver, Source
from croody_edge.sources.rack import Configured

Says = Callable[[int], dict[str, Any]]


class Asked:
    interval_s = 0.03

    def __init__(self, says: Says, ts: datetime | None = None) -> None:
        self.says, self.ts, self.count = says, ts, 0

    def read(self, now: float) -> Reading:
        self.count += 1
        return Reading(data=self.says(self.count), ts=self.ts)

    def close(self) -> None:
        pass


class Hangs(Asked):
    def read(self, now: float) -> Reading:
        time.sleep(20)
        return super().read(now)


class GoesOn:
    """Its thread does not care about `close`."""

    def start(self, hand_over: HandOver) -> None:
        def speak() -> None:
            for number in range(600):
                hand_over(Reading({"n": number}))
                time.sleep(0.02)

        threading.Thread(target=speak, name="goes-on", daemon=True).start()

    def close(self) -> None:
        pass


class Floods:
    def start(self, hand_over: HandOver) -> None:
        self.ending = threading.Event()

        def speak() -> None:
            while not self.ending.is_set():
                for number in range(3000):
                    hand_over(Reading({"n": number}))
                time.sleep(0.01)

        self.thread = threading.Thread(target=speak, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.ending.set()
        self.thread.join(5)


def found(source: Source, seconds: float = 0.5, *, away: bool = False) -> dict[str, tuple[str, str]]:
    one = Configured("it", lambda: source, infos=(MetricInfo("n"),))
    seen = watch(one, seconds)
    return {finding.check: (finding.state, finding.said) for finding in [*judge(seen, away=away), *describe(one, seen)]}


def test_a_good_source_breaks_no_rule() -> None:
    said = found(Asked(lambda n: {"n": n}))
    assert {state for state, _ in said.values()} == {"ok"}
    assert {"records", "end", "rate", "names", "types"} <= set(said)


@pytest.mark.parametrize(
    ("source", "check", "words"),
    [
        (Asked(lambda n: {"temp °": n}), "names", "a metric is called 'temp °'"),
        (Asked(lambda n: {f"m{n}_{i}": i for i in range(30)}), "names", "names: a robot has up to 256"),
        (Asked(lambda n: {"n": n if n % 2 else "none"}), "types", "n is of one type now"),
        (Asked(lambda n: {"n": n}, datetime(2001, 1, 1, tzinfo=UTC)), "times", "2001-01-01"),
        (GoesOn(), "end", "goes-on"),
        (Floods(), "rate", "were lost"),
        (Hangs(lambda n: {}), "end", "it does not end in 5 s"),
    ],
    ids=["odd name", "names without end", "types that change", "clock", "goes on", "too fast", "hangs"],
)
def test_each_broken_rule_is_said(source: Source, check: str, words: str) -> None:
    state, said = found(source)[check]
    assert (state, words in said) == ("wrong", True), said


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_one_that_dies_says_of_what() -> None:
    def fails(n: int) -> dict[str, Any]:
        raise KeyError("voltage")

    assert found(Asked(fails))["begin"] == ("wrong", "KeyError: 'voltage'")


def test_what_is_left_out_is_worth_a_look_and_breaks_no_rule() -> None:
    said = found(Asked(lambda n: {"n": n, "bad": nan}))
    assert said["values"][0] == "skipped"
    assert "wrong" not in {state for state, _ in said.values()}


def test_a_peer_that_is_away_has_to_be_said() -> None:
    def away(n: int) -> dict[str, Any]:
        raise OSError("no such device")

    assert found(Asked(away), away=True)["away"] == ("ok", "no such device")
    assert found(Asked(lambda n: {"n": n}), away=True)["away"][0] == "wrong"


def test_a_folder_without_new_files_is_no_fault_and_is_told_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(f'[source.in]\nkind = "files"\ninterval_s = 0.05\npath = "{tmp_path}/in/*.jsonl"\n')

    def of(*, away: bool) -> dict[str, tuple[str, str]]:
        findings = check({"CROODY_SOURCES": str(file)}, "in", seconds=0.3, away=away)
        return {finding.check: (finding.state, finding.said) for finding in findings}

    nothing = of(away=False)
    assert nothing["records"][0] == of(away=True)["away"][0] == "skipped"
    assert "write a line" in nothing["records"][1]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text('{"ts": "2001-01-01T00:00:00Z", "temp_c": 1}\n')
    old = of(away=False)
    assert old["records"][0] == "ok"
    assert old["times"][0] == old["again"][0] == "skipped", "of days gone by, and read to the end"
    assert "wrong" not in {state for state, _ in (nothing | old).values()}
    file.write_text(f'[source.in]\nkind = "files"\npath = "{tmp_path}/gone.jsonl"\n')
    assert of(away=False)["begin"][0] == "wrong", "one file by its name is away"
    assert of(away=True)["away"][0] == "ok"
