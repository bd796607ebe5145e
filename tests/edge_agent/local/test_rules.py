"""Rules on the board: when one begins and ends, what is wrong with one, and what it costs over weeks."""

import json
from pathlib import Path

import pytest

from croody_contract.messages import Reading, Value, encode
from croody_edge.cli import main
from croody_edge.doctor import parts
from croody_edge.local.life import Life
from croody_edge.local.rules.config import read
from croody_edge.local.rules.keeper import FILE, Act, Rules
from croody_edge.local.rules.rule import Rule
from tests.edge_agent.doubles import settings

NOW = 1_790_000_000.0
WEEK_S = 7 * 86400


class Played:
    """Rules, and a clock that is a number."""

    def __init__(self, folder: Path | None = None, at_s: float = 0.0, **rules: Rule) -> None:
        self.rules, self.at_s = Rules(rules, folder, at_s), at_s

    def reads(self, value: Value | None, after_s: float = 1.0, metric: str = "temp_c") -> list[Act]:
        """A reading a little later; None is one without the metric."""
        self.at_s += after_s
        acts = self.rules.saw({} if value is None else {metric: value}, NOW + self.at_s, self.at_s)
        return acts + self.rules.passed(NOW + self.at_s, self.at_s)


def turns(acts: list[Act]) -> list[str]:
    return [act.turn for act in acts]


def test_a_rule_begins_over_its_limit_and_ends_where_it_says() -> None:
    hot = Played(hot=Rule(metric="temp_c", above=60, until=55))
    assert [turns(hot.reads(value)) for value in (60, 60.1, 58, 61, 55, 58)] == [[], ["begin"], [], [], ["over"], []]


def test_a_rule_below_a_limit_is_its_mirror() -> None:
    low = Played(low=Rule(metric="battery_pct", below=20, until=25))
    assert [turns(low.reads(value, 60, "battery_pct")) for value in (20, 19, 24, 25, 19)] == [[], ["begin"], [], ["over"], ["begin"]]


def test_a_rule_with_a_duration_wants_every_reading_for_so_long_to_find_it_so() -> None:
    hot = Played(hot=Rule(metric="temp_c", above=60, for_s=10))
    assert [turns(hot.reads(61, 5)) for _ in range(2)] == [[], []]
    assert hot.reads(59, 1) == []
    assert [turns(hot.reads(61, 5)) for _ in range(3)] == [[], [], ["begin"]]


def test_a_metric_that_is_away_is_noticed_without_a_reading_and_its_return_ends_it() -> None:
    gone = Played(gone=Rule(metric="temp_c", absent_s=30))
    assert gone.reads("a word is there too", 29) == gone.reads(None, 29) == []
    (act,) = gone.reads(None, 1)
    assert (act.turn, act.value) == ("begin", 30)
    assert act.event is not None
    assert act.event.detail == {"metric": "temp_c", "absent_s": 30, "limit": 30.0, "rule": "gone"}
    assert gone.reads(None, 3600) == []
    assert turns(gone.reads(1)) == ["over"]


def test_a_switch_is_one_or_nothing_and_a_word_is_no_number() -> None:
    stop = Played(stop=Rule(metric="temp_c", above=0.5))
    assert [turns(stop.reads(value)) for value in ("yes", True, "no", False)] == [[], ["begin"], [], ["over"]]


def test_what_begins_and_ends_is_an_event_of_one_code_for_the_cloud() -> None:
    hot = Played(**{"motor-hot": Rule(metric="temp_c", above=60, severity="high")})
    (began,), (ended,) = hot.reads(61), hot.reads(3)
    assert began.event is not None
    assert ended.event is not None
    assert (began.event.code, began.event.severity, began.event.over) == ("motor_hot", "high", False)
    assert began.event.detail == {"temp_c": 61, "limit": 60.0, "rule": "motor-hot"}
    assert (ended.event.code, ended.event.over) == ("motor_hot", True)
    silent = Played(hot=Rule(metric="temp_c", above=60, event=False))
    assert [act.event for act in silent.reads(61)] == [None]


