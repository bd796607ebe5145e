"""Captures -> incidents: who did what, since when, against which limit; what is ordinary; and the command line."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from croody_contract.flows import calibration, live
from croody_contract.flows.capture import Frame
from croody_contract.flows.incidents import Incident, Incidents
from croody_contract.flows.meter import Look, Meter
from tests.contract.frames import SECOND, START, Wire, arp, mac_of, mqtt_connect, pcap, pcapng

ROBOT, BROKER, THIEF = "10.0.0.1", "10.0.0.2", "10.0.0.9"


def looks(frames: list[Frame]) -> list[Look]:
    meter = Meter()
    return [look for frame in frames for look in meter.take(frame)] + list(meter.end())


def found_in(frames: list[Frame], maxima: calibration.Maxima | None = None) -> list[Incident]:
    incidents = Incidents(maxima)
    return [incident for look in looks(frames) for incident in incidents.take(look)] + incidents.end()


def ordinary(wire: Wire, seconds: int, publishes: int = 5) -> None:
    """A robot that publishes, reconnects now and then, and a clock that is asked for on the link."""
    wire.opened(ROBOT, 40_000, BROKER, 1883)
    wire.said(ROBOT, 40_000, BROKER, 1883, mqtt_connect("robot-1", "right"))
    wire.said(BROKER, 1883, ROBOT, 40_000, b"\x20\x02\x00\x00")
    for second in range(seconds):
        for _ in range(publishes):
            wire.said(ROBOT, 40_000, BROKER, 1883, b"\x32\x10" + b"x" * 16)
        if second % 30 == 0:
            port = 41_000 + second
            wire.opened(ROBOT, port, BROKER, 1883)
            wire.said(ROBOT, port, BROKER, 1883, mqtt_connect("robot-1", "right"))
            wire.said(BROKER, 1883, ROBOT, port, b"\x20\x02\x00\x00")
            wire.put(arp(mac_of(ROBOT), ROBOT, BROKER))
        wire.wait(1 - publishes * 0.001)


def scan(wire: Wire, thief: str = THIEF, ports: int = 40) -> None:
    for port in range(1, ports + 1):
        wire.refused(thief, 50_000, BROKER, port)


def test_ordinary_traffic_is_no_incident() -> None:
    wire = Wire([])
    ordinary(wire, 120)
    assert found_in(wire.frames) == []


def test_a_scan_and_then_guesses_are_one_incident_of_who_did_both_with_each_limit() -> None:
    wire = Wire([])
    ordinary(wire, 10)
    begun = wire.at
    scan(wire)
    for number in range(10):
        wire.opened(THIEF, 51_000 + number, BROKER, 1883)
        wire.said(THIEF, 51_000 + number, BROKER, 1883, mqtt_connect("robot-1", f"guess-{number}"))
        wire.said(BROKER, 1883, THIEF, 51_000 + number, b"\x20\x02\x00\x05")
    ordinary(wire, 5)
    (incident,) = found_in(wire.frames)
    assert (incident.offender, incident.severity, incident.beside) == (THIEF, "high", {BROKER})
    assert incident.codes[:2] == ["mqtt_guessing", "port_scan"]
    assert (incident.evidence["port_scan"].value, incident.evidence["port_scan"].limit) == (40, 10)
    assert incident.first_ns - (START + begun * 1e9) < 2e9, "within two seconds of its first packet"


def test_two_quiet_minutes_end_an_incident() -> None:
    wire = Wire([])
    scan(wire)
    wire.wait(60)
    scan(wire)
    wire.wait(200)
    scan(wire)
    assert [incident.offender for incident in found_in(wire.frames)] == [THIEF, THIEF]


def test_what_a_site_does_every_day_is_no_incident_there_and_what_is_twice_as_much_is() -> None:
    wire = Wire([])
    ordinary(wire, 260, publishes=250)
    assert found_in(wire.frames), "beyond the floor"
    with pytest.raises(calibration.Refused, match="mqtt_flood"):
        calibration.measure(looks(wire.frames))
    calm = Wire([])
    ordinary(calm, 260, publishes=190)
    maxima = calibration.measure(looks(calm.frames)).maxima
    assert found_in(wire.frames, maxima) == []
    loud = Wire([])
    ordinary(loud, 20, publishes=420)
    assert [incident.codes for incident in found_in(loud.frames, maxima)] == [["mqtt_flood"]]


def test_a_filter_that_asks_for_everything_counts_only_where_the_site_is_known_to_have_none() -> None:
    wire = Wire([])
    wire.opened(THIEF, 40_000, BROKER, 1883)
    wire.said(THIEF, 40_000, BROKER, 1883, mqtt_connect("robot-1", "right"))
    wire.said(THIEF, 40_000, BROKER, 1883, b"\x82\x06\x00\x01\x00\x01#\x00")
    calm = Wire([])
    ordinary(calm, 260)
    assert found_in(wire.frames) == []
    (incident,) = found_in(wire.frames, calibration.measure(looks(calm.frames)).maxima)
    assert incident.codes == ["mqtt_listening"]


@pytest.mark.parametrize(("seconds", "stray", "reason"), [(120, False, "needs 240 s or more"), (260, True, "10.0.0.9: port_scan")])
def test_a_calibration_that_is_too_short_or_has_strays_is_refused(seconds: int, stray: bool, reason: str) -> None:
    wire = Wire([])
    ordinary(wire, seconds)
    if stray:
        scan(wire)
        scan(wire, "10.0.0.8")
        ordinary(wire, 2)
    with pytest.raises(calibration.Refused, match=reason):
        calibration.measure(looks(wire.frames))


def test_one_device_that_is_not_ordinary_is_left_out_and_held_to_what_the_others_do() -> None:
    calm, wire = Wire([]), Wire([])
    ordinary(calm, 262)
    ordinary(wire, 260)
    scan(wire)
    ordinary(wire, 2)
    measured = calibration.measure(looks(wire.frames))
    assert measured.left_out is not None
    assert measured.left_out[0] == THIEF
    assert measured.maxima["failed_ports"] == {"10": 0, "60": 0}
    assert [incident.offender for incident in found_in(wire.frames, measured.maxima)] == [THIEF]


@pytest.mark.parametrize("text", ["", "m", "3m", "239s", "25h", "-5m", "1e9", "15 m", "\u0661\u0665m"])
def test_a_time_to_listen_that_is_none_or_too_short_is_refused(text: str) -> None:
    with pytest.raises(calibration.Refused):
        live.seconds_of(text)
    assert [live.seconds_of(good) for good in ("15m", "900s", "900", "1h")] == [900, 900, 900, 3600]


def test_what_is_listened_to_is_measured_as_a_capture_of_it_is() -> None:
    wire = Wire([])
    ordinary(wire, 260)
    left, now_ns = list(wire.frames), START

    def clock() -> int:
        return now_ns

    def frames(within_s: float) -> Iterator[tuple[bytes, int]]:
        nonlocal now_ns
        until_ns = now_ns + int(within_s * SECOND)
        while left and left[0].at_ns <= until_ns:
            frame = left.pop(0)
            now_ns = max(now_ns, frame.at_ns)
            yield frame.data, frame.length
        now_ns = until_ns

    heard = live.Listening(frames, clock, 262)
    assert calibration.measure(heard.looks()) == calibration.measure(looks(wire.frames))
    assert len(heard.digest) == 32


# The command line


def typed(*arguments: str | Path) -> str:
    out = StringIO()
    call_command("ids", *(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def test_a_calibration_is_kept_with_its_date_and_what_it_was_made_of_and_is_used(tmp_path: Path) -> None:
    wire, attack = Wire([]), Wire([])
    ordinary(wire, 260)
    scan(attack)
    (tmp_path / "calm.pcap").write_bytes(pcap(wire.frames))
    (tmp_path / "attack.pcapng").write_bytes(pcapng(attack.frames))
    said = typed("calibrate", "--pcap", tmp_path / "calm.pcap", "--out", tmp_path / "site.json")
    assert "mqtt_flood" in said
    kept = json.loads((tmp_path / "site.json").read_text())
    assert kept["made_of"]["calm.pcap"].startswith("sha256:")
    line = typed("incidents", "--pcap", tmp_path / "attack.pcapng", "--calibration", tmp_path / "site.json", "--json")
    incident = json.loads(line)
    assert (incident["offender"], incident["kinds"]) == (THIEF, ["port_scan", "slow_port_scan", "spread"])
    assert incident["evidence"][0]["ordinary_most"] == 0
    assert THIEF in typed("incidents", "--pcap", tmp_path / "attack.pcapng")


def test_a_second_measurement_is_added_and_the_higher_counts_in_the_cloud_and_on_a_board(tmp_path: Path) -> None:
    from croody_edge.cli import main

    for name, publishes in (("monday", 190), ("tuesday", 50)):
        wire = Wire([])
        ordinary(wire, 260, publishes=publishes)
        (tmp_path / f"{name}.pcap").write_bytes(pcap(wire.frames))
    made = []
    for out in ("cloud.json", "board.json"):
        for name in ("monday", "tuesday"):
            given = ["calibrate", "--pcap", str(tmp_path / f"{name}.pcap"), "--out", str(tmp_path / out), "--merge"]
            assert typed(*given) if out == "cloud.json" else main(given) == 0
        kept = json.loads((tmp_path / out).read_text())
        made.append((kept["maxima"], kept["made_of"]))
    assert made[0] == made[1]
    assert list(made[0][1]) == ["monday.pcap", "tuesday.pcap"]
    assert made[0][0]["mqtt_publishes"]["10"] >= 1_900
    assert main(["calibrate", "--live", "3m", "--out", str(tmp_path / "short.json")]) == 1
    assert not (tmp_path / "short.json").exists()


def test_a_board_says_the_same_without_a_cloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from croody_edge.cli import main

    attack = Wire([])
    scan(attack)
    (tmp_path / "attack.pcap").write_bytes(pcap(attack.frames))
    assert main(["screen", "--pcap", str(tmp_path / "attack.pcap"), "--json"]) == 0
    line = capsys.readouterr().out
    assert line == typed("incidents", "--pcap", tmp_path / "attack.pcap", "--json")
    (tmp_path / "damaged.json").write_text("{")
    for arguments in (["--pcap", __file__], ["--pcap", str(tmp_path / "attack.pcap"), "--calibration", str(tmp_path / "damaged.json")]):
        assert main(["screen", *arguments]) == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2}', '{"version": 1, "maxima": {"a": 3}}', "\0"])
def test_a_damaged_calibration_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / "site.json").write_text(text)
    (tmp_path / "a.pcap").write_bytes(pcap([]))
    with pytest.raises(CommandError, match="croody ids calibrate"):
        typed("incidents", "--pcap", tmp_path / "a.pcap", "--calibration", tmp_path / "site.json")


def test_what_is_no_capture_or_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "picture.gif").write_bytes(b"GIF89a")
    for path, reason in ((tmp_path / "picture.gif", "expected a pcap"), (tmp_path / "nothing.pcap", "No such file")):
        with pytest.raises(CommandError, match=reason):
            typed("incidents", "--pcap", path)


@pytest.mark.parametrize("made_at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_calibration_of_a_time_that_no_database_holds_is_refused(made_at: str) -> None:
    text = json.dumps({"version": calibration.VERSION, "made_at": made_at, "made_of": {}, "maxima": {}})
    with pytest.raises(calibration.Refused, match="no calibration that can be read"):
        calibration.read(text, "body")


def test_names_of_captures_are_kept_as_any_database_stores_them() -> None:
    made_of = {"a\ud800\x00": "sha256:\x00"}
    text = json.dumps({"version": calibration.VERSION, "made_at": "2026-11-24T00:00:00+00:00", "made_of": made_of, "maxima": {}})
    assert calibration.read(text, "body").made_of == {"a\\ud800\\x00": "sha256:\\x00"}
