"""Serial lines and NMEA, on a pseudo-terminal."""

from pathlib import Path
from typing import Any, cast

import pytest

from croody_contract.messages import Position, Reading
from croody_edge.settings import Settings
from croody_edge.sources import words
from croody_edge.sources.config import of_table
from croody_edge.sources.nmea.sentence import Torn, parse
from croody_edge.sources.shape import Report, Shaper
from croody_edge.variables import BadSetting
from tests.edge_agent.sources.counterparts import Pty, heard

GGA = "$GPGGA,123519,0439.1234,N,07405.5678,W,1,08,0.9,2545.4,M,46.9,M,,"


def summed(body: str) -> bytes:
    total = 0
    for char in body[1:]:
        total ^= ord(char)
    return f"{body}*{total:02X}\r\n".encode()


def test_pairs_are_read_and_a_torn_line_costs_no_other(tmp_path: Path) -> None:
    port = Pty(tmp_path / "ttyUSB0")
    with heard(tmp_path, f"[source.it]\nkind='serial'\ndevice='{port.path}'\n") as it:
        assert it.wait(lambda: port.say(b"TEMP=23.5;DOOR=true;NAME=7a\r\n") or len(it.readings) > 2)
        assert it.newest.data == {"TEMP": 23.5, "DOOR": True, "NAME": "7a"}
        port.say(b"MP=\x00\xff\xfe garbage\n" + b"x" * 5000 + b"\nTEMP=nan;HUM=60\nTEMP=24.5\n")
        assert it.wait(lambda: it.newest.data.get("TEMP") == 24.5)
        assert it.newest.data["HUM"] == 60
        assert "TEMP" in {one.detail["metric"] for one in it.records if one not in it.readings}
        assert not it.failing
    port.unplug()


def test_a_port_that_vanishes_and_comes_back_under_another_name_is_found_again(tmp_path: Path) -> None:
    first = Pty(tmp_path / "ttyUSB0")
    with heard(tmp_path, f"[source.it]\nkind='serial'\ndevice='{tmp_path}/ttyUSB*'\nformat='json'\n") as it:
        assert it.wait(lambda: first.say(b'{"a": {"b": 1}}\n') or it.readings)
        assert it.newest.data == {"a_b": 1}
        first.unplug()
        assert it.wait(lambda: it.failing)
        second = Pty(tmp_path / "ttyUSB3")
        assert it.wait(lambda: second.say(b'{"a": {"b": 2}}\n') or it.newest.data.get("a_b") == 2)
        assert it.wait(lambda: it.told)
        assert [event.code for event in it.told] == ["source_failed"]
    second.unplug()


def test_a_receiver_is_read_sentence_by_sentence(tmp_path: Path) -> None:
    port = Pty(tmp_path / "gps")
    with heard(tmp_path, f"[source.it]\nkind='nmea'\ndevice='{port.path}'\n") as it:
        said = summed(GGA) + b"$GPGGA,torn*00\r\n" + summed("$GNVTG,84.4,T,,M,10.0,N,18.52,K") + summed("$GPXYZ,1,2")
        assert it.wait(lambda: port.say(said) or "speed_mps" in it.newest.data)
        assert it.newest.position == Position(lat=pytest.approx(4.6520567), lng=pytest.approx(-74.0927967), alt=2545.4)  # type: ignore[arg-type]
        assert it.newest.data["gnss_satellites"] == 8
        assert it.newest.data["speed_mps"] == pytest.approx(5.144)
        assert {info.name for info in it.infos} >= {"speed_mps", "gnss_fix"}
    port.unplug()


@pytest.mark.parametrize(
    "line", ["", "$", "GPGGA,1", "$GPGGA,,,,,,x,,,*00", f"{GGA}*00", "$GPRMC,1,A,9x,N,1,E,1,1*", "$GPGGA,1", "é", "$GPHDT,abc,T"]
)
def test_a_damaged_sentence_is_torn_or_nothing(line: str) -> None:
    try:
        said = parse(line)
    except Torn:
        return
    assert said is None


def test_sentences_without_a_fix_have_no_place() -> None:
    found = parse("$GPGGA,123519,,,,,0,00,,,M,,M,,")
    assert found is not None
    assert (found.data, found.position) == ({"gnss_fix": 0, "gnss_satellites": 0}, None)
    void = parse("$GPRMC,123519,V,,,,,,,230394,,")
    assert void is not None
    assert (void.data, void.position) == ({}, None)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (words.columns("1;;x", ";", ["a", "b", "c"]), {"a": 1, "c": "x"}),
        (words.document('{"a": [1], "b": null, "c": {"d": {"e": true}}}'), {"c_d_e": True}),
        (words.document('{"a": 1e400, "b": 2}'), {"a": float("inf"), "b": 2}),
        (words.pairs("A=1;;B=00123;=x", ";", "="), {"A": 1, "B": "00123"}),
    ],
)
def test_formats(made: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert {name: value for name, value in made.items() if not isinstance(value, words.NoValue)} == wanted


def test_what_is_no_document_is_marked_and_a_deep_one_is_cut() -> None:
    assert set(words.document("[1, 2]")) == set(words.document("{" * 5000)) == set(words.document("[" * 100_000)) == {"line"}
    deep = '{"a":' * 900 + "1" + "}" * 900
    assert len(words.document(deep)) <= 1


def test_a_line_of_more_values_than_a_reading_has_is_cut_and_that_is_said() -> None:
    many = "{" + ",".join(f'"m{n}": 1' for n in range(5000)) + "}"
    for found in (words.document(many), words.pairs(";".join(f"m{n}=1" for n in range(5000)), ";", "=")):
        assert len(found) == 257
        shaper = Shaper(Report(), {})
        assert len(cast(Reading, shaper.offer(Reading(data=found), 0.0)).data) == 256
        assert [one.why for one in shaper.left_out] == ["cell.too_many"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "device is missing"),
        ({"device": "/x", "baudrate": "fast"}, "baudrate is 'fast': it must be a whole number"),
        ({"device": "/x", "format": "columns"}, "wants columns"),
        ({"device": "/x", "format": "pattern", "pattern": "("}, "no regular expression"),
        ({"device": "/x", "format": "pattern", "pattern": "a"}, "no named groups"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path: Path, table: dict[str, object], said: str) -> None:
    with pytest.raises(BadSetting) as error:
        of_table(Settings("rover-alice", tmp_path), tmp_path / "sources.toml", "line", {"kind": "serial", **table})
    assert said in str(error.value)