def test_three_weeks_of_a_flickering_metric_cost_the_outbox_a_few_megabytes_and_every_turn_is_acted_on() -> None:
    flicker = Played(hot=Rule(metric="temp_c", above=60, again_s=20))
    acts = [act for _ in range(3 * WEEK_S // 20) for act in (*flicker.reads(61, 10), *flicker.reads(59, 10))]
    assert len(acts) == 2 * 3 * WEEK_S // 20
    told = [act.event for act in acts if act.event is not None]
    assert 2 * 21 * 144 <= len(told) <= 2 * (21 * 144 + 20)
    assert sum(len(encode(event)) for event in told) < 2_000_000
    begun = sum(not event.over for event in told)
    untold = sum(int(event.detail.get("not_told", 0)) for event in told)
    assert 0 <= len(acts) // 2 - begun - untold <= 30


def test_what_still_holds_is_told_late_when_it_was_too_much_before() -> None:
    flicker = Played(hot=Rule(metric="temp_c", above=60, again_s=1))
    acts = [act for _ in range(30) for act in (*flicker.reads(61), *flicker.reads(59))]
    (last,) = flicker.reads(61)
    assert sum(act.event is not None for act in acts) == 40
    assert last.event is None
    assert flicker.rules.late(NOW, flicker.at_s) == []
    (event,) = flicker.rules.late(NOW, flicker.at_s + 600)
    assert (event.over, event.detail["temp_c"], event.detail["not_told"]) == (False, 61, 10)
    assert [act.event is not None for act in flicker.reads(59)] == [True]


def test_a_rule_that_holds_is_remembered_over_a_start_and_one_that_is_gone_ends(tmp_path: Path) -> None:
    rules = {"hot": Rule(metric="temp_c", above=60), "wet": Rule(metric="hum_pct", above=90)}
    before = Played(tmp_path, **rules)
    before.reads(61)
    before.reads(95, metric="hum_pct")
    assert not (tmp_path / FILE).exists(), "nothing is told before it is in the outbox"
    before.rules.save()
    after = Played(tmp_path, hot=rules["hot"])
    (end,) = after.rules.forgotten(NOW)
    assert (end.code, end.over) == ("wet", True)
    assert [one.code for one in Played(tmp_path, hot=rules["hot"]).rules.forgotten(NOW)] == ["wet"], "killed before that was kept"
    assert [turns(after.reads(value)) for value in (61, 59)] == [[], ["over"]]
    after.rules.save()
    assert Played(tmp_path, hot=rules["hot"]).rules.forgotten(NOW) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'{"hot": 3}', b"\xff\xfe"])
def test_a_damaged_memory_costs_what_it_remembered(tmp_path: Path, body: bytes) -> None:
    (tmp_path / FILE).write_bytes(body)
    hot = Played(tmp_path, hot=Rule(metric="temp_c", above=60))
    assert turns(hot.reads(61)) == ["begin"]


WRONG = {
    'metric = "a"': "exactly one of these: above, below, absent_s",
    'metric = "a"\nabove = 1\nbelow = 0': "exactly one of these",
    'metric = "a"\nabove = "hot"': "above is 'hot': it must be a number",
    'metric = "a"\nabove = nan': "above is nan: it must be a number",
    'metric = "a"\nabove = 1\nuntil = 2': "until = 2",
    'metric = "a"\nbelow = 1\nuntil = 0': "until = 0",
    'metric = "a"\nabsent_s = 0': "absent_s is 0",
    'metric = "a"\nabsent_s = 10\nuntil = 1': "until = 1",
    "above = 1": "metric is missing",
    'metric = "a"\nabov = 1': "abov: there is no such setting",
    'metric = "a"\nabove = 1\nagain_s = 0': "again_s is 0",
    'metric = "a"\nabove = 1\nseverity = "bad"': "severity is 'bad'",
    'metric = "a"\nabove = 1\ncode = "Hot!"': "'Hot!' cannot be the word",
    'metric = "a"\nabove = 1\ncode = "source_failed"': "a word of the agent's own",
    'metric = "a"\nabove = 1\nwebhook = "ftp://a/"': "webhook must be like http://",
    'metric = "a"\nabove = 1\nwebhook = "http://me:secret@a/"': "no name or password",
    'metric = "a"\nabove = 1\nwebhook = "http://a:99999/"': "webhook must be like",
    'metric = "a"\nabove = 1\ncommand = ["beep"]': "the whole path of a program",
    'metric = "a"\nabove = 1\ncommand = "beep"': "command is 'beep'",
    'metric = "a"\nabove = 1\ntoken_file = "/none"': "token_file",
}


