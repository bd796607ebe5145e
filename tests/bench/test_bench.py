"""The bench measures what it says: contenders by turns, medians, and real processes."""

from pathlib import Path

import pytest

from croody_contract.messages import Reading, decode_record
from tools.bench import readings
from tools.bench.__main__ import _chosen
from tools.bench.child import measure
from tools.bench.row import OURS, Row, line, play
from tools.bench.suite import SUITE
from tools.bench.work import wire
from tools.words import Problem


def test_contenders_take_turns_and_nobody_is_always_first():
    order: list[str] = []

    def contender(name: str, value: float) -> float:
        order.append(name)
        return value + len(order)

    row = play("x", "/s", {OURS: lambda: contender("ours", 10), "peer": lambda: contender("peer", 20)}, 3)
    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert row.values == {OURS: [11, 14, 15], "peer": [22, 23, 26]}


def test_a_line_shows_the_median_the_spread_and_our_share_of_each_peer():
    row = Row("things", "/s", {OURS: [1000, 3000, 2000], "peer": [4000, 4000, 1], "other": [500]})
    assert line(row) == "| things | 2,000 /s | 1,000 to 3,000 | peer 4,000 (x 0.50); other 500 (x 4.00) |"
    assert line(Row("alone", "MB", {OURS: [1.234]})) == "| alone | 1.23 MB | 1.23 to 1.23 | - |"


def test_readings_are_valid_different_and_about_as_large_as_the_figures_say():
    records = readings.encoded(50, seed=1)
    assert all(isinstance(decode_record(raw), Reading) for raw in records)
    assert len(set(records)) == 50
    assert 190 < sum(map(len, records)) / 50 < 260


def test_a_name_that_is_no_part_is_refused_with_those_that_are():
    assert _chosen("") == list(SUITE)
    assert _chosen(" path, agent ") == ["path", "agent"]
    with pytest.raises(Problem, match=r"brocker.*agent, ingest, broker, path"):
        _chosen("brocker")


def test_the_load_generators_packets_are_mqtts():
    packet = wire.publish("a/b", b"x" * 200, 513)
    assert packet[:3] == b"\x32\xcf\x01", "PUBLISH at QoS 1, 207 bytes in two length bytes"
    assert packet[3:10] == b"\x00\x03a/b\x02\x01"
    assert wire.puback(packet[3:]) == b"\x40\x02\x02\x01"


@pytest.mark.parametrize("how", ["croody", "bare"])
def test_the_agent_is_measured_in_a_real_process(how: str, tmp_path: Path):
    found = measure("agent", {"how": how, "seconds": 0.3, "folder": str(tmp_path)}, {}, timeout_s=60)
    assert found["rate"] > 1
    assert found["rss_mb"] > 5


def test_a_measurement_that_fails_says_what_it_said(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match=r"(?s)agent: .*NotADirectoryError"):
        measure("agent", {"how": "bare", "seconds": 0.1, "folder": str(tmp_path / "file")}, {}, timeout_s=60)
