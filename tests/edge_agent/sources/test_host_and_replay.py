"""Where readings come from: this machine, and a recording."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from croody_contract.messages import Reading, decode_record, encode
from croody_edge.outbox.encoding import checked
from croody_edge.sources.host import HostSource
from croody_edge.sources.own import from_environment
from croody_edge.sources.replay import EXCERPT, ReplaySource
from croody_edge.sources.replay.settings import ReplaySettings
from croody_edge.variables import BadSetting

NOW = 1_790_000_000.0


def machine(root: Path, **files: str) -> HostSource:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return HostSource(root=root)


def test_this_machine_is_read_and_its_readings_keep_the_contract() -> None:
    source = HostSource()
    source.read(NOW)
    time.sleep(0.1)  # The kernel counts processor time in hundredths of a second.
    second = source.read(NOW + 1)
    assert second is not None
    assert decode_record(encode(second)) == second
    assert 0 <= float(second.data["cpu_pct"]) <= 100
    assert 0 < float(second.data["mem_used_pct"]) < 100
    assert 0 < float(second.data["disk_used_pct"]) <= 100


def test_rates_are_taken_between_two_reads(tmp_path: Path) -> None:
    stat, net = "cpu  100 0 100 700 100 0 0 0 0 0\n", "a\nb\n  eth0: 1000 1 0 0 0 0 0 0 500 1\n    lo: 9 9 9 9 9 9 9 9 9 9\n"
    source = machine(tmp_path, proc__stat=stat, proc__net__dev=net, proc__meminfo="MemTotal: 1000 kB\nMemAvailable: 250 kB\n")
    first = source.read(NOW)
    assert first is not None
    assert "cpu_pct" not in first.data
    assert first.data["mem_used_pct"] == 75.0
    machine(tmp_path, proc__stat="cpu  150 0 100 700 150 0 0 0 0 0\n", proc__net__dev=net.replace("1000", "2000").replace("500", "600"))
    second = source.read(NOW + 2)
    assert second is not None
    assert second.data["cpu_pct"] == 50.0
    assert second.data["net_received_bps"] == 4000.0
    assert second.data["net_sent_bps"] == 400.0
    backwards = source.read(NOW - 3600)
    assert backwards is not None
    assert "cpu_pct" not in backwards.data


def test_the_hottest_zone_is_told_and_nonsense_is_not(tmp_path: Path) -> None:
    zones = {"sys__class__thermal__thermal_zone0__temp": "41500\n", "sys__class__thermal__thermal_zone1__temp": "-274000\n"}
    source = machine(tmp_path, **zones, sys__class__thermal__thermal_zone2__temp="x")
    found = source.read(NOW)
    assert found is not None
    assert found.data["temp_c"] == 41.5


def test_what_a_machine_does_not_have_is_left_out(tmp_path: Path) -> None:
    found = machine(tmp_path).read(NOW)
    assert found is not None
    assert set(found.data) == {"disk_used_pct", "disk_free_bytes"}


def recording(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_recording_plays_at_its_own_pace(tmp_path: Path) -> None:
    path = recording(tmp_path / "r.csv", "t_s,arm_temp_c,ok,note,status", "0,20.5,true,,moving", "2,21,false,hi,idle", "2.5,22,true,,")
    source = ReplaySource(path, loop=False)
    seen = [(at, found) for at in range(60) if (found := source.read(NOW + at / 10)) is not None]
    assert [at for at, _ in seen] == [0, 20, 25]
    assert seen[0][1].data == {"arm_temp_c": 20.5, "ok": True}
    assert seen[1][1].data == {"arm_temp_c": 21, "ok": False, "note": "hi"}
    assert (seen[1][1].status, seen[2][1].status) == ("idle", None)
    assert seen[1][1].ts == datetime.fromtimestamp(NOW + 2, UTC)
    source.close()


def test_a_recording_plays_faster_and_again(tmp_path: Path) -> None:
    path = recording(tmp_path / "r.csv", "t_s,n", "0,1", "10,2")
    source = ReplaySource(path, speed=10, loop=True)
    seen = [found.data["n"] for at in range(40) if (found := source.read(NOW + at / 10)) is not None]
    assert seen == [1, 2, 1, 2, 1, 2, 1, 2][: len(seen)]
    assert len(seen) >= 6
    source.close()


def test_a_recording_is_asked_again_when_its_next_row_is_due(tmp_path: Path) -> None:
    source = ReplaySource(recording(tmp_path / "r.csv", "t_s,n", "0,1", "0.25,2", "9,3"), loop=False)
    now, seen, looks = NOW, [], 0
    while len(seen) < 3:
        found = source.read(now)
        seen += [(round(now - NOW, 2), found.data["n"])] if found is not None else []
        now += source.interval_s
        looks += 1
    assert seen == [(0.0, 1), (0.25, 2), (9.0, 3)]
    assert looks == 11, "and once a second in between, should the clock be set"
    source.close()


def test_a_long_pause_in_a_recording_is_cut(tmp_path: Path) -> None:
    source = ReplaySource(recording(tmp_path / "r.csv", "t_s,n", "0,1", "90000,2"), loop=False)
    assert source.read(NOW)
    assert source.read(NOW + 9.9) is None
    assert source.read(NOW + 10.1)
    source.close()


def test_a_clock_that_jumps_does_not_stop_a_recording(tmp_path: Path) -> None:
    source = ReplaySource(recording(tmp_path / "r.csv", "t_s,n", *(f"{n},{n}" for n in range(50))))
    assert source.read(NOW)
    assert source.read(NOW - 10_000_000)
    assert source.read(NOW + 10_000_000)
    source.close()


@pytest.mark.parametrize(
    ("rows", "said"),
    [(["a,b", "1,2"], "first column is 'a'"), (["ts,b"], "no rows"), ([""], "first column is ''")],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        ReplaySource(recording(tmp_path / "r.csv", *rows))
    with pytest.raises(BadSetting, match="No such file"):
        ReplaySource(tmp_path / "nothing.csv")


def played(path: Path) -> list[Reading]:
    """Every row, as the agent keeps it."""
    source = ReplaySource(path, speed=1000, loop=False)
    found = [one for at in range(40) if (one := source.read(NOW + at)) is not None]
    source.close()
    for one in found:
        checked(one)
    return found


def test_a_cell_that_is_no_number_costs_the_cell_and_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "r.csv"
    path.write_text("t_s,temp_c,hum_pct\n0,21.5,40\n1,nan,41\n2,22.0,18446744073709551615\n3,-inf,1e400\n4,NaN,42\n", encoding="utf-8")
    assert [one.data for one in played(path)] == [
        {"temp_c": 21.5, "hum_pct": 40},
        {"hum_pct": 41},
        {"temp_c": 22.0},
        {},
        {"hum_pct": 42},
    ]
    lines = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert len(lines) == 2
    assert "temp_c" in lines[0]
    assert "nan" in lines[0]
    assert "18446744073709551615" in lines[1]


def test_of_two_columns_of_one_name_none_wins(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="called a: give each its own name"):
        ReplaySource(recording(tmp_path / "twice.csv", "t_s,a,b,a", "0,1,2,3"))


def test_cells_beyond_the_head_are_left_out_and_that_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = played(recording(tmp_path / "comma.csv", "t_s,temp_c", "0,21,5", "1,22,5", "2,23"))
    assert [row.data for row in rows] == [{"temp_c": 21}, {"temp_c": 22}, {"temp_c": 23}]
    [said] = [record.getMessage() for record in caplog.records]
    assert "comma.csv" in said
    assert " 2" in said
    assert "5" in said


def test_a_byte_order_mark_is_passed_over_and_a_serial_number_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes("\ufefft_s,serial,temp_c,zero,half,name\n0,00123,21.5,0,0.5,1_000\n".encode())
    assert [one.data for one in played(path)] == [{"serial": "00123", "temp_c": 21.5, "zero": 0, "half": 0.5, "name": "1_000"}]


def test_whatever_a_column_holds_the_others_of_its_row_go(tmp_path: Path) -> None:
    long, wide = "x" * 2000, ",".join(f"m{number}" for number in range(300))
    path = tmp_path / "r.csv"
    path.write_text(f"t_s,status,{'n' * 65},text,,{wide}\n0,{long},1,{long},2,{','.join(['3'] * 300)}\n", encoding="utf-8")
    [one] = played(path)
    assert one.status is None
    assert len(one.data) == 256
    assert set(one.data.values()) == {3}


@pytest.mark.parametrize("ts", ["1790000000", "1790000000123", "1712121012345", "2026-11-24T10:00:00", "nan"])
def test_a_time_that_is_none_costs_its_row_and_names_the_column_for_numbers(tmp_path: Path, ts: str) -> None:
    source = ReplaySource(recording(tmp_path / "r.csv", "ts,a", "2026-11-24T10:00:00Z,1", f"{ts},2", "2026-11-24T10:00:02Z,3"), loop=False)
    with pytest.raises(OSError, match="t_s"):
        source.read(NOW)
    found = [one.data["a"] for at in range(40) if (one := source.read(NOW + at)) is not None]
    assert found == [1, 3]
    source.close()
    with pytest.raises(BadSetting, match="no time"):
        ReplaySource(recording(tmp_path / "s.csv", "t_s,a", "nan,1"))


def test_the_excerpt_that_ships_is_real_small_and_attributed() -> None:
    assert 100_000 < EXCERPT.stat().st_size <= 1_000_000
    assert "CC BY 4.0" in EXCERPT.with_name("ATTRIBUTION.md").read_text(encoding="utf-8")
    source = ReplaySource(EXCERPT, speed=1000)
    readings = [found for at in range(3000) if (found := source.read(NOW + at / 50)) is not None]
    assert len(readings) > 2000
    for found in readings:
        assert decode_record(encode(found)) == found
    assert {found.status for found in readings} == {"working", "blocked"}
    temperatures = [float(found.data["joint0_temp_c"]) for found in readings if "joint0_temp_c" in found.data]
    assert 25 < min(temperatures) < max(temperatures) < 45
    source.close()


def test_what_replay_may_be_told_is_read_with_its_rules(tmp_path: Path) -> None:
    told = told_by({"CROODY_REPLAY_FILE": str(tmp_path), "CROODY_REPLAY_SPEED": "10", "CROODY_REPLAY_LOOP": "no"})
    assert (told.file, told.speed, told.loop) == (tmp_path, 10.0, False)
    with pytest.raises(BadSetting, match="CROODY_REPLAY_LOOP is 'maybe': it must be 1 or 0"):
        told_by({"CROODY_REPLAY_LOOP": "maybe"})


def told_by(environ: dict[str, str]) -> ReplaySettings:
    return from_environment(ReplaySettings, environ, "CROODY_REPLAY", {})