@pytest.mark.parametrize("table", WRONG)
def test_a_wrong_rule_is_named_with_its_line_value_and_rule_and_costs_no_other(tmp_path: Path, table: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(f'[rule.right]\nmetric = "a"\nabove = 1\n\n[rule.wrong]\n{table}\n\n[rule.after]\nmetric = "b"\nbelow = 1\n')
    written = read(file, hooks=True)
    assert list(written.rules) == ["right", "after"]
    (problem,) = written.problems
    assert problem.startswith("rules.toml:5 [rule.wrong]")
    assert WRONG[table] in problem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("[rule.a\n", "line 1"),
        ("rules = 1\n", "'rules' is not"),
        ("[rule]\na = 1\n", "[rule.NAME]"),
        ("x = " + "[" * 100_000, "cannot be read"),
        ("\n".join(f'[rule.r{n}]\nmetric = "a"\nabove = 1' for n in range(65)), "64 fit"),
        ("#" * 1_100_000, "cannot be read"),
    ],
)
def test_a_file_that_is_none_says_so_and_nothing_stops(tmp_path: Path, body: str, said: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(body)
    written = read(file, hooks=False)
    assert not written.rules
    assert said in written.problems[0]
    assert read(tmp_path / "none.toml", hooks=False).problems == []


def test_the_doctor_names_a_wrong_rule_and_says_nothing_where_there_are_none(tmp_path: Path) -> None:
    robot = settings(tmp_path)
    assert list(parts.rules(robot)) == []
    (tmp_path / "rules.toml").write_text('[rule.right]\nmetric = "a"\nabove = 1\n[rule.wrong]\nmetric = "a"\n')
    assert [(one.state, "[rule.wrong]" in one.said) for one in parts.rules(robot)] == [("wrong", True), ("ok", False)]


def test_rules_are_played_on_a_robots_own_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writers = pytest.importorskip("mcap_ros2.writer", reason="a tool of the tests")
    with (tmp_path / "day.mcap").open("wb") as stream:
        writer = writers.Writer(stream)
        header = "MSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n"
        parts = (
            "std_msgs/Header header\nfloat64 temperature\nfloat64 variance\n",
            header,
            "MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n",
        )
        kind = writer.register_msgdef("sensor_msgs/msg/Temperature", ("=" * 80 + "\n").join(parts))
        for second in range(20):
            message = {"header": {"frame_id": ""}, "temperature": 31.0 if 5 <= second < 10 else 25.0, "variance": 0.0}
            writer.write_message("/motor", kind, message, (1_700_000_000 + second) * 10**9)
        writer.finish()
    rules = tmp_path / "rules.toml"
    rules.write_text('[rule.hot]\nmetric = "temp_c"\nabove = 30\n[rule.typo]\nmetric = "x"\nabove = 1\n')
    assert main(["check-rules", str(rules), "--recording", str(tmp_path / "day.mcap")]) == 0
    said = capsys.readouterr().out
    assert "20 readings, 19 s of recording" in said
    assert "hot: beginnings: 1" in said
    assert "2023-11-14T22:13:25+00:00 rule hot: begins" in said
    assert "typo: the recording has no metric x" in said
    torn = tmp_path / "torn.mcap"
    torn.write_bytes((tmp_path / "day.mcap").read_bytes()[:900])
    assert main(["check-rules", str(rules), "--recording", str(torn)]) in (0, 78)
    torn.write_bytes(b"no recording")
    assert main(["check-rules", str(rules), "--recording", str(torn)]) == 78


def test_rules_are_played_on_a_recording_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules, csv, lines = tmp_path / "rules.toml", tmp_path / "day.csv", tmp_path / "day.jsonl"
    rules.write_text(
        '[rule.hot]\nmetric = "temp_c"\nabove = 30\n[rule.gone]\nmetric = "hum_pct"\nabsent_s = 20\n'
        '[rule.typo]\nmetric = "tmp"\nabove = 1\n'
    )
    rows = [(second, 31 if 10 <= second < 60 else 25, "" if 30 < second < 70 else 50) for second in range(100)]
    csv.write_text("t_s,temp_c,hum_pct\n" + "".join(f"{at},{temp},{hum}\n" for at, temp, hum in rows))
    lines.write_text(
        "".join(
            json.dumps({"ts": f"2026-03-01T10:{at // 60:02}:{at % 60:02}Z", "temp_c": temp} | ({"hum_pct": hum} if hum else {})) + "\n"
            for at, temp, hum in rows
        )
    )
    found = []
    for recording in (csv, lines):
        assert main(["check-rules", str(rules), "--recording", str(recording), "--json"]) == 0
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        found.append([(one["at_s"] - said[0]["at_s"] + 10, one["rule"], one["state"]) for one in said])
    assert found == [[(10, "hot", "begin"), (50, "gone", "begin"), (60, "hot", "over"), (70, "gone", "over")]] * 2
    assert main(["check-rules", str(rules), "--recording", str(csv)]) == 0
    assert "typo: the recording has no metric tmp: check its name" in capsys.readouterr().out
    assert main(["check-rules", str(rules), "--recording", str(tmp_path / "none.csv")]) == 78
    assert main(["check-rules", str(tmp_path / "none.toml")]) == 1


def test_two_rules_with_one_word_are_not_used_for_one_would_end_the_others_alarm(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    rule = 'metric = "temp_c"\nabove = 60\n'
    file.write_text(f'[rule.too-hot]\n{rule}[rule.too_hot]\n{rule}[rule.other]\n{rule}code = "too_hot"\n[rule.cold]\n{rule}')
    written = read(file, hooks=False)
    assert list(written.rules) == ["too-hot", "cold"]
    assert [problem.partition(" [")[0] for problem in written.problems] == ["rules.toml:4", "rules.toml:7"]
    assert all("'too_hot'" in problem and "too-hot" in problem for problem in written.problems)


@pytest.mark.parametrize("begin", ["\ufeff", "\n" * 60_000])
def test_a_file_is_read_as_editors_save_it(tmp_path: Path, begin: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(begin + "".join(f'[rule.hot{number}]\nmetric = "temp_c"\nabove = 60\n' for number in range(40)), encoding="utf-8")
    written = read(file, hooks=False)
    assert (len(written.rules), written.problems) == (40, [])


def test_a_rule_that_holds_for_days_is_told_every_six_hours_and_acted_on_once() -> None:
    hot = Played(hot=Rule(metric="temp_c", above=60, until=55), gone=Rule(metric="hum_pct", absent_s=30))
    told, acts = [], []
    for minute in range(25 * 60):
        acts += hot.reads(58 if minute else 61, 60)
        told += [*hot.rules.again(NOW, hot.at_s), *hot.rules.again(NOW, hot.at_s)]
    assert turns(acts) == ["begin", "begin"]
    assert sorted(event.code for event in told) == ["gone"] * 4 + ["hot"] * 4
    hot.reads(50)
    hot.reads(1, metric="hum_pct")
    assert hot.rules.again(NOW, hot.at_s + WEEK_S) == []


def test_a_rule_that_held_before_the_start_is_told_again_once_it_is_found_so(tmp_path: Path) -> None:
    rules = {"hot": Rule(metric="temp_c", above=60), "gone": Rule(metric="hum_pct", absent_s=30)}
    before = Played(tmp_path, **rules)
    before.reads(61, 40)
    before.rules.save()
    after = Played(tmp_path, **rules)
    assert after.rules.again(NOW, 1) == []
    assert after.reads(61) == []
    (event,) = after.rules.again(NOW, after.at_s)
    assert (event.detail["temp_c"], event.over) == (61, False)
    (event,) = after.rules.again(NOW, after.at_s + 40)
    assert event.detail["absent_s"] == 41


def test_the_cloud_is_told_once_a_turn_of_what_still_holds(tmp_path: Path) -> None:
    life = Life("rover-1", Rules({"hot": Rule(metric="temp_c", above=60)}, tmp_path, 0.0), tmp_path / "rules.toml")
    told = []
    for minute in range(13 * 60):
        life.saw([Reading(data={"temp_c": 61})], NOW, 60.0 * minute)
        told += life.take(NOW, 60.0 * minute)
    life.close()
    assert [(event.code, event.over) for event in told] == [("hot", False)] * 3
